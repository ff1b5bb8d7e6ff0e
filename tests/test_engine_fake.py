"""The contract of engines on the fake one, and the faults that only it can show."""

from __future__ import annotations

import asyncio
import math
from typing import get_args

import pytest
from engine_contract import LABELS, EngineContract, closes_well, logit, prompt

from app.engine.fake import LABEL_MASS, FakeEngine, Fault
from app.engine.reading import label_logprobs
from app.errors import Draining, EngineFailed, EngineRestarting
from app.types import Labels


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


class TestFake(EngineContract):
    """A long prompt takes 0.6 s here, so that there is something to cancel."""

    @pytest.fixture
    def engine(self) -> FakeEngine:
        return FakeEngine(token_s=1e-4)

    async def test_cancelled_work_is_gone_from_inside(self, engine: FakeEngine) -> None:
        calls = [asyncio.create_task(engine.judge(prompt(500), LABELS)) for _ in range(5)]
        await asyncio.sleep(0)
        assert engine.running_tokens == 2500
        calls[0].cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        assert (engine.running_tokens, engine.aborted, engine.calls) == (0, 1, 5)


async def test_closes_well() -> None:
    await closes_well(FakeEngine(token_s=1e-3), set(), tokens=6_000)


async def test_its_answer_can_be_computed_by_hand(engine: FakeEngine) -> None:
    verdict = await engine.judge(prompt(50), Labels((1, 2), (3,), "logsumexp"))
    yes = sum(map(math.exp, verdict.label_logprobs[:2]))
    no = math.exp(verdict.label_logprobs[2])
    assert yes + no == pytest.approx(LABEL_MASS)
    assert math.log(yes / no) == pytest.approx(engine.logit_of(prompt(50)))


FAULTS: dict[Fault, tuple[type[Exception], str]] = {
    "abort": (EngineFailed, "'abort'"),
    "no_logprobs": (EngineFailed, "[8190, 8191]"),
    "one_label_missing": (EngineFailed, "[8191]"),
    "nan": (EngineFailed, "not finite"),
    "infinite": (EngineFailed, "not finite"),
    "crash": (EngineRestarting, "died"),
}


@pytest.mark.parametrize("fault", get_args(Fault))
async def test_each_fault_has_its_error(engine: FakeEngine, fault: Fault) -> None:
    kind, words = FAULTS[fault]
    engine.fault = fault
    with pytest.raises(kind) as caught:
        await engine.judge(prompt(50), LABELS)
    assert type(caught.value) is kind
    assert words in str(caught.value)
    assert caught.value.retryable  # type: ignore[attr-defined]
    engine.fault, engine.dead = None, False
    await engine.judge(prompt(50), LABELS)


@pytest.mark.parametrize(
    ("finish", "values"),
    [
        ("stop", {8190: -1.0, 8191: -1.0}),
        ("error", {8190: -1.0, 8191: -1.0}),
        (None, {8190: -1.0, 8191: -1.0}),
        ("length", None),
        ("length", {1: -1.0, 2: -1.0}),
        ("length", {8190: math.inf, 8191: -1.0}),
        ("length", {8190: -math.inf, 8191: -math.inf}),
    ],
)
def test_no_reading_without_a_whole_verdict(
    finish: str | None, values: dict[int, float] | None
) -> None:
    with pytest.raises(EngineFailed):
        label_logprobs(finish, values, LABELS)


async def test_dead(engine: FakeEngine) -> None:
    engine.delay_s = 5
    call = asyncio.create_task(engine.judge(prompt(50), LABELS))
    await asyncio.sleep(0)
    engine.dead = True
    with pytest.raises(EngineRestarting):
        await asyncio.wait_for(engine.judge(prompt(50), LABELS), 1)
    with pytest.raises(EngineRestarting):
        await engine.probe()
    call.cancel()


async def test_hung_is_ended_by_a_clock_and_by_close(engine: FakeEngine) -> None:
    engine.hung = True
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(engine.probe(), 0.02)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(engine.judge(prompt(50), LABELS), 0.02)
    call = asyncio.create_task(engine.judge(prompt(50), LABELS))
    look = asyncio.create_task(engine.probe())
    await asyncio.sleep(0)
    await engine.close()
    with pytest.raises(Draining):
        await asyncio.wait_for(call, 1)
    with pytest.raises((Draining, EngineFailed)):
        await asyncio.wait_for(look, 1)


async def test_closing_and_leaving_at_once_is_leaving(engine: FakeEngine) -> None:
    """The caller's own cancel is never turned into an error that he did not ask for."""
    engine.hung = True
    call = asyncio.create_task(engine.judge(prompt(50), LABELS))
    await asyncio.sleep(0)
    call.cancel()
    await engine.close()
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_slow(engine: FakeEngine) -> None:
    engine.delay_s, engine.token_s = 0.05, 1e-3
    verdict = await engine.judge(prompt(50), LABELS)
    assert 0.1 <= verdict.engine_s < 1
    assert logit(verdict) == pytest.approx(engine.logit_of(prompt(50)))
