"""The memo in the corridor: what is asked twice costs once, and every result says what it cost."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from houses import ask, build, opened
from houses import item as chat_item
from test_scorer import PickyEngine, ids_of, left_behind, order, outcomes, work
from test_scorer import build as build_scorer

from app.engine.fake import FakeEngine
from app.memo import Mode
from app.scorer import Outcome, Scored, Scorer
from app.types import Labels, Priority, Verdict

MIB = 2**20


@dataclass(slots=True)
class CachingEngine(FakeEngine):
    """Says that ten tokens of every prompt were in its cache."""

    async def judge(
        self, ids: array[int], labels: Labels, priority: Priority = "rollout"
    ) -> Verdict:
        return replace(await FakeEngine.judge(self, ids, labels, priority), cached_tokens=10)


@pytest.fixture
def engine() -> PickyEngine:
    return PickyEngine()


@pytest.fixture
async def scorer(engine: PickyEngine) -> AsyncIterator[Scorer]:
    made = build_scorer(engine, memo_bytes=MIB)
    yield made
    await asyncio.sleep(0)
    assert left_behind(made) == (0,) * 6
    assert made.memo.flying == 0
    made.close()


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not reached():
            await asyncio.sleep(0.001)


def waiting(scorer: Scorer) -> int:
    """All who wait for a computation."""
    return sum(flight.waiters for flight in scorer.memo._flights.values())


def sources(found: list[Outcome]) -> list[str]:
    return [each.source for each in found if isinstance(each, Scored)]


async def test_a_retry_is_free_and_says_the_same(scorer: Scorer, engine: PickyEngine) -> None:
    first = await outcomes(scorer, [work(1), work(2), work(1)])
    assert sorted(sources(first)) == ["computed", "computed", "shared"]
    again = await outcomes(scorer, [work(1), work(2), work(1)])
    assert sources(again) == ["memo"] * 3
    assert len(engine.seen) == 2
    assert [one.score for one in again] == [one.score for one in first]  # type: ignore[union-attr]
    remembered = again[0]
    assert isinstance(remembered, Scored)
    assert (remembered.computed_tokens, remembered.cached_tokens, remembered.engine_s) == (0, 0, 0)


@pytest.mark.parametrize(("mode", "calls"), [("use", 1), ("refresh", 2), ("off", 2)])
async def test_modes(scorer: Scorer, engine: PickyEngine, mode: Mode, calls: int) -> None:
    await outcomes(scorer, [work(1)])
    await outcomes(scorer, [work(1)], replace(order(), memo=mode))
    assert len(engine.seen) == calls


async def test_a_retry_is_taken_by_a_house_that_is_full(engine: PickyEngine) -> None:
    scorer = build_scorer(engine, waiting=len(ids_of(work(1))), memo_bytes=MIB)
    await outcomes(scorer, [work(1)])
    engine.hung = True
    blocked = asyncio.create_task(outcomes(scorer, [work(2)]))
    await until(lambda: engine.calls == 2)
    ticket = await scorer.take([work(3)], order())  # what waits fills the house
    assert sources(await outcomes(scorer, [work(1)] * 20)) == ["memo"] * 20
    ticket.abandon()
    blocked.cancel()
    await asyncio.gather(blocked, return_exceptions=True)
    assert left_behind(scorer) == (0,) * 6
    scorer.close()


async def test_a_client_that_leaves_takes_nothing_from_one_who_stays(
    scorer: Scorer, engine: PickyEngine
) -> None:
    gate = engine.gates[ids_of(work(1)).tobytes()] = asyncio.Event()
    leaving = asyncio.create_task(outcomes(scorer, [work(1)]))
    await until(lambda: bool(engine.seen))
    staying = asyncio.create_task(outcomes(scorer, [work(1)]))
    (flight,) = scorer.memo._flights.values()
    await until(lambda: flight.waiters == 2)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    gate.set()
    assert sources(await asyncio.wait_for(staying, 5)) == ["shared"]
    assert len(engine.seen) == 1


async def test_who_joins_brings_his_urgency_and_his_time(engine: PickyEngine) -> None:
    """A backfill item that an interactive request waits for too goes in as an interactive one."""
    tokens = len(ids_of(work(1)))
    scorer = build_scorer(engine, inside=tokens + 5, memo_bytes=MIB)
    gate = engine.gates[ids_of(work(0)).tobytes()] = asyncio.Event()
    requests = [asyncio.create_task(outcomes(scorer, [work(0)]))]
    await until(lambda: bool(engine.seen))
    asked: list[tuple[int, Priority]] = [(1, "rollout"), (2, "backfill"), (2, "interactive")]
    for waiters, (number, priority) in enumerate(asked, 2):
        how = replace(order(), priority=priority)
        requests.append(asyncio.create_task(outcomes(scorer, [work(number)], how)))
        await until(lambda now=waiters: waiting(scorer) == now)
    gate.set()
    found = await asyncio.gather(*requests)
    assert engine.seen == [ids_of(work(number)) for number in (0, 2, 1)]
    assert sources(found[3]) == ["shared"]
    assert left_behind(scorer) == (0,) * 6
    scorer.close()


async def test_steps_of_a_growing_rollout_are_asked_once() -> None:
    with opened(memo_bytes=MIB) as built:
        async with ask(built) as client:
            costs = []
            for turns in (3, 4, 4):
                body = {"trajectories": [chat_item(n=turns)], "steps": "all"}
                answer = (await client.post("/score", json=body)).json()
                (result,) = answer["results"]
                assert [step["turn"] for step in result["steps"]] == list(range(turns))
                costs.append(built.engine.calls)
                assert (result["tokens"]["steps"] == 0) == (turns == 4 and len(costs) == 3)
        assert costs == [4, 6, 6], "whole and three steps; whole and one; nothing"


async def test_every_result_says_what_it_cost() -> None:
    engine = CachingEngine()
    with opened(engine=engine, memo_bytes=MIB) as built:
        async with ask(built) as client:

            async def score(*words: str, **options: Any) -> Any:
                items = [chat_item(word=word) for word in words]
                return (await client.post("/score", json={"trajectories": items} | options)).json()

            one = await score("a", "a", "b")
            by_source = {result["source"]: result["tokens"] for result in one["results"]}
            prompt = by_source["computed"]["prompt"]
            assert (
                by_source["computed"] | {"cached": 10, "computed": prompt - 10}
                == by_source["computed"]
            )
            assert by_source["shared"] | {"cached": 0, "computed": 0} == by_source["shared"]
            usage = one["usage"]
            assert (usage["prompt_tokens"], usage["memo_tokens"]) == (2 * prompt, 0)
            assert usage["computed_tokens"] == 2 * (prompt - 10)
            assert usage["prompt_tokens_details"] == {"cached_tokens": 20}
            two = await score("a", "c")
            assert [result["source"] for result in two["results"]] == ["memo", "computed"]
            usage = two["usage"]
            assert (usage["prompt_tokens"], usage["memo_tokens"]) == (2 * prompt, prompt)
            assert usage["computed_tokens"] == prompt - 10
            ids = [result["score_id"] for answer in (one, two) for result in answer["results"]]
            assert ids[0] == ids[1] == ids[3], "identity is content, whatever the source"
            page = (await client.get("/metrics")).text
            for line in ('sources_total{source="memo"} 1.0', 'sources_total{source="shared"} 1.0',
                         'sources_total{source="computed"} 3.0', "memo_entries 3.0"):  # fmt: skip
                assert f"swe_rm_item_{line}" in page or f"swe_rm_{line}" in page
    assert built.idle


async def test_the_house_remembers_nothing_without_bytes() -> None:
    built = build()
    async with ask(built) as client:
        for _ in range(2):
            answer = await client.post("/score", json={"trajectories": [chat_item()]})
            assert answer.json()["results"][0]["source"] == "computed"
    built.house.close()
