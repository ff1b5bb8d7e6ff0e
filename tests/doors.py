"""Guests at the door: items that say when they are inside, and leave when told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from app.admission import Admission, Demand, Limits, Standing, Ticket
from app.types import Priority

BUDGET = 100


@dataclass
class Clock:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


def door(
    inside: int = BUDGET,
    tokens: int = 10_000,
    items: int = 1_000,
    window: int | None = None,
    clock: Callable[[], float] | None = None,
) -> Admission:
    window = window or inside
    limits = Limits(inside, tokens, items, window, max(1, window // 2))
    return Admission(limits, clock) if clock else Admission(limits)


async def turns(count: int = 8) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def counters(admission: Admission) -> tuple[int, int, int, int]:
    return (
        admission.inside_tokens,
        admission.inside_items,
        admission.waiting_tokens,
        admission.waiting_items,
    )


def empty(admission: Admission) -> bool:
    """Nothing stays: no counter, no line, no trace of anyone who left."""
    lines = any(each.lines for each in admission._lines.classes)
    return counters(admission) == (0, 0, 0, 0) and not len(admission._lines) and not lines


class Failed(Exception):
    """What may happen inside."""


@dataclass(eq=False)
class Guest:
    """One item of a request."""

    ticket: Ticket
    number: int
    demand: Demand
    inside: list[Guest]
    leave: asyncio.Event = field(default_factory=asyncio.Event)
    fails: bool = False
    then: Callable[[], object] | None = None
    priority: Priority | None = None
    task: asyncio.Task[None] = field(init=False)

    def __post_init__(self) -> None:
        self.seat = self.ticket.seat(self.demand)
        self.task = asyncio.create_task(self._visit())

    @property
    def tokens(self) -> int:
        return self.demand.tokens

    async def _visit(self) -> None:
        self.ticket.use(self.number)
        try:
            async with self.ticket.admission.room(self.seat) as self.priority:
                self.inside.append(self)
                await self.leave.wait()
                if self.fails:
                    raise Failed
        except Failed:
            pass
        finally:
            if self.then:
                self.then()


def standing(priority: Priority = "rollout", key_id: str = "k", deadline: float = 1e18) -> Standing:
    return Standing(priority, key_id, deadline)


def ticket(admission: Admission, sizes: Sequence[int], who: Standing | None = None) -> Ticket:
    demands = {number: Demand.of(size) for number, size in enumerate(sizes)}
    return admission.enter(demands, who or standing())


def enter(
    admission: Admission,
    sizes: Sequence[int],
    inside: list[Guest],
    who: Standing | None = None,
    step: float = float("inf"),
) -> list[Guest]:
    demands = {number: Demand.of(size, 0, step) for number, size in enumerate(sizes)}
    taken = admission.enter(demands, who or standing())
    return [Guest(taken, number, demand, inside) for number, demand in demands.items()]
