"""What is inside the engine, and who may join it."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.admission.seats import CLASSES, Load, Seat

_GIANT_WINDOWS = 2


@dataclass(slots=True)
class Inside:
    """The window of a class is full by it and those more urgent: who is more urgent than all inside
    finds it empty.

    A giant, longer than two windows, fills half of a window however long it is, for the engine gives a
    long prompt half of each step when others are there; a second giant waits.
    """

    budget_tokens: int
    window_tokens: int
    load: Load = field(default_factory=Load)
    _items: list[int] = field(default_factory=lambda: [0 for _ in CLASSES])
    _giants: list[int] = field(default_factory=lambda: [0 for _ in CLASSES])
    _small: list[Load] = field(default_factory=lambda: [Load() for _ in CLASSES])  # but giants

    def add(self, seat: Seat) -> None:
        self.load.add(seat.demand)
        self._count(seat, 1)

    def remove(self, seat: Seat) -> None:
        self.load.remove(seat.demand)
        self._count(seat, -1)

    def fits(self, seat: Seat, promoted: bool) -> bool:
        """One that is promoted over its class goes in alone of it."""
        rank = seat.standing.rank
        if self.load.tokens + seat.demand.tokens > self.budget_tokens:
            return not self.load.items
        if promoted:
            return not self._items[rank]
        small_tokens = self.beside(rank).tokens
        if any(self._giants[: rank + 1]):
            return not self._is_giant(seat) and small_tokens < self.window_tokens // 2
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
        if self._is_giant(seat):
            self._giants[rank] += sign
        elif sign > 0:
            self._small[rank].add(seat.demand)
        else:
            self._small[rank].remove(seat.demand)

    def _is_giant(self, seat: Seat) -> bool:
        return seat.demand.tokens > _GIANT_WINDOWS * self.window_tokens
