"""Leaving the corridor at any time, in any way: engine calls end, no token stays behind."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable

import pytest
from test_scorer import (
    PickyEngine,
    build,
    check,
    engine,
    ids_of,
    left_behind,
    order,
    outcomes,
    scorer,
    work,
)

from app.calibration import IDENTITY, sigmoid
from app.errors import CalibrationNotFound, Draining, ItemError, Overloaded
from app.scorer import Order, Scored, Scorer, Work, preparing

__all__ = ["engine", "scorer"]  # fixtures


async def test_leaving_early_aborts_what_is_unfinished(scorer: Scorer, engine: PickyEngine) -> None:
    engine.hung = True
    async with await scorer.take([work(i) for i in range(5)], order()) as taken:
        waiting = asyncio.ensure_future(anext(taken.results()))
        for _ in range(5):
            await asyncio.sleep(0)
        assert engine.running_tokens > 0
        waiting.cancel()
    assert (engine.calls, engine.aborted) == (5, 5)
    assert left_behind(scorer) == (0,) * 6


async def test_leaving_before_the_first_result_is_asked_for(scorer: Scorer) -> None:
    async with await scorer.take([work(1)], order()):
        assert scorer.admission.waiting_items == 1
    assert left_behind(scorer) == (0,) * 6


@pytest.mark.parametrize("cancels", [1, 2, 3])
async def test_a_request_cancelled_again_and_again(engine: PickyEngine, cancels: int) -> None:
    """As anyio's scopes do: a second cancel comes while the first is still being cleaned up."""
    tokens = len(ids_of(work(1)))
    scorer = build(engine, inside=2 * tokens + 10)
    engine.hung = True
    request = asyncio.create_task(outcomes(scorer, [work(i) for i in range(6)]))
    while engine.calls < 2:
        await asyncio.sleep(0.001)
    for _ in range(cancels):
        request.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await request
    for _ in range(10):
        await asyncio.sleep(0)
    assert left_behind(scorer) == (0,) * 6
    engine.hung = False
    assert isinstance((await outcomes(scorer, [work(1)]))[0], Scored)
    scorer.close()


async def test_closing_the_engine_ends_every_item(scorer: Scorer, engine: PickyEngine) -> None:
    engine.hung = True
    request = asyncio.create_task(outcomes(scorer, [work(i) for i in range(5)]))
    while engine.calls < 5:
        await asyncio.sleep(0.001)
    await engine.close()
    found = await asyncio.wait_for(request, 1)
    assert [type(each) for each in found] == [Draining] * 5


async def test_a_closed_scorer_says_that_it_drains(engine: PickyEngine) -> None:
    scorer = build(engine)
    scorer.close()
    (found,) = await outcomes(scorer, [work(1)])
    assert isinstance(found, Draining)
    with pytest.raises(Draining):
        await scorer.measure(work(1))


async def storm(seed: int) -> None:
    """Requests of all kinds come, run late, fail, leave early, are cancelled once or twice."""
    chance = random.Random(seed)
    engine = PickyEngine(token_s=chance.choice([0, 1e-6, 2e-5]))
    scorer = build(engine, inside=chance.choice([200, 600]), waiting=chance.choice([700, 3_000]))
    works = [work(i, words=chance.randint(0, 60)) for i in range(6)]
    works += [Work("messages", 5), Work("prompt", "x")]
    for one in chance.sample(works[:6], 2):
        engine.failing[ids_of(one).tobytes()] = chance.choice(["nan", "abort", OSError()])

    async def request() -> None:
        mine = chance.choices(works, k=chance.randint(1, 5))
        leaves_early = chance.random() < 0.3
        until = order(chance.choice([-1, 0.001, 0.005, 5]))
        async with await scorer.take(mine, until) as taken:
            async for index, outcome in taken.results():
                assert isinstance(outcome, ItemError | Scored)
                if isinstance(outcome, Scored) and mine[index].source == "messages":
                    check(engine, mine[index], outcome)
                if leaves_early:
                    return

    requests = []
    for _ in range(12):
        requests.append(asyncio.create_task(request()))
        await asyncio.sleep(chance.choice([0, 0, 0.001]))
        if chance.random() < 0.4:
            unlucky = chance.choice(requests)
            for _ in range(chance.randint(1, 2)):
                unlucky.cancel()
                await asyncio.sleep(0)
    ended = await asyncio.wait_for(asyncio.gather(*requests, return_exceptions=True), 10)
    for each in ended:
        assert each is None or isinstance(each, Overloaded | asyncio.CancelledError), repr(each)
    for _ in range(20):
        await asyncio.sleep(0)
    assert left_behind(scorer) == (0,) * 6, seed
    scorer.close()


@pytest.mark.parametrize("start", range(0, 300, 50))
async def test_no_storm_leaks_a_token(start: int) -> None:
    for seed in range(start, start + 50):
        await storm(seed)


async def test_rendering_is_bounded(engine: PickyEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """While 64 items wait to be rendered, more are refused at once; then there is room again."""
    scorer = build(engine)
    hold = threading.Event()
    prepare: Callable[..., object] = preparing.prepare

    def slow(*arguments: object) -> object:
        hold.wait(5)
        return prepare(*arguments)

    monkeypatch.setattr("app.scorer.preparing.prepare", slow)
    first = asyncio.create_task(scorer.take([work(i) for i in range(60)], order()))
    await asyncio.sleep(0.01)
    with pytest.raises(Overloaded):
        await asyncio.wait_for(scorer.take([work(i) for i in range(5)], order()), 1)
    hold.set()
    async with await first:
        pass
    assert len(await outcomes(scorer, [work(1)])) == 1
    assert left_behind(scorer) == (0,) * 6
    scorer.close()


async def test_calibrations_are_found_by_name(scorer: Scorer) -> None:
    assert scorer.calibrator("active").id == "p"
    assert scorer.calibrator("identity") is IDENTITY
    with pytest.raises(CalibrationNotFound, match="identity, p"):
        scorer.calibrator("x" * 5_000)
    with pytest.raises(CalibrationNotFound):
        scorer.calibrator("")
    calibrated = Order(order().deadline, scorer.calibrator("p"))
    (found,) = await outcomes(scorer, [work(1)], calibrated)
    assert isinstance(found, Scored)
    assert found.score.calibration == "p"
    assert found.score.probability == pytest.approx(sigmoid(2 * found.score.logit + 1))
