"""One request's place in the house, from the door on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from app.admission.prefixes import Chain
from app.admission.seats import Demand, Seat, Standing

if TYPE_CHECKING:
    from app.admission.door import Admission


class Ticket:
    """One request's place in the house. Items leave it for seats of their own; `close` gives back
    what no item has taken up."""

    def __init__(
        self, admission: Admission, demands: Mapping[int, Demand], standing: Standing
    ) -> None:
        self.admission = admission
        self._standing = standing
        self._reserved = dict(demands)
        for demand in self._reserved.values():
            admission._waiting[standing.rank].add(demand)

    def seat(self, demand: Demand, divisible: bool = False, chain: Chain = ()) -> Seat:
        """A seat for one item; it is nowhere until it goes to `room`. `divisible`: a long one may go
        in by parts, for the engine keeps what it has computed of a prompt."""
        seat = Seat(demand, self._standing, divisible, chain)
        self.admission.measure(seat)
        return seat

    def reserved(self, number: int) -> Demand | None:
        return self._reserved.get(number)

    def use(self, number: int) -> None:
        """Item `number` needs its reserve no more: it has a seat, or the verdict was known."""
        if demand := self._reserved.pop(number, None):
            self.admission._waiting[self._standing.rank].remove(demand)

    def close(self) -> None:
        """Safe to call twice, and while items wait: those are counted until they have left."""
        for number in list(self._reserved):
            self.use(number)
