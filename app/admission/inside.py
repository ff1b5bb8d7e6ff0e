"""What is inside the engine, and who may join it."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.admission.seats import CLASSES, Load, Seat


@dataclass(slots=True)
class Inside:
    """The window of a class is full by it and those more urgent: who is more urgent than all inside
    finds it empty.

    A giant, longer than two windows or going in by parts, fills half of a window however long it is, for
    the engine gives a long prompt half of each step when others are there; a second giant waits.
    """

    budget_tokens: int
    window_tokens: int
    load: Load = field(default_factory=Load)
    divided: set[Seat] = field(default_factory=set)  # whose part is inside, and there is more
    reserved_tokens: int = 0
    _items: list[int] = field(default_factory=lambda: [0 for _ in CLASSES])
    _giants: list[int] = field(default_factory=lambda: [0 for _ in CLASSES])
    _small: list[Load] = field(default_factory=lambda: [Load() for _ in CLASSES])  # but giants

    def add(self, seat: Seat) -> None:
        """The part of a seat that goes in next. From the first part on the engine's cache holds the
        item, so its whole demand is reserved until `release`."""
        if not seat.reserved_tokens:
            seat.reserved_tokens = seat.demand.tokens
            self.reserved_tokens += seat.reserved_tokens
        if seat.rest:
            self.divided.add(seat)
        self.load.add(seat.part)
        self._count(seat, 1)

    def remove(self, seat: Seat) -> None:
        """Its part is over. Whoever does not come back for more is to be released, too."""
        self.divided.discard(seat)
        self.load.remove(seat.part)
        self._count(seat, -1)

    def release(self, seat: Seat) -> None:
        self.reserved_tokens -= seat.reserved_tokens
        seat.reserved_tokens = 0

    def has_giant(self, rank: int) -> bool:
        """As urgent as `rank` or more."""
        return any(self._giants[: rank + 1])

    def fits(self, seat: Seat, promoted: bool) -> bool:
        """One that is promoted over its class goes in alone of it."""
        rank = seat.standing.rank
        more_tokens = 0 if seat.reserved_tokens else seat.demand.tokens
        if self.reserved_tokens + more_tokens > self.budget_tokens:
            return not self.load.items
        if promoted:
            return not self._items[rank]
        small_tokens = self.beside(rank).tokens
        if self.has_giant(rank):
            return not seat.giant and small_tokens < self.window_tokens // 2
        return small_tokens < self.window_tokens

    def beside(self, rank: int) -> Load:
        """What is as urgent or more, but giants: what a newcomer of this rank is done after."""
        found = Load()
        for load in self._small[: rank + 1]:
            found.merge(load)
        return found

    def _count(self, seat: Seat, sign: int) -> None:
        rank = seat.standing.rank
        self._items[rank] += sign
        if seat.giant:
            self._giants[rank] += sign
        elif sign > 0:
            self._small[rank].add(seat.part)
        else:
            self._small[rank].remove(seat.part)
