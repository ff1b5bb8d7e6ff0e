"""A dead or stuck engine is replaced: what its items get, what the server says, and when it gives up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from engine_contract import LABELS, EngineContract, logit, prompt

from app.engine import Engine
from app.engine.canary import Canary
from app.engine.fake import FakeEngine
from app.engine.supervisor import Supervisor
from app.engine.watched import Watch
from app.errors import Draining, EngineRestarting, StartError
from app.types import Labels, Priority, Verdict

IDS = prompt(30)
QUICK = Watch(
    probe_every_s=0.005, patience_s=0.03, canary_every_s=0.01, canary_timeout_s=5, restarts=2,
    restart_window_s=60, first_wait_s=0.001,
)  # fmt: skip


@dataclass(slots=True)
class Odd(FakeEngine):
    """Its probe may be deaf though items finish; its items may be stuck though the probe answers."""

    deaf: bool = False
    stuck: bool = False
    shift: float = 0.0
    closed: int = 0

    def logit_of(self, ids: object) -> float:
        return FakeEngine.logit_of(self, ids) + self.shift  # type: ignore[arg-type]

    async def judge(self, ids: object, labels: Labels, priority: Priority = "rollout") -> Verdict:
        if self.stuck:
            with self._inside.own():
                await asyncio.Event().wait()
        return await FakeEngine.judge(self, ids, labels, priority)  # type: ignore[arg-type]

    async def probe(self) -> None:
        if self.deaf:
            await asyncio.Event().wait()
        await FakeEngine.probe(self)

    async def close(self) -> None:
        self.closed += 1
        await FakeEngine.close(self)


@dataclass
class Works:
    """Where engines come from; `broken` ones do not start, `next` are handed out before new ones."""

    made: list[Odd] = field(default_factory=list)
    next: list[Odd] = field(default_factory=list)
    broken: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    failed: int = 0

    async def start(self) -> Engine:
        await self.gate.wait()
        if self.broken:
            self.broken -= 1
            message = "no memory"
            raise StartError(message)
        self.made.append(self.next.pop(0) if self.next else Odd())
        return self.made[-1]

    def on_failed(self) -> None:
        self.failed += 1


@asynccontextmanager
async def supervised(
    works: Works, watch: Watch = QUICK, open_gate: bool = True
) -> AsyncIterator[tuple[Supervisor, Odd]]:
    first = Odd()
    if open_gate:
        works.gate.set()
    canary = Canary("c", IDS, first.logit_of(IDS), 0.01)
    supervisor = Supervisor(first, works.start, LABELS, [canary], logit, watch, works.on_failed)
    await supervisor.start()
    running = asyncio.create_task(supervisor.run())
    try:
        yield supervisor, first
    finally:
        running.cancel()
        await asyncio.wait({running}, timeout=5)
        assert running.done()
        await supervisor.close()
        assert all(engine.closed for engine in [first, *works.made]), "an engine was left open"


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not what():
            await asyncio.sleep(0.002)


class TestSupervised(EngineContract):
    """The supervisor is an engine like every other."""

    @pytest.fixture
    async def engine(self) -> AsyncIterator[Engine]:
        one = FakeEngine(token_s=5e-5)
        supervisor = Supervisor(one, Works().start, LABELS, [], logit)
        await supervisor.start()
        yield supervisor
        await supervisor.close()


async def test_death_under_items() -> None:
    works = Works()
    async with supervised(works, open_gate=False) as (supervisor, first):
        first.delay_s = 0.05
        calls = [asyncio.create_task(supervisor.judge(prompt(50, i), LABELS)) for i in range(8)]
        await asyncio.sleep(0.01)
        first.dead = True
        done, _ = await asyncio.wait(calls, timeout=2)
        assert len(done) == 8
        for call in done:
            error = call.exception()
            assert isinstance(error, EngineRestarting)
            assert 1 <= (error.retry_after_s or 0) <= 60
        await until(lambda: supervisor.state == "restarting")
        assert supervisor.trouble == "restarting"
        assert supervisor.probe_age_s is None or supervisor.probe_age_s >= 0
        with pytest.raises(EngineRestarting):
            await supervisor.judge(IDS, LABELS)
        with pytest.raises(EngineRestarting):
            await supervisor.probe()
        works.gate.set()
        await until(lambda: supervisor.ready)
        assert (supervisor.state, supervisor.restarts, works.failed) == ("ready", 1, 0)
        assert first.closed
        assert await supervisor.judge(IDS, LABELS)


async def test_idle_death_is_found_by_the_probe() -> None:
    works = Works()
    async with supervised(works) as (supervisor, first):
        first.dead = True
        await until(lambda: supervisor.restarts == 1 and supervisor.ready)


@pytest.mark.parametrize("how", ["hung", "stuck and deaf"])
async def test_a_stuck_engine_is_replaced_and_its_items_end(how: str) -> None:
    works = Works()
    async with supervised(works) as (supervisor, first):
        first.hung = how == "hung"
        first.stuck = first.deaf = how != "hung"
        calls = [asyncio.create_task(supervisor.judge(prompt(50, i), LABELS)) for i in range(4)]
        done, _ = await asyncio.wait(calls, timeout=5)
        assert {type(call.exception()) for call in done} == {EngineRestarting}
        await until(lambda: supervisor.ready and supervisor.restarts == 1)


async def test_finished_items_are_signs_of_life() -> None:
    """The probe is never answered, but work gets done: the engine is busy, not stuck."""
    works = Works()
    async with supervised(works) as (supervisor, first):
        first.deaf = True
        for seed in range(30):
            await supervisor.judge(prompt(50, seed), LABELS)
            await asyncio.sleep(0.01)
        assert (supervisor.restarts, supervisor.state) == (0, "ready")


async def test_a_long_prompt_inside_stretches_patience() -> None:
    """A step over 200k tokens takes a minute on a CPU; 30 ms of patience would be 50 s of it."""
    works = Works()
    async with supervised(works) as (supervisor, first):
        first.delay_s, first.deaf = 0.3, True
        await supervisor.judge(prompt(200_000), LABELS)
        assert (supervisor.restarts, works.made) == (0, [])


async def test_a_server_that_slept_itself_does_not_blame_the_engine() -> None:
    """Stopped, starved, or suspended with its machine: nothing could be heard meanwhile."""
    works = Works()
    async with supervised(works) as (supervisor, _):
        for _ in range(3):
            time.sleep(0.2)  # the loop stands: more than three times the patience
            await asyncio.sleep(0.01)
            assert (supervisor.state, supervisor.restarts) == ("ready", 0)


async def test_late_is_degraded_before_it_is_dead() -> None:
    works = Works()
    watch = Watch(probe_every_s=0.005, patience_s=0.1, canary_every_s=60, first_wait_s=0.001)
    async with supervised(works, watch) as (supervisor, first):
        first.deaf = True
        await until(lambda: supervisor.state == "degraded")
        assert "in time" in (supervisor.trouble or "")
        first.deaf = False
        await until(lambda: supervisor.ready)
        assert supervisor.restarts == 0, "an answer heals it: the probe is asked again"


@pytest.mark.parametrize("fault", ["nan", "abort", "no_logprobs", "one_label_missing"])
async def test_an_engine_that_fails_its_canary_again_and_again_is_replaced(fault: str) -> None:
    works = Works()
    async with supervised(works) as (supervisor, first):
        first.fault = fault  # type: ignore[assignment]
        await until(lambda: not supervisor.ready)
        await until(lambda: supervisor.restarts == 1 and supervisor.ready)


async def test_drift_is_not_cured_by_restarts() -> None:
    works = Works()
    async with supervised(works) as (supervisor, first):
        first.shift = 0.5
        await until(lambda: supervisor.state == "degraded")
        await asyncio.sleep(0.1)
        assert (supervisor.restarts, supervisor.state) == (0, "degraded")
        assert supervisor.canary.drift == pytest.approx(0.5)
        first.shift = 0.0
        await until(lambda: supervisor.ready)


async def test_drift_of_the_next_engine_keeps_the_server_out_of_readiness() -> None:
    works = Works(next=[Odd(shift=0.5)])
    async with supervised(works) as (supervisor, first):
        first.dead = True
        await until(lambda: supervisor.state == "degraded")
        assert supervisor.canary.drift == pytest.approx(0.5)


async def test_the_budget_and_then_the_end() -> None:
    """Two restarts, of which one does not even start; then failed, said once."""
    works = Works(broken=1)
    async with supervised(works) as (supervisor, first):
        first.dead = True
        await until(lambda: supervisor.restarts == 2 and supervisor.ready)
        works.made[-1].dead = True
        await until(lambda: works.failed == 1)
        assert (supervisor.state, supervisor.trouble) == ("failed", "failed")
        with pytest.raises(EngineRestarting):
            await supervisor.judge(IDS, LABELS)
        await asyncio.sleep(0.05)
        assert (works.failed, supervisor.restarts) == (1, 2)


async def test_an_engine_that_starts_dead_is_closed_and_counts() -> None:
    works = Works(next=[Odd(dead=True), Odd(fault="nan")])
    async with supervised(works) as (supervisor, first):
        first.dead = True
        await until(lambda: works.failed == 1)
        assert [engine.closed > 0 for engine in works.made] == [True, True]
        assert supervisor.restarts == 2


async def test_no_restart_at_all() -> None:
    works = Works()
    async with supervised(works, Watch(probe_every_s=0.005, restarts=0)) as (_, first):
        first.dead = True
        await until(lambda: works.failed == 1)
        assert works.made == []


async def test_closing_in_the_middle_of_a_restart() -> None:
    works = Works()
    async with supervised(works, open_gate=False) as (supervisor, first):
        first.dead = True
        await until(lambda: supervisor.restarts == 1)  # and it waits for the gate
    with pytest.raises(Draining):
        await supervisor.judge(IDS, LABELS)


async def test_closing_ends_items_as_draining() -> None:
    async with supervised(Works()) as (supervisor, first):
        first.delay_s = 60
        call = asyncio.create_task(supervisor.judge(IDS, LABELS))
        await asyncio.sleep(0.01)
        await supervisor.close()
        with pytest.raises(Draining):
            await call


async def test_a_callers_cancel_stays_his() -> None:
    async with supervised(Works()) as (supervisor, first):
        first.delay_s = 60
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await supervisor.judge(IDS, LABELS)
        first.delay_s = 0
        assert supervisor.restarts == 0


async def test_the_canary_stands_beside_hostile_neighbours() -> None:
    """Storms of cancels, faults' neighbours and the longest prompts: no drift, no restart."""
    works = Works()
    watch = Watch(probe_every_s=0.005, patience_s=2, canary_every_s=0.01)
    async with supervised(works, watch) as (supervisor, first):
        first.token_s = 1e-6
        looked_at = supervisor.canary.checked_at
        for seed in range(10):
            sizes = (10, 500, 5_000, 262_143)
            calls = [
                asyncio.create_task(supervisor.judge(prompt(size, seed), LABELS))
                for size in sizes * 4
            ]
            await asyncio.sleep(0.01)
            for call in calls[::2]:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
        assert supervisor.canary.checked_at != looked_at
        assert supervisor.canary.drift == 0
        assert (supervisor.state, supervisor.restarts) == ("ready", 0)
