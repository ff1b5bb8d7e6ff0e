"""POST /score: one result an item, in the order of the request, or a stream as they finish."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.api import present
from app.api.documents import SCORE
from app.api.house import House
from app.api.job import Job, Stream, finite, open_job, until_gone, wants_stream, with_progress
from app.schema import ScoreOptions
from app.scorer import Outcome

router = APIRouter()
_ROUTE = "/score"


@router.post(_ROUTE, **SCORE)
async def score(request: Request) -> Response:
    """Scores 1 to 256 trajectories. A failed item is an error in its place; the answer is a 200."""
    house: House = request.app.state.house
    job = await open_job(request, house, ScoreOptions, "trajectories")
    head = present.head("score", house.scorer.model.identity, request.state.request_id)
    if wants_stream(request):
        return Stream(house, job.taken, _lines(house, job, head))
    async with job.taken:
        outcomes = await until_gone(request.receive, job.taken.all())
    results = []
    for index, outcome in enumerate(outcomes):
        present.record(house, job.account, _ROUTE, index, outcome, job.names[index])
        results.append(_result(house, job, index, outcome))
        await asyncio.sleep(0)  # each takes a digest of its prompt; hundreds at once are a stall
    told = await _executions(house, job, outcomes)
    answer = (
        head
        | {"object": "score.list"}
        | told
        | _sums(house, job, results, dict(enumerate(outcomes)))
    )
    answer |= {"results": results, "timings_ms": present.timings(job.parse_s, job.received_at)}
    return Response(finite(answer), media_type="application/json")


async def _lines(
    house: House, job: Job[ScoreOptions], head: dict[str, Any]
) -> AsyncIterator[dict[str, Any]]:
    yield head | {"object": "score.start", "n": len(job.names)}
    results: list[dict[str, Any]] = []
    outcomes: dict[int, Outcome] = {}
    async for found in with_progress(house, job.taken, "score.progress"):
        if isinstance(found, dict):
            yield found
            continue
        index, outcome = found
        outcomes[index] = outcome
        present.record(house, job.account, _ROUTE, index, outcome, job.names[index])
        results.append(_result(house, job, index, outcome))
        yield results[-1]
    told = await _executions(house, job, outcomes.values())
    yield {"object": "score.end"} | told | _sums(house, job, results, outcomes)


async def _executions(
    house: House, job: Job[ScoreOptions], outcomes: Iterable[Outcome]
) -> dict[str, Any]:
    """With `record_execution`: how many executions became outcomes, by status."""
    if not job.options.record_execution or not house.feedback:
        return {}
    identity = house.scorer.model.identity
    return {"execution": await house.feedback.record_execution(identity, outcomes, job.key_id)}


def _result(house: House, job: Job[ScoreOptions], index: int, outcome: Outcome) -> dict[str, Any]:
    return present.result(house, index, job.names[index], outcome, job.key_id)


def _sums(
    house: House,
    job: Job[ScoreOptions],
    results: list[dict[str, Any]],
    outcomes: Mapping[int, Outcome],
) -> dict[str, Any]:
    wanted = job.options.group_stats
    return {
        "counts": present.counts(results),
        "groups": present.groups(house, job.names, outcomes) if wanted else None,
        "usage": present.usage(results),
    }
