"""Who waits for what others compute: what it costs follows the engine's cache."""

from __future__ import annotations

import asyncio
import itertools
import random
from array import array
from dataclasses import dataclass, field

import pytest
from doors import counters, empty, standing, turns

from app.admission import BLOCK_TOKENS, Admission, Demand, Limits, Ticket, chain_of, in_parts, kin
from app.types import Priority, Verdict

K = BLOCK_TOKENS


def house(cache_blocks: int, window: int = 1, part_steps: float = 0.0) -> Admission:
    """Its pace stays as it is: what takes microseconds here would be believed to cost nothing."""
    admission = Admission(
        Limits(10**7, 10**9, 10**4, window, max(1, window // 2), part_steps, cache_blocks * K)
    )
    admission.pace._learn = admission.pace._clear_row  # type: ignore[method-assign]
    return admission


def prompt(issue: int, shared_blocks: int, own: int, blocks: int) -> array[int]:
    """So many blocks, of which the first are its issue's."""
    start = array("i", [issue]) * (shared_blocks * K)
    return start + array("i", [own]) * ((blocks - shared_blocks) * K)


@dataclass(eq=False)
class Guest:
    """One item, of the request `ticket` where it has others."""

    admission: Admission
    ids: array[int]
    name: str
    log: list[str]
    priority: Priority = "rollout"
    ticket: Ticket | None = None
    number: int = 0
    paid_tokens: int = 0
    stay: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        if self.ticket is None:
            self.ticket = request(self.admission, [self.ids], self.priority)
        demand = self.ticket.reserved(self.number)
        assert demand
        self.ticket.use(self.number)
        self.seat = self.ticket.seat(demand, divisible=True, chain=chain_of(self.ids))
        self.task = asyncio.create_task(in_parts(self.admission, self.seat, self._judge))

    async def _judge(self, tokens: int, _: Priority) -> Verdict:
        self.log.append(self.name)
        self.paid_tokens += self.seat.part.tokens
        await self.stay.wait()
        return Verdict({1: -1.0, 2: -1.0}, tokens, self.seat.part.cached_tokens, 0.1)


def request(
    admission: Admission, prompts: list[array[int]], priority: Priority = "rollout"
) -> Ticket:
    tokens = [len(ids) for ids in prompts]
    cached = admission.prefixes.expected([chain_of(ids) for ids in prompts], tokens)
    demands = {n: Demand.of(*sizes) for n, sizes in enumerate(zip(tokens, cached, strict=True))}
    return admission.enter(demands, standing(priority))


async def order_of(admission: Admission, prompts: dict[str, array[int]]) -> list[str]:
    """Who goes in after whom, when one who is longer than all of them goes first."""
    log: list[str] = []
    first = Guest(admission, prompt(99, 0, 99, 1), "first", log, "interactive")
    await turns()
    guests = [Guest(admission, ids, name, log) for name, ids in prompts.items()]
    await turns()
    first.stay.set()
    for guest in guests:
        guest.stay.set()
    await asyncio.gather(*(guest.task for guest in (first, *guests)))
    assert empty(admission)
    assert not len(admission._kin)
    return log[1:]


MIXED = {"b": prompt(2, 3, 20, 7), "a-long": prompt(1, 3, 11, 8), "a": prompt(1, 3, 10, 4)}


async def test_who_shares_what_went_in_costs_less_and_comes_sooner() -> None:
    assert await order_of(house(cache_blocks=100), MIXED) == ["a", "a-long", "b"]


async def test_where_the_engine_keeps_nothing_all_cost_what_they_are_long() -> None:
    assert await order_of(house(cache_blocks=0), MIXED) == ["a", "b", "a-long"]


async def test_what_the_cache_has_forgotten_costs_again() -> None:
    admission = house(cache_blocks=4)
    log: list[str] = []
    holder = Guest(admission, prompt(1, 3, 10, 4), "holder", log)
    await turns()
    kin = Guest(admission, prompt(1, 3, 11, 8), "kin", log)
    await turns()
    assert kin.seat.demand == Demand.of(8 * K, 3 * K)
    other = Guest(admission, prompt(2, 0, 20, 2), "other", log)
    await turns()
    holder.stay.set()
    await turns()
    assert log == ["holder", "other"]
    assert kin.seat.demand == Demand.of(8 * K, 2 * K), "two blocks are other's, ends went first"
    assert admission.waiting_tokens == 6 * K
    for guest in (kin, other):
        guest.stay.set()
    await asyncio.gather(kin.task, other.task)
    assert empty(admission)


async def test_what_a_group_shares_is_paid_once_whoever_goes_first() -> None:
    """Its request counts on its first item for what all share; the shortest goes first all the same."""
    admission, log = house(cache_blocks=100), list[str]()
    holder = Guest(admission, prompt(99, 0, 99, 1), "holder", log, "interactive")
    await turns()
    prompts = [prompt(1, 6, 10 + blocks, blocks) for blocks in (16, 11, 8)]
    ticket = request(admission, prompts)
    assert admission.waiting_tokens == (16 + 5 + 2) * K
    group = [
        Guest(admission, ids, str(n), log, "rollout", ticket, n) for n, ids in enumerate(prompts)
    ]
    await turns()
    holder.stay.set()
    for guest in group:
        guest.stay.set()
    await asyncio.gather(holder.task, *(guest.task for guest in group))
    assert log == ["holder", "2", "1", "0"]
    assert [guest.paid_tokens for guest in group] == [10 * K, 5 * K, 8 * K]
    assert empty(admission)


async def test_who_counted_on_one_who_left_pays_himself() -> None:
    admission, log = house(cache_blocks=100), list[str]()
    holder = Guest(admission, prompt(99, 0, 99, 1), "holder", log, "interactive")
    await turns()
    prompts = [prompt(1, 6, own, 8) for own in (10, 11)]
    ticket = request(admission, prompts)
    first, second = (
        Guest(admission, ids, "", log, "rollout", ticket, n) for n, ids in enumerate(prompts)
    )
    await turns()
    first.task.cancel()
    holder.stay.set()
    second.stay.set()
    await asyncio.gather(holder.task, second.task)
    assert second.paid_tokens == 8 * K
    assert empty(admission)


@pytest.mark.parametrize("seed", range(6))
async def test_books_balance_through_storms_of_kin(seed: int) -> None:
    """Random families, a cache that forgets, parts, clients that leave; at the end nothing is left, and in
    between no more waits than what waits."""
    chance = random.Random(seed)
    admission = house(cache_blocks=24, window=4 * K, part_steps=chance.choice([0.0, 1.0]))
    log: list[str] = []
    guests: list[Guest] = []
    own = itertools.count(100)
    for _ in range(120):
        shared, more = chance.randint(0, 8), chance.randint(1, 12)
        ids = prompt(chance.randint(1, 6), shared, next(own), shared + more)
        priority = chance.choice(["interactive", "rollout", "backfill"])
        guests.append(Guest(admission, ids, "", log, priority))
        await turns(chance.randint(0, 3))
        for guest in chance.sample(guests, min(4, len(guests))):
            guest.task.cancel() if chance.random() < 0.3 else guest.stay.set()
        await turns(4)
        seats = [g.seat for g in guests if g.seat in admission._lines]
        assert counters(admission)[2:] == (sum(s.demand.tokens for s in seats), len(seats))
        for seat in seats:
            known, tokens = admission.prefixes.known(seat.chain), len(seat.chain) * K
            if not seat.reserved_tokens:
                assert seat.demand == Demand.of(tokens, min(known * K, tokens - 1))
    for guest in guests:
        guest.stay.set()
    await asyncio.gather(*(guest.task for guest in guests), return_exceptions=True)
    assert empty(admission)
    assert not len(admission._kin)


async def test_a_crowd_behind_one_beginning_follows_in_bounded_bites(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kin, "_AT_ONCE", 3)
    admission, log = house(cache_blocks=100), list[str]()
    first = [Guest(admission, prompt(1, 2, own, 3), "", log, "interactive") for own in (1, 2)]
    await turns()
    crowd = [Guest(admission, prompt(1, 2, 10 + own, 6), "", log) for own in range(4)]
    await turns()
    assert [guest.seat.known_blocks for guest in crowd] == [2] * 4, "known when they came"
    late = [Guest(admission, prompt(2, 2, 10 + own, 6), "", log) for own in range(5)]
    await turns()
    first += [Guest(admission, prompt(2, 2, own, 3), "", log, "interactive") for own in (3, 4)]
    await turns()
    refit = []
    for guest in first:
        guest.stay.set()
        await turns()
        refit.append([guest.seat.known_blocks for guest in late].count(2))
    assert refit[:3] == [0, 3, 5]
    for guest in (*crowd, *late):
        guest.stay.set()
    await asyncio.gather(*(guest.task for guest in (*first, *crowd, *late)))
    assert empty(admission)
    assert not len(admission._kin)
