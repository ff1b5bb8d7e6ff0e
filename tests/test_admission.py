"""The door: whole or not at all, and no token lost in any storm."""

from __future__ import annotations

import asyncio
import random
import time

import pytest
from doors import BUDGET, Clock, Guest, counters, door, empty, enter, standing, ticket, turns
from hypothesis import given, settings
from hypothesis import strategies as st

from app.admission import CLASSES, Demand, Ticket
from app.errors import Deadline, Overloaded, TooLong


async def test_who_leaves_the_head_of_the_line_lets_the_next_in_at_once() -> None:
    admission, inside = door(), []
    first, *_ = enter(admission, [100], inside)
    await turns()
    big, small, last = enter(admission, [50, 60, 60], inside)
    first.leave.set()
    await turns()
    assert inside == [first, big], "60 more are over the budget"
    small.task.cancel()
    big.task.cancel()
    await turns()
    assert inside == [first, big, last]
    last.task.cancel()
    await turns()
    assert empty(admission)


@pytest.mark.parametrize("how", ["leaves normally", "fails", "is cancelled"])
async def test_granted_and_cancelled_in_the_same_turn(how: str) -> None:
    """The seat of one that was let in but never came passes on to the next."""
    admission, inside = door(), []
    first, second, third = enter(admission, [100, 100, 100], inside)
    await turns()
    first.fails = how == "fails"
    first.then = second.task.cancel
    if how == "is cancelled":
        first.task.cancel()
    else:
        first.leave.set()
    await turns()
    assert second.task.cancelled()
    assert inside == [first, third]
    third.leave.set()
    await turns()
    assert empty(admission)


async def test_a_request_is_refused_whole_and_the_newcomer_is_counted() -> None:
    admission = door(tokens=100, items=3)
    ticket(admission, [40, 40])
    for sizes, measured, allowed in (([10, 11], 101, 100), ([1, 1], 4, 3)):
        with pytest.raises(Overloaded) as caught:
            ticket(admission, sizes)
        assert caught.value.limits == {"measured": measured, "allowed": allowed}
        assert 1 <= (caught.value.retry_after_s or 0) <= 60
        assert counters(admission) == (0, 0, 80, 2), "nothing of a refused request stays"
    ticket(admission, [20])
    assert counters(admission) == (0, 0, 100, 3), "the limit itself may be reached"
    ticket(admission, [])
    assert counters(admission) == (0, 0, 100, 3), "what costs nothing is never refused"


def test_what_never_fits_is_refused_not_queued() -> None:
    door().check_size(BUDGET)
    with pytest.raises(TooLong) as caught:
        door().check_size(BUDGET + 1)
    assert caught.value.limits == {"measured": 101, "allowed": 100}


async def test_closing_a_ticket_gives_back_what_nobody_took_up() -> None:
    admission, inside = door(), []
    taken = ticket(admission, [60, 30, 5])
    guest = Guest(taken, 0, Demand.of(60), inside)
    await turns()
    assert counters(admission) == (60, 1, 35, 2)
    taken.close()
    taken.close()
    assert counters(admission) == (60, 1, 0, 0)
    guest.leave.set()
    await turns()
    assert empty(admission)


async def test_who_waits_is_counted_until_he_leaves_even_if_his_ticket_is_closed() -> None:
    """A request that is cancelled twice cannot wait for its items, and one may outlive its request."""
    admission, inside = door(), []
    holder, *_ = enter(admission, [100], inside)
    waiting = enter(admission, [50, 50, 50], inside)
    await turns()
    waiting[0].ticket.close()
    assert counters(admission) == (100, 1, 150, 3)
    waiting[0].task.cancel()
    holder.leave.set()
    await turns()
    assert counters(admission) == (100, 2, 0, 0)
    for guest in waiting:
        guest.leave.set()
    await turns()
    assert empty(admission)


async def test_a_seat_whose_time_is_over_does_not_go_in() -> None:
    clock = Clock()
    admission, inside = door(clock=clock), []
    holder, *_ = enter(admission, [100], inside)
    late, *_ = enter(admission, [10], inside, standing(deadline=clock.now + 5))
    good, *_ = enter(admission, [20], inside, standing(deadline=clock.now + 50))
    await turns()
    clock.now += 5
    holder.leave.set()
    await turns()
    assert inside == [holder, good]
    with pytest.raises(Deadline):
        await late.task
    good.leave.set()
    await turns()
    assert empty(admission)


ACTIONS = ("enter", "enter", "leave", "leave", "fail", "cancel", "cancel", "close", "hurry", "turn")


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_no_storm_leaks_a_token(seed: int) -> None:
    asyncio.run(storm(random.Random(seed)))


async def storm(chance: random.Random) -> None:
    admission = door(100_000, tokens=400_000, items=12, window=chance.choice([1, 50_000, 100_000]))
    inside: list[Guest] = []
    everyone: list[Guest] = []
    tickets: list[Ticket] = []
    for _ in range(120):
        guest = chance.choice(everyone) if everyone else None
        who = standing(chance.choice(CLASSES), chance.choice("ab"))
        match chance.choice(ACTIONS):
            case "enter":
                sizes = [chance.randint(0, 99) * 1000 + 1 for _ in range(chance.randint(1, 4))]
                try:
                    guests = enter(admission, sizes, inside, who, chance.choice([1, 2, 9]))
                except Overloaded:
                    continue
                everyone += guests
                tickets.append(guests[0].ticket)
            case "leave" if inside:
                chance.choice(inside).leave.set()
            case "fail" if inside:
                one = chance.choice(inside)
                one.fails = True
                one.leave.set()
            case "cancel" if guest:
                guest.task.cancel()
            case "hurry" if guest:
                admission.hurry(guest.seat, who)
            case "close" if tickets and chance.random() < 0.2:
                chance.choice(tickets).close()
            case _:
                await turns(chance.randint(1, 3))
        assert 0 <= admission.inside_tokens <= 100_000
        assert admission.waiting_tokens >= 0
        assert admission.waiting_items >= 0
    await turns()
    waiting = [g for g in everyone if g not in inside and not g.task.done()]
    busy = [g for g in inside if not g.task.done()]
    assert admission.inside_tokens == sum(g.tokens for g in busy)
    assert not waiting or busy, "no wake-up was lost"
    for one in everyone:
        one.leave.set()
    await asyncio.wait_for(asyncio.gather(*(g.task for g in everyone), return_exceptions=True), 5)
    for each in tickets:
        each.close()
    assert empty(admission)
    assert all(g in inside for g in everyone if not g.task.cancelled()), "no waiter was lost"


async def test_five_storms_of_three_hundred() -> None:
    admission, inside = door(100, tokens=10**6, items=10**4), []
    chance = random.Random(5)
    for _ in range(5):
        guests = [
            guest
            for _ in range(100)
            for guest in enter(admission, [chance.randint(1, 100) for _ in range(3)], inside)
        ]
        await turns(2)
        for guest in chance.sample(guests, len(guests)):
            guest.task.cancel()
        await asyncio.wait([guest.task for guest in guests])
        assert empty(admission)


async def test_a_long_line_may_leave_in_any_order() -> None:
    """The loop does not stall when late comers of a long line leave."""
    admission, inside = door(tokens=10**9, items=10**6), []
    holder, *_ = enter(admission, [100], inside)
    await turns()
    line = enter(admission, [1] * 16_000, inside)
    await turns(2)
    started = time.process_time()  # not the clock on the wall: others work here too
    for guest in reversed(line):
        guest.task.cancel()
    await turns(3)
    assert time.process_time() - started < 2
    assert counters(admission) == (100, 1, 0, 0)
    holder.leave.set()
    await turns()
    assert empty(admission)
