"""One prompt on its way to the engine: the memo's work, which waits at the door for its room."""

from __future__ import annotations

from dataclasses import dataclass

from app.admission import Admission, Demand, Prefixes, Seat, Ticket
from app.engine import Engine
from app.memo import Work
from app.scorer.facts import Prepared
from app.types import Labels, Verdict


@dataclass(frozen=True, slots=True)
class Way:
    """What every prompt passes."""

    admission: Admission
    prefixes: Prefixes
    engine: Engine
    labels: Labels


class Asking:
    """Item `number` of a request. It may outlive the request, when another waits for it too."""

    def __init__(self, way: Way, ticket: Ticket, number: int, prepared: Prepared) -> None:
        self._way = way
        self._ticket = ticket
        self._number = number
        self._prepared = prepared
        whole = Demand.of(len(prepared.prompt.ids), 0, step_of(prepared))
        self.seat: Seat = ticket.seat(ticket.reserved(number) or whole)

    async def run(self) -> Verdict:
        self._ticket.use(self._number)
        way, prepared = self._way, self._prepared
        async with way.admission.room(self.seat) as priority:
            verdict = await way.engine.judge(prepared.prompt.ids, way.labels, priority)
            way.admission.finished(verdict.prompt_tokens, verdict.cached_tokens)
        way.prefixes.remember(prepared.chain)
        return verdict

    def joined_by(self, other: Work) -> None:
        if isinstance(other, Asking):
            self._way.admission.hurry(self.seat, other.seat.standing)


def step_of(prepared: Prepared) -> float:
    """The policy step, as the order of work knows it: who names none comes after who does."""
    return float("inf") if prepared.policy_step is None else prepared.policy_step
