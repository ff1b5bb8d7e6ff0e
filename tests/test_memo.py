"""The memo: one computation for all who ask at once, and what was computed is remembered."""

from __future__ import annotations

import asyncio
import random
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from app.errors import EngineFailed
from app.memo import Memo, Mode, Told, Work
from app.types import Verdict

HOUR = 3600.0
VERDICT = Verdict((-0.1, -2.3), prompt_tokens=9, cached_tokens=4, engine_s=0.5)


@dataclass
class Clock:
    now: float = 50.0

    def __call__(self) -> float:
        return self.now


@dataclass(eq=False)
class Job:
    """Work that ends when told."""

    verdict: Verdict = VERDICT
    error: Exception | None = None
    may_end: asyncio.Event = field(default_factory=asyncio.Event)
    runs: int = 0
    ended: int = 0
    joined: list[Work] = field(default_factory=list)

    async def run(self) -> Verdict:
        self.runs += 1
        try:
            await self.may_end.wait()
        finally:
            self.ended += 1
        if self.error:
            raise self.error
        return self.verdict

    def joined_by(self, other: Work) -> None:
        self.joined.append(other)


def memo(limit_bytes: int = 10**6, clock: Callable[[], float] | None = None) -> Memo:
    return Memo(limit_bytes, HOUR, clock or Clock())


def done() -> Job:
    job = Job()
    job.may_end.set()
    return job


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_equals_share_one_computation_and_then_the_memo() -> None:
    shared = memo()
    jobs = [Job() for _ in range(8)]
    asked = [asyncio.create_task(shared.recall(b"k", job, "use")) for job in jobs]
    await turns()
    assert [job.runs for job in jobs] == [1] + [0] * 7
    assert jobs[0].joined == jobs[1:]
    assert shared.flying == 1
    jobs[0].may_end.set()
    told = await asyncio.gather(*asked)
    assert [each.source for each in told] == ["computed"] + ["shared"] * 7
    assert {each.verdict for each in told} == {VERDICT}
    assert (await shared.recall(b"k", Job(), "use")) == Told(VERDICT, "memo")
    assert shared.flying == 0
    assert len(shared) == 1


@pytest.mark.parametrize("leaving", [0, 3, 7])
async def test_one_who_leaves_takes_nothing_from_the_others(leaving: int) -> None:
    shared, job = memo(), Job()
    asked = [asyncio.create_task(shared.recall(b"k", job, "use")) for _ in range(8)]
    await turns()
    asked[leaving].cancel()
    await turns()
    assert job.ended == 0
    job.may_end.set()
    told = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(told.pop(leaving), asyncio.CancelledError)
    assert {each.verdict for each in told if isinstance(each, Told)} == {VERDICT}
    assert len(told) == 7


async def test_what_nobody_waits_for_is_dropped_and_may_be_asked_again() -> None:
    shared, job = memo(), Job()
    asked = [asyncio.create_task(shared.recall(b"k", job, "use")) for _ in range(3)]
    await turns()
    for each in asked:
        each.cancel()
    await asyncio.gather(*asked, return_exceptions=True)
    assert (job.ended, shared.flying, len(shared)) == (1, 0, 0)
    again = done()
    assert (await shared.recall(b"k", again, "use")).source == "computed"
    assert again.runs == 1


async def test_a_newcomer_never_joins_a_dying_computation() -> None:
    class Stubborn(Job):
        async def run(self) -> Verdict:
            try:
                return await super().run()
            except asyncio.CancelledError:
                await asyncio.sleep(0.01)
                raise

    shared, dying, fresh = memo(), Stubborn(), done()
    first = asyncio.create_task(shared.recall(b"k", dying, "use"))
    await turns()
    first.cancel()
    await turns(1)
    assert (await shared.recall(b"k", fresh, "use")).source == "computed"
    with pytest.raises(asyncio.CancelledError):
        await first
    assert len(shared) == 1


async def test_a_failure_is_everybodys_and_is_not_remembered() -> None:
    shared, job = memo(), Job(error=EngineFailed("no verdict"))
    asked = [asyncio.create_task(shared.recall(b"k", job, "use")) for _ in range(3)]
    await turns()
    job.may_end.set()
    told = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(each) for each in told] == [EngineFailed] * 3
    assert len(shared) == shared.flying == 0
    assert (await shared.recall(b"k", done(), "use")).source == "computed"


async def test_refresh_computes_again_and_off_leaves_no_trace() -> None:
    shared = memo()
    await shared.recall(b"k", done(), "use")
    newer = Job(verdict=Verdict((-9.0, -9.0), 9, 0, 0.1))
    newer.may_end.set()
    assert (await shared.recall(b"k", newer, "off")) == Told(newer.verdict, "computed")
    assert shared.peek(b"k") == VERDICT
    assert (await shared.recall(b"k", newer, "refresh")) == Told(newer.verdict, "computed")
    assert (await shared.recall(b"k", Job(), "use")) == Told(newer.verdict, "memo")
    both = [asyncio.create_task(shared.recall(b"z", done(), "off")) for _ in range(2)]
    assert [told.source for told in await asyncio.gather(*both)] == ["computed", "computed"]
    assert shared.peek(b"z") is None


@pytest.mark.parametrize(
    ("mode", "kept", "flying"),
    [("use", True, True), ("refresh", False, True), ("off", False, False)],
)
async def test_what_it_knows(mode: Mode, kept: bool, flying: bool) -> None:
    shared, job = memo(), Job()
    shared.keep(b"kept", VERDICT)
    task = asyncio.create_task(shared.recall(b"flying", job, "use"))
    await turns()
    known = [shared.knows(key, mode) for key in (b"kept", b"flying", b"neither")]
    assert known == [kept, flying, False]
    job.may_end.set()
    await task


def test_forgotten_by_age() -> None:
    clock = Clock()
    shared = memo(clock=clock)
    shared.keep(b"k", VERDICT)
    clock.now += HOUR - 1
    assert shared.peek(b"k") == VERDICT
    clock.now += 1
    assert shared.peek(b"k") is None
    assert (len(shared), shared.held_bytes) == (0, 0), "reading does not make it younger"


def test_forgotten_by_bytes_the_least_used_first() -> None:
    one = memo()
    one.keep(b"k", VERDICT)
    shared = memo(limit_bytes=3 * one.held_bytes)
    for key in (b"a", b"b", b"c"):
        shared.keep(key, VERDICT)
    assert shared.peek(b"a")
    shared.keep(b"d", VERDICT)
    assert [bool(shared.peek(key)) for key in (b"a", b"b", b"c", b"d")] == [True, False, True, True]
    shared.keep(b"d", VERDICT)
    assert len(shared) == 3
    nothing = memo(limit_bytes=0)
    nothing.keep(b"k", VERDICT)
    assert (len(nothing), nothing.held_bytes) == (0, 0)


def test_bytes_are_no_less_than_python_takes() -> None:
    shared = memo(limit_bytes=10**9)
    chance = random.Random(1)
    tracemalloc.start()
    for _ in range(5_000):
        logprobs = (chance.random(), chance.random())
        shared.keep(chance.randbytes(32), Verdict(logprobs, 10**5, 10**4, chance.random()))
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 0.5 * shared.held_bytes < taken <= shared.held_bytes


@pytest.mark.parametrize("seed", range(5))
async def test_no_storm_of_cancellations_leaves_anything(seed: int) -> None:
    """300 askers for 20 keys; most leave, some twice; all others are told what is right."""
    chance, shared = random.Random(seed), memo()
    jobs: list[Job] = []

    def ask() -> asyncio.Task[Told]:
        number = chance.randrange(20)
        job = Job(verdict=Verdict((-1.0, -2.0), number, 0, 0.0))
        jobs.append(job)
        asyncio.get_running_loop().call_later(chance.random() * 0.01, job.may_end.set)
        task = asyncio.create_task(shared.recall(bytes([number]), job, "refresh"))
        task.set_name(str(number))
        return task

    asked = []
    for _ in range(300):
        asked.append(ask())
        if chance.random() < 0.3:
            await asyncio.sleep(0)
        for _ in range(chance.randint(0, 2)):
            chance.choice(asked).cancel()
    async with asyncio.timeout(10):
        await asyncio.wait(asked)
    for task in asked:
        if not task.cancelled():
            assert task.result().verdict.prompt_tokens == int(task.get_name())
    await turns()
    assert shared.flying == 0
    assert all(job.runs == job.ended for job in jobs), "nothing runs on"
    assert all(job.runs <= 1 for job in jobs)
