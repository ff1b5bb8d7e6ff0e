"""Who waits for what others compute: what it costs follows the engine's cache."""

from __future__ import annotations

import asyncio
import itertools
import random
from array import array
from dataclasses import dataclass, field

import pytest
from doors import counters, empty, standing, turns

from app.admission import BLOCK_TOKENS, Admission, Demand, Limits, chain_of
from app.types import Priority

K = BLOCK_TOKENS


def house(cache_blocks: int, window: int = 1, part_windows: float = 0.0) -> Admission:
    return Admission(Limits(10**7, 10**9, 10**4, window, part_windows, cache_blocks * K))


def prompt(issue: int, shared_blocks: int, own: int, blocks: int) -> array[int]:
    """So many blocks, of which the first are its issue's."""
    start = array("i", [issue]) * (shared_blocks * K)
    return start + array("i", [own]) * ((blocks - shared_blocks) * K)


@dataclass(eq=False)
class Guest:
    admission: Admission
    ids: array[int]
    name: str
    log: list[str]
    priority: Priority = "rollout"
    stay: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        chain, tokens = chain_of(self.ids), len(self.ids)
        (cached,) = self.admission.prefixes.expected([chain], [tokens])
        demand = Demand.of(tokens, cached)
        ticket = self.admission.enter({0: demand}, standing(self.priority))
        ticket.use(0)
        self.seat = ticket.seat(demand, chain=chain)
        self.task = asyncio.create_task(self._visit())

    async def _visit(self) -> None:
        async with self.admission.room(self.seat):
            self.log.append(self.name)
            await self.stay.wait()


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


async def test_one_request_expects_of_its_later_items_what_its_first_computes() -> None:
    admission = house(cache_blocks=100)
    prompts = [prompt(1, 6, own, 8) for own in (10, 11, 12)]
    chains = [chain_of(ids) for ids in prompts]
    assert admission.prefixes.expected(chains, [8 * K] * 3) == [0, 6 * K, 6 * K]


@pytest.mark.parametrize("seed", range(6))
async def test_books_balance_through_storms_of_kin(seed: int) -> None:
    """Random families, a cache that forgets, parts, clients that leave; at the end nothing is left, and in
    between no more waits than what waits."""
    chance = random.Random(seed)
    admission = house(cache_blocks=24, window=4 * K, part_windows=chance.choice([0.0, 0.5]))
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
            known = admission.prefixes.known(seat.chain)
            assert seat.demand == Demand.of(
                len(seat.chain) * K, min(known * K, len(seat.chain) * K - 1)
            )
    for guest in guests:
        guest.stay.set()
    await asyncio.gather(*(guest.task for guest in guests), return_exceptions=True)
    assert empty(admission)
    assert not len(admission._kin)
