"""Who is next: classes, keys, steps, sizes, and what those earn who are passed over."""

from __future__ import annotations

import asyncio
import random

import pytest
from doors import Clock, Guest, counters, door, empty, enter, standing, turns

from app.admission import Admission, capped
from app.admission.lines import CLASS_SHARE, OLDEST_SHARE
from app.types import Priority
from bench.virtual import run


async def order_of(admission: Admission, guests: list[Guest], inside: list[Guest]) -> list[Guest]:
    """Lets one after the other go; who went in, in order."""
    served: list[Guest] = []
    for _ in range(len(guests)):
        await turns()
        now = [g for g in inside if g not in served]
        served += now
        for guest in now:
            guest.leave.set()
    await turns()
    assert empty(admission)
    return [g for g in served if g in guests]


async def held(admission: Admission, inside: list[Guest]) -> Guest:
    """Fills the window, so that all who come wait."""
    (holder,) = enter(admission, [admission.limits.inside_tokens], inside, standing("interactive"))
    await turns()
    return holder


async def test_classes_then_steps_then_size() -> None:
    admission, inside = door(window=1), []
    holder = await held(admission, inside)
    long, short = enter(admission, [90, 20], inside)
    late = enter(admission, [1], inside, step=9)
    early = enter(admission, [50], inside, step=8)
    back = enter(admission, [90], inside, standing("backfill"))
    urgent = enter(admission, [80], inside, standing("interactive"))
    await turns()
    holder.leave.set()
    guests = [long, short, *late, *early, *back, *urgent]
    found = await order_of(admission, guests, inside)
    assert found == [*urgent, *early, *late, short, long, *back]
    assert urgent[0].priority == "interactive"
    assert back[0].priority == "backfill"


@pytest.mark.parametrize(("left_s", "place"), [(2.5, 4), (1.0, 0)])
async def test_shorter_work_goes_ahead_unless_it_makes_somebody_late(
    left_s: float, place: int
) -> None:
    clock = Clock()
    admission, inside = door(window=1, clock=clock), []
    admission.pace._token_s, admission.pace._pair_s = 0.01, 0.0
    holder = await held(admission, inside)
    (due,) = enter(admission, [90], inside, standing(deadline=clock.now + left_s))
    short = enter(admission, [20] * 4, inside, standing(deadline=clock.now + 60))
    await turns()
    holder.leave.set()
    found = await order_of(admission, [due, *short], inside)
    assert found.index(due) == place


async def test_the_window_is_kept_just_full_but_open_to_the_more_urgent() -> None:
    admission, inside = door(inside=1_000, window=100), []
    bulk = enter(admission, [60] * 9, inside)
    await turns()
    assert counters(admission)[:2] == (120, 2), (
        "full is full; the rest waits where it can be ordered"
    )
    urgent = enter(admission, [60] * 8, inside, standing("interactive"))
    await turns()
    assert [g in inside for g in urgent].count(True) == 2, "who is more urgent finds it empty"
    bulk[0].leave.set()
    await turns()
    assert counters(admission)[1] == 3, "the place of bulk goes to nobody: urgent work fills it"
    for guest in (*bulk, *urgent):
        guest.leave.set()
    await turns(40)
    assert empty(admission)


@pytest.mark.parametrize("learnt", [True, False])
def test_the_next_goes_in_before_one_longer_than_the_window_is_finished(learnt: bool) -> None:
    async def scene() -> None:
        admission = door(inside=1_000, window=100, clock=asyncio.get_running_loop().time)
        inside: list[Guest] = []
        if learnt:
            await hundred_tokens_a_second(admission)
        guests = enter(admission, [160] * 4, inside)
        await asyncio.sleep(1.0)
        assert inside == guests[:1], "60 tokens are left of it"
        await asyncio.sleep(0.2)
        assert inside == guests[: 1 + learnt], "40 are, less than a step"
        await asyncio.sleep(60)
        assert inside == guests[: 1 + learnt], "what takes longer than expected makes no more room"
        admission.finished(160, 0)
        guests[0].leave.set()
        await asyncio.sleep(0.1)
        assert inside == guests[:2], "the next has not been worked on"
        for guest in guests[2:]:
            guest.task.cancel()
        await asyncio.sleep(10)
        assert admission._again is None
        guests[1].leave.set()
        await asyncio.sleep(1)
        assert empty(admission)

    run(scene())


async def hundred_tokens_a_second(admission: Admission) -> None:
    for _ in range(8):
        admission.pace.begin()
        await asyncio.sleep(1)
        admission.finished(100, 0)
    admission.pace.idle()


@pytest.mark.parametrize("how", ["it came late", "another left"])
def test_no_time_is_counted_that_the_first_has_not_had(how: str) -> None:
    async def scene() -> None:
        admission = door(inside=1_000, window=100, clock=asyncio.get_running_loop().time)
        inside: list[Guest] = []
        await hundred_tokens_a_second(admission)
        if how == "it came late":
            before = enter(admission, [160], inside)
            await asyncio.sleep(1.4)
            guests = enter(admission, [160] * 3, inside, standing("interactive"))
        else:
            before = enter(admission, [160], inside)
            guests = enter(admission, [160] * 3, inside)
            await asyncio.sleep(60)
            before[0].task.cancel()
        await asyncio.sleep(0.1)
        assert [guest in inside for guest in guests] == [True, False, False]
        for guest in (*before, *guests):
            guest.task.cancel()
        await asyncio.sleep(1)
        assert empty(admission)

    run(scene())


async def test_keys_have_fair_shares_of_tokens() -> None:
    """One key floods; another brings a tenth. Both get the same share while both wait."""
    admission, inside = door(window=1), []
    holder = await held(admission, inside)
    flood = enter(admission, [10] * 200, inside, standing(key_id="flood"))
    few = enter(admission, [20] * 10, inside, standing(key_id="few"))
    await turns()
    holder.leave.set()
    found = await order_of(admission, [*flood, *few], inside)
    until = found.index(next(g for g in reversed(found) if g in few)) + 1
    flooded = sum(g.tokens for g in found[:until] if g in flood)
    assert abs(flooded - 200) <= 20, "as many tokens for the one as for the other"


async def test_silence_is_not_saved_up() -> None:
    admission, inside = door(window=1), []
    holder = await held(admission, inside)
    busy = enter(admission, [10] * 50, inside, standing(key_id="busy"))
    await turns()
    holder.leave.set()
    for guest in busy[:30]:
        guest.leave.set()
    await turns(80)
    late = enter(admission, [10] * 20, inside, standing(key_id="late"))
    await turns()
    for guest in busy:
        guest.leave.set()
    found = await order_of(admission, [*busy, *late], inside)
    tail = [g in late for g in found[31:51]]
    assert 8 <= tail.count(True) <= 12, "the late one does not make up for what he did not ask"


@pytest.mark.parametrize(("asked", "ceiling", "granted"), [
    ("interactive", "rollout", "rollout"), ("backfill", "rollout", "backfill"),
    ("interactive", "interactive", "interactive"), ("rollout", "backfill", "backfill"),
])  # fmt: skip
def test_a_key_may_have_a_ceiling(asked: Priority, ceiling: Priority, granted: Priority) -> None:
    assert capped(asked, ceiling) == granted


async def endless(admission: Admission, inside: list[Guest], victim: Guest, **how: object) -> float:
    """Short items never cease to come; the work that is given before the victim is let in."""
    given = 0.0
    for served in range(20_000):
        enter(admission, [1], inside, **how)  # type: ignore[arg-type]
        await turns(2)
        if inside[served] is victim:
            return given
        given += inside[served].tokens
        inside[served].leave.set()
        await turns(3)
    message = "starved"
    raise AssertionError(message)


async def test_the_longest_item_is_passed_by_no_more_than_the_stated_share() -> None:
    admission, inside = door(window=1, tokens=10**9, items=10**6), []
    holder = await held(admission, inside)
    (long,) = enter(admission, [100], inside)
    enter(admission, [1] * 4, inside)
    await turns()
    given = await endless(admission, inside, long) - holder.tokens
    one = admission.pace.seconds(1, 1) / admission.pace.seconds(100, 10_000)
    assert given * one <= 1 / OLDEST_SHARE + 2 * one
    assert given * one >= 0.8 / OLDEST_SHARE, "and it does not get more than its share either"


async def test_the_least_urgent_class_gets_its_share() -> None:
    admission, inside = door(window=1, tokens=10**9, items=10**6), []
    holder = await held(admission, inside)
    (back,) = enter(admission, [10], inside, standing("backfill"))
    enter(admission, [1] * 4, inside, standing("interactive"))
    await turns()
    given = await endless(admission, inside, back, who=standing("interactive")) - holder.tokens
    one = admission.pace.seconds(1, 1) / admission.pace.seconds(10, 100)
    assert given * one <= 1 / CLASS_SHARE + 2 * one
    assert back.priority == "interactive", "or the engine would let it wait after all"


async def test_an_item_that_is_wanted_more_urgently_moves_up() -> None:
    admission, inside = door(window=1), []
    holder = await held(admission, inside)
    (slow,) = enter(admission, [50], inside, standing("backfill", deadline=2_000.0))
    (other,) = enter(admission, [10], inside)
    await turns()
    admission.hurry(slow.seat, standing("interactive", deadline=1_000.0))
    assert slow.seat.standing == standing("interactive", deadline=2_000.0), "the better of both"
    admission.hurry(slow.seat, standing("backfill", key_id="z"))
    assert slow.seat.standing == standing("interactive", deadline=1e18)
    holder.leave.set()
    assert await order_of(admission, [slow, other], inside) == [slow, other]


async def test_two_thousand_at_once() -> None:
    admission, inside = door(inside=10**6, window=100, tokens=10**9, items=10**4), []
    chance = random.Random(3)
    sizes = [chance.choice([1, 1, 1, 1, 32]) for _ in range(2_000)]
    guests = enter(admission, sizes, inside)
    for guest in guests:
        guest.leave.set()
    await turns(5_000)
    assert len(inside) == 2_000
    assert empty(admission)


async def test_beside_a_giant_the_short_ones_go_on() -> None:
    """256k tokens take a minute: shorter work shares the engine's steps with it, a second one waits."""
    admission, inside = door(inside=10_000, window=100), []
    giant, *_ = enter(admission, [1_000], inside)
    await turns()
    small = enter(admission, [30] * 4, inside)
    second, *_ = enter(admission, [1_000], inside)
    await turns()
    assert inside == [giant, *small[:2]], "half a window of them"
    for guest in small:
        guest.leave.set()
    await turns(20)
    assert inside == [giant, *small]
    giant.leave.set()
    await turns()
    assert inside[-1] is second
    second.leave.set()
    await turns()
    assert empty(admission)
