"""One prompt on its way to the engine: the memo's work, which waits at the door for its room."""

from __future__ import annotations

from dataclasses import dataclass

from app.admission import Admission, Demand, Seat, Ticket, in_parts
from app.engine import Engine
from app.memo import Work
from app.scorer.facts import Prepared
from app.types import Labels, Priority, Verdict


@dataclass(frozen=True, slots=True)
class Way:
    """What every prompt passes."""

    admission: Admission
    engine: Engine
    labels: Labels


class Asking:
    """Item `number` of a request. It may outlive the request, when another waits for it too."""

    def __init__(self, way: Way, ticket: Ticket, number: int, prepared: Prepared) -> None:
        self._way = way
        self._ticket = ticket
        self._number = number
        self._prepared = prepared
        tokens, reserve = len(prepared.prompt.ids), ticket.reserved(number)
        # The reserve counts the steps of an item, too: they have a seat of their own later.
        demand = Demand.of(tokens, reserve.cached_tokens if reserve else 0, step_of(prepared))
        keeps = way.engine.facts.keeps_prefixes
        self.seat: Seat = ticket.seat(demand, divisible=keeps, chain=prepared.chain)

    async def run(self) -> Verdict:
        self._ticket.use(self._number)
        way, ids = self._way, self._prepared.prompt.ids

        async def judge(tokens: int, priority: Priority) -> Verdict:
            first = ids if tokens == len(ids) else ids[:tokens]
            return await way.engine.judge(first, way.labels, priority)

        return await in_parts(way.admission, self.seat, judge)

    def joined_by(self, other: Work) -> None:
        if isinstance(other, Asking):
            self._way.admission.hurry(self.seat, other.seat.standing)


def step_of(prepared: Prepared) -> float:
    """The policy step, as the order of work knows it: who names none comes after who does."""
    return float("inf") if prepared.policy_step is None else prepared.policy_step
