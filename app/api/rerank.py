"""POST /rerank: candidates for one issue, best first; ties and failures explicit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.api import present
from app.api.body import read_body
from app.api.dialects import rerank as foreign_rerank
from app.api.documents import RERANK
from app.api.house import House
from app.api.job import Job, Stream, finite, take_job, until_gone, wants_stream, with_progress
from app.schema import RerankOptions
from app.scorer import Outcome
from app.types import Ranking

router = APIRouter()
_ROUTE = "/rerank"


@router.post("/v2/rerank", **RERANK)
@router.post("/v1/rerank", **RERANK)
@router.post(_ROUTE, **RERANK)
async def rerank(request: Request) -> Response:
    """Orders 1 to 256 candidates by probability, then logit, then index.

    Takes the foreign shapes too: `documents` (Cohere, Jina, vLLM) and `texts` (TEI), with `query`.
    """
    house: House = request.app.state.house
    with house.bodies.account() as hold:
        body = await read_body(request, house, hold, "candidates")
        if foreign_rerank.is_foreign(body):
            return await foreign_rerank.answer(request, house, body)
        job = await take_job(request, house, body, RerankOptions, "candidates")
    head = present.head("rerank", house.scorer.model.identity, request.state.request_id)
    if wants_stream(request):
        return Stream(house, job.taken, _lines(house, job, head))
    async with job.taken:
        outcomes = await until_gone(request.receive, job.taken.all())
    entries = []
    for index, outcome in enumerate(outcomes):
        present.record(house, job.account, _ROUTE, index, outcome, job.names[index])
        entries.append(_entry(house, job, index, outcome))
        await asyncio.sleep(0)  # each takes a digest of its prompt; hundreds at once are a stall
    ranking = _rank(house, job, outcomes)
    answer = head | {"object": "rerank"} | _ranked(ranking, entries, job.options.top_n)
    answer |= {"timings_ms": present.timings(job.parse_s, job.received_at)}
    return Response(finite(answer), media_type="application/json")


async def _lines(
    house: House, job: Job[RerankOptions], head: dict[str, Any]
) -> AsyncIterator[dict[str, Any]]:
    """Results as they finish, without a rank; the last line holds the whole order."""
    yield head | {"object": "rerank.start", "n": len(job.names)}
    found: dict[int, Outcome] = {}
    entries: list[dict[str, Any]] = []
    async for one in with_progress(house, job.taken, "rerank.progress"):
        if isinstance(one, dict):
            yield one
            continue
        index, outcome = one
        found[index] = outcome
        present.record(house, job.account, _ROUTE, index, outcome, job.names[index])
        entries.append(_entry(house, job, index, outcome))
        yield entries[-1]
    outcomes = [found[index] for index in range(len(found))]
    ranking = _rank(house, job, outcomes)
    order = [{"index": r.index, "rank": r.rank, "tied": r.tied} for r in ranking.order]
    yield {"object": "rerank.end", "order": order[: job.options.top_n]} | _sums(ranking, entries)


def _rank(house: House, job: Job[RerankOptions], outcomes: Sequence[Outcome]) -> Ranking:
    hybrid = job.options.strategy == "hybrid"
    return house.scorer.rank(outcomes, job.options.require_all, hybrid)


def _ranked(
    ranking: Ranking, entries: Sequence[dict[str, Any]], top_n: int | None
) -> dict[str, Any]:
    results = [
        entries[place.index] | {"rank": place.rank, "tied": place.tied}
        for place in ranking.order[:top_n]
    ]
    failed = [entry for entry in entries if entry["status"] == "failed"]
    return _sums(ranking, entries) | {"results": results, "failed": failed}


def _entry(house: House, job: Job[RerankOptions], index: int, outcome: Outcome) -> dict[str, Any]:
    entry = present.result(house, index, job.names[index], outcome, job.key_id)
    if entry["status"] != "scored":
        return entry
    return entry | {"relevance_score": entry["probability"]}


def _sums(ranking: Ranking, entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "best": ranking.best,
        "complete": ranking.complete,
        "counts": present.counts(entries),
        "usage": present.usage(entries),
    }
