"""Health is a round trip and a canary: what takes readiness away, and what gives it back."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
from engine_contract import LABELS, logit, prompt

from app.engine.canary import Canary
from app.engine.fake import FakeEngine
from app.engine.supervisor import Supervisor
from app.engine.watched import Watch
from app.errors import StartError
from app.types import Verdict

FAST = Watch(
    probe_every_s=0.01, patience_s=0.1, canary_every_s=0.03, canary_timeout_s=0.05, restarts=0
)


@dataclass(slots=True)
class OddEngine(FakeEngine):
    """Its weights may move, its canary may hang alone, and it may fail like nothing foreseen."""

    shift: float = 0.0
    stuck: bool = False
    odd: Exception | None = None

    def logit_of(self, ids: object) -> float:
        return FakeEngine.logit_of(self, ids) + self.shift  # type: ignore[arg-type]

    async def judge(self, *arguments: object) -> Verdict:  # type: ignore[override]
        if self.stuck:
            await asyncio.Event().wait()
        return await FakeEngine.judge(self, *arguments)  # type: ignore[arg-type]

    async def probe(self) -> None:
        if self.odd:
            raise self.odd
        await FakeEngine.probe(self)


@pytest.fixture
def engine() -> OddEngine:
    return OddEngine()


def canary(engine: FakeEngine, name: str = "c", seed: int = 0, known: bool = True) -> Canary:
    ids = prompt(30, seed)
    return Canary(name, ids, engine.logit_of(ids) if known else None, tolerance=0.01)


async def no_other() -> FakeEngine:
    message = "these tests have one engine only"
    raise StartError(message)


def supervise(engine: FakeEngine, *canaries: Canary, watch: Watch = FAST) -> Supervisor:
    return Supervisor(engine, no_other, LABELS, canaries, logit, watch)


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(2):
        while not what():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def watching(supervisor: Supervisor) -> AsyncIterator[None]:
    await supervisor.start()
    assert supervisor.ready
    task = asyncio.create_task(supervisor.run())
    try:
        yield
        assert not task.done(), "the watch goes on, whatever it sees"
    finally:
        task.cancel()
        await asyncio.wait({task}, timeout=1)
        assert task.cancelled()


async def test_not_ready_before_the_first_look(engine: OddEngine) -> None:
    assert not supervise(engine).ready
    async with watching(supervise(engine)):  # no canary: the probe alone decides
        pass


async def test_drift_takes_readiness_away_and_standing_again_gives_it_back(
    engine: OddEngine,
) -> None:
    supervisor = supervise(engine, canary(engine, "a"), canary(engine, "b", seed=1))
    async with watching(supervisor):
        assert supervisor.canary.drift == pytest.approx(0, abs=1e-9)
        engine.shift = 0.009
        await until(lambda: (supervisor.canary.drift or 0) > 0.008)
        assert supervisor.ready, "within its tolerance"
        engine.shift = -0.5
        await until(lambda: not supervisor.ready)
        assert "canary b moved by 0.5, over 0.01" in (supervisor.trouble or "")
        assert supervisor.canary.drift == pytest.approx(0.5)
        engine.shift = 0.0
        await until(lambda: supervisor.ready)
        assert supervisor.canary.drift == pytest.approx(0, abs=1e-9)


async def test_drift_is_that_of_the_canary_that_moved_most(engine: OddEngine) -> None:
    exact, moved = canary(engine, "exact"), canary(engine, "moved", seed=1)
    moved = replace(moved, expected_logit=engine.logit_of(moved.ids) + 0.005)
    for order in ([exact, moved], [moved, exact]):
        supervisor = supervise(engine, *order)
        await supervisor.start()
        assert supervisor.canary.drift == pytest.approx(0.005)


@pytest.mark.parametrize(
    ("breaks", "word"),
    [
        ({"hung": True}, "in time"),
        ({"stuck": True}, "in time"),
        ({"odd": RuntimeError("a message of theirs")}, "RuntimeError"),
    ],
    ids=str,
)
async def test_what_breaks_is_seen_and_what_heals_too(
    engine: OddEngine, breaks: dict[str, object], word: str
) -> None:
    supervisor = supervise(engine, canary(engine))
    healthy = {name: getattr(engine, name) for name in breaks}
    async with watching(supervisor):
        for name, value in breaks.items():
            setattr(engine, name, value)
        await until(lambda: not supervisor.ready)
        assert word in (supervisor.trouble or "")
        for name, value in healthy.items():
            setattr(engine, name, value)
        await until(lambda: supervisor.ready)


async def test_a_busy_engine_is_not_in_trouble(engine: OddEngine) -> None:
    """On a CPU one step over a long prompt takes many seconds: late is not dead."""
    watch = Watch(probe_every_s=0.01, patience_s=1, canary_every_s=0.02, canary_timeout_s=1)
    supervisor = supervise(engine, canary(engine), watch=watch)
    async with watching(supervisor):
        engine.delay_s = 0.3
        calls = engine.calls
        await until(lambda: engine.calls > calls)
        for _ in range(10):
            await asyncio.sleep(0.02)
            assert supervisor.ready


async def test_the_canary_is_looked_at_at_its_own_pace(engine: OddEngine) -> None:
    watch = Watch(probe_every_s=0.002, canary_every_s=60)
    async with watching(supervise(engine, canary(engine), watch=watch)):
        await asyncio.sleep(0.1)
    assert engine.calls == 1


async def test_an_unknown_dtype_is_recorded_once(engine: OddEngine) -> None:
    known, unknown = canary(engine, "known"), canary(engine, "new", seed=1, known=False)
    supervisor = supervise(engine, known, unknown)
    recorded = await supervisor.start()
    assert recorded == {"new": pytest.approx(engine.logit_of(unknown.ids))}
    assert (supervisor.canary.items, supervisor.canary.recorded_now) == (2, 1)
    assert supervisor.ready
    async with watching(supervise(engine, known, unknown)) as _:
        pass
    started = supervise(engine, known, unknown)
    async with watching(started):
        engine.shift = 0.5
        await until(lambda: not started.ready)


async def test_no_start_with_a_canary_that_moved(engine: OddEngine) -> None:
    expected = canary(engine)
    engine.shift = 0.3
    supervisor = supervise(engine, expected)
    with pytest.raises(StartError, match=r"moved by 0\.3.*Rebuild the model's manifest"):
        await supervisor.start()
    assert not supervisor.ready


@pytest.mark.parametrize(
    ("breaks", "word"),
    [("dead", "died"), ("hung", "in time"), ("stuck", "in time"), ("fault", "not finite")],
)
async def test_no_start_without_an_answer(engine: OddEngine, breaks: str, word: str) -> None:
    expected = canary(engine)
    setattr(engine, breaks, "nan" if breaks == "fault" else True)
    started = time.monotonic()
    with pytest.raises(StartError, match=word):
        await supervise(engine, expected).start()
    assert time.monotonic() - started < 1


async def test_a_logit_that_is_no_number_is_drift(engine: OddEngine) -> None:
    supervisor = Supervisor(engine, no_other, LABELS, [canary(engine)], lambda _: math.nan, FAST)
    with pytest.raises(StartError, match="moved by nan"):
        await supervisor.start()


@pytest.mark.parametrize("hops", range(8))
async def test_it_can_be_stopped_at_any_moment(engine: OddEngine, hops: int) -> None:
    """A cancel that meets an answer just coming in must not be lost: the server would never end."""
    loop = asyncio.get_running_loop()

    class Stopping(OddEngine):
        async def probe(self) -> None:
            await asyncio.sleep(0)
            later(hops)

    def later(left: int) -> None:
        if left:
            loop.call_soon(later, left - 1)
        else:
            task.cancel()

    watch = Watch(probe_every_s=0.001, canary_every_s=60)
    supervisor = supervise(Stopping(), watch=watch)
    await supervisor.start()
    task = asyncio.create_task(supervisor.run())
    await asyncio.sleep(0.0015)
    started = loop.time()
    while not task.done() and loop.time() - started < 0.1:
        await asyncio.sleep(0.001)
    first_cancels = task.cancelling()
    task.cancel()
    await asyncio.wait({task})
    assert first_cancels == 1, "the first cancel was swallowed"


async def test_closing_under_the_watch_is_no_crash(engine: OddEngine) -> None:
    supervisor = supervise(engine, canary(engine))
    async with watching(supervisor):
        engine.delay_s = 0.04
        await asyncio.sleep(0.04)
        await engine.close()
        await until(lambda: not supervisor.ready)
