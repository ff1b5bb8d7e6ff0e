"""A long item goes in by parts: others go between them, and nothing is lost on the way."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from doors import Clock, Guest, counters, enter, standing, turns
from hypothesis import given, settings
from hypothesis import strategies as st

from app.admission import Admission, Demand, Limits, Seat, in_parts
from app.errors import EngineFailed
from app.types import Priority, Verdict

WINDOW = 2_048
LONG = 16_000
_FAILED = "on request"


@dataclass
class Cache:
    """An engine that keeps what it computed of one prompt, unless told to forget."""

    steps: list[tuple[int, Priority]] = field(default_factory=list)
    go: asyncio.Event = field(default_factory=asyncio.Event)
    kept_tokens: int = 0
    fails: bool = False
    forgets: bool = False

    async def judge(self, tokens: int, priority: Priority) -> Verdict:
        self.steps.append((tokens, priority))
        cached_tokens = min(self.kept_tokens, tokens - 1)
        await self.go.wait()
        if self.fails:
            raise EngineFailed(_FAILED)
        self.kept_tokens = 0 if self.forgets else tokens
        return Verdict({1: -0.7, 2: -0.7}, tokens, cached_tokens, 1.0)


def door(inside: int = 100_000, part_steps: float = 1.0) -> Admission:
    return Admission(Limits(inside, 10**6, 10**4, WINDOW, WINDOW // 2, part_steps), Clock())


def long_seat(admission: Admission, tokens: int = LONG, priority: Priority = "rollout") -> Seat:
    ticket = admission.enter({0: Demand.of(tokens)}, standing(priority))
    ticket.use(0)
    return ticket.seat(Demand.of(tokens), divisible=True)


def begin(admission: Admission, cache: Cache, seat: Seat) -> asyncio.Task[Verdict]:
    return asyncio.create_task(in_parts(admission, seat, cache.judge))


def assert_nothing_is_left(admission: Admission) -> None:
    assert counters(admission) == (0, 0, 0, 0)
    assert not len(admission._lines)
    assert not admission._inside.divided
    assert admission._inside.reserved_tokens == 0


async def test_the_parts_of_an_item_are_its_whole() -> None:
    admission, cache = door(), Cache()
    cache.go.set()
    verdict = await begin(admission, cache, long_seat(admission))
    ends = [tokens for tokens, _ in cache.steps]
    assert len(ends) > 10
    assert ends == sorted(set(ends))
    assert ends[-1] == LONG
    assert all(end % 128 == 0 for end in ends[:-1])
    assert max(b - a for a, b in pairwise([0, *ends[:-1]])) <= WINDOW // 4
    assert (verdict.prompt_tokens, verdict.cached_tokens) == (LONG, 0)
    assert verdict.engine_s == len(ends)
    assert_nothing_is_left(admission)


@pytest.mark.parametrize(("divisible", "part_steps"), [(False, 1.0), (True, 0.0)])
async def test_an_item_goes_in_whole_where_nothing_is_kept(
    divisible: bool, part_steps: float
) -> None:
    admission, cache = door(part_steps=part_steps), Cache()
    cache.go.set()
    seat = long_seat(admission)
    seat = Seat(seat.demand, seat.standing, divisible)
    await in_parts(admission, seat, cache.judge)
    assert [tokens for tokens, _ in cache.steps] == [LONG]


@pytest.mark.parametrize("part_steps", [2e-6, 2e-3, 0.2])
@pytest.mark.parametrize("window", [1, 64, 16_384])
@pytest.mark.parametrize("tokens", [1, 100, 600, 5_000])
async def test_a_part_is_never_more_than_there_is(
    part_steps: float, window: int, tokens: int
) -> None:
    limits = Limits(10**6, 10**6, 100, window, window // 2, part_steps)
    admission, cache = Admission(limits, Clock()), Cache()
    cache.go.set()
    verdict = await begin(admission, cache, long_seat(admission, tokens))
    assert (verdict.prompt_tokens, verdict.cached_tokens) == (tokens, 0)
    assert [end for end, _ in cache.steps] == sorted({end for end, _ in cache.steps})
    assert_nothing_is_left(admission)


async def test_short_items_go_between_the_parts() -> None:
    admission, cache, inside = door(), Cache(), list[Guest]()
    task = begin(admission, cache, long_seat(admission))
    await turns()
    shorts = enter(admission, [300] * 12, inside)
    await turns()
    assert 0 < len(inside) < 12, "half a window beside the long one"
    for short in shorts:
        short.leave.set()
        await turns()
    assert len(inside) == 12
    assert len(cache.steps) == 1
    cache.go.set()
    await task
    assert_nothing_is_left(admission)


async def test_what_is_left_counts_as_work_to_come() -> None:
    admission, cache = door(), Cache()
    whole_s = admission.pace.cost_s(Demand.of(LONG))
    task = begin(admission, cache, long_seat(admission))
    await turns()
    assert admission.inside_tokens <= WINDOW // 4
    assert admission.backlog_s() == pytest.approx(whole_s, rel=0.05)
    short, larger = (
        admission.predicted_s({0: Demand.of(n)}, standing(deadline=1e17)) for n in (100, LONG)
    )
    assert short < whole_s < larger
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert_nothing_is_left(admission)


async def test_a_second_long_one_begins_when_the_cache_has_room_for_both() -> None:
    admission, first, second = door(inside=LONG + LONG // 2), Cache(), Cache()
    tasks = [begin(admission, cache, long_seat(admission)) for cache in (first, second)]
    await turns()
    first.go.set()
    await tasks[0]
    assert len(second.steps) == 1
    second.go.set()
    await tasks[1]
    assert_nothing_is_left(admission)


async def test_the_rest_goes_in_whole_where_the_cache_forgot() -> None:
    admission, cache = door(), Cache(forgets=True)
    cache.go.set()
    verdict = await begin(admission, cache, long_seat(admission))
    assert [tokens for tokens, _ in cache.steps] == [512, 1_024, LONG]
    assert verdict.cached_tokens == 0, "more was computed than it is long"
    assert_nothing_is_left(admission)


async def test_a_part_that_fails_ends_the_item() -> None:
    admission, cache = door(), Cache(fails=True)
    cache.go.set()
    with pytest.raises(EngineFailed):
        await begin(admission, cache, long_seat(admission))
    assert_nothing_is_left(admission)


async def test_who_joins_is_heeded_from_the_next_part_on() -> None:
    admission, cache = door(), Cache()
    seat = long_seat(admission, priority="backfill")
    task = begin(admission, cache, seat)
    await turns()
    admission.hurry(seat, standing("interactive", deadline=1e6))
    admission.hurry(seat, standing("backfill", deadline=5e5))
    assert seat.wish == standing("interactive", deadline=1e18)
    cache.go.set()
    await task
    classes = [priority for _, priority in cache.steps]
    assert (classes[0], set(classes[1:])) == ("backfill", {"interactive"})
    assert_nothing_is_left(admission)


@given(
    seed=st.integers(0, 2**32),
    sizes=st.lists(st.integers(1, 20_000), min_size=1, max_size=12),
    window=st.integers(64, 4_096),
)
@settings(max_examples=60, deadline=None)
async def test_no_storm_leaves_anything_behind(seed: int, sizes: list[int], window: int) -> None:
    chance = random.Random(seed)
    admission = Admission(Limits(30_000, 10**6, 10**4, window, window // 2, 1.0), Clock())

    async def judge(tokens: int, priority: Priority) -> Verdict:
        await asyncio.sleep(0)
        if chance.random() < 0.02:
            raise EngineFailed(_FAILED)
        return Verdict({1: -0.7, 2: -0.7}, tokens, chance.randrange(tokens), 0.0)

    seats = [long_seat(admission, size, chance.choice(["rollout", "backfill"])) for size in sizes]
    tasks = [asyncio.create_task(in_parts(admission, seat, judge)) for seat in seats]
    for task in tasks:
        await turns(chance.randrange(40))
        if chance.random() < 0.3:
            task.cancel()
    found = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 30)
    assert all(isinstance(f, Verdict | EngineFailed | asyncio.CancelledError) for f in found)
    assert_nothing_is_left(admission)


@given(cached=st.integers(0, 10**6), more=st.integers(1, 10**6), part=st.integers(1, 10**6))
def test_a_demand_and_its_parts(cached: int, more: int, part: int) -> None:
    demand = Demand.of(cached + more, cached, 3.0)
    assert (demand.cached_tokens, demand.prompt_tokens) == (cached, cached + more)
    if part < more:
        first = demand.first(part)
        assert first == Demand.of(cached + part, cached, 3.0)
        assert demand.after(first) == Demand.of(cached + more, cached + part, 3.0)
