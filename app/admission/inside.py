"""What is inside the engine, and who may join it."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.admission.seats import CLASSES, Load, Seat, Standing


@dataclass(slots=True)
class Inside:
    """The window of a class is full by it and those more urgent: who is more urgent than all inside
    finds it empty.

    A giant, longer than four steps or going in by parts, fills half of a window however long it is, for
    the engine gives a long prompt half of each step when others are there; a second giant waits.
    """

    budget_tokens: int
    window_tokens: int
    cache_tokens: int = 0  # what the engine keeps of what it computed
    load: Load = field(default_factory=Load)
    divided: set[Seat] = field(default_factory=set)  # whose part is inside, and there is more
    _reserved_tokens: list[int] = field(default_factory=lambda: [0 for _ in CLASSES])
    _items: list[int] = field(default_factory=lambda: [0 for _ in CLASSES])
    _giants: list[int] = field(default_factory=lambda: [0 for _ in CLASSES])
    _small: list[Load] = field(default_factory=lambda: [Load() for _ in CLASSES])  # but giants

    def add(self, seat: Seat) -> None:
        """The part of a seat that goes in next. From its first part on a giant holds a place in the
        engine's cache, so its whole prompt is reserved until `release`."""
        if seat.giant and not seat.reserved_tokens:
            seat.reserved_tokens = seat.demand.prompt_tokens
            self._reserved_tokens[seat.standing.rank] += seat.reserved_tokens
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
        self._reserved_tokens[seat.standing.rank] -= seat.reserved_tokens
        seat.reserved_tokens = 0

    def restand(self, seat: Seat, standing: Standing) -> None:
        """Another standing for a seat that has no part inside; the key's account begins anew."""
        self._reserved_tokens[seat.standing.rank] -= seat.reserved_tokens
        seat.standing, seat.served_tokens = standing, 0.0
        self._reserved_tokens[standing.rank] += seat.reserved_tokens

    @property
    def reserved_tokens(self) -> int:
        return sum(self._reserved_tokens)

    def is_full(self, rank: int) -> bool:
        """For all but who is promoted."""
        return self.beside(rank).tokens >= self.window_tokens

    def blocks(self, seat: Seat) -> bool:
        """A giant that has to wait for others as urgent as it: for the one that is inside, or, where
        it has not begun, for those that have and with whom the cache is full."""
        if not seat.giant:
            return False
        to_rank = seat.standing.rank + 1
        reserved_tokens = sum(self._reserved_tokens[:to_rank])
        begun = bool(seat.reserved_tokens) or not reserved_tokens
        kept_tokens = min(self.budget_tokens, self.cache_tokens or self.budget_tokens)
        full = not begun and reserved_tokens + seat.demand.prompt_tokens > kept_tokens
        return full or any(self._giants[:to_rank])

    def fits(self, seat: Seat, promoted: bool) -> bool:
        """One that is promoted over its class goes in alone of it."""
        rank = seat.standing.rank
        if self.load.tokens + seat.part.tokens > self.budget_tokens:
            return not self.load.items
        if promoted:
            return not self._items[rank]
        if self.blocks(seat):
            return False
        window_tokens = (
            self.window_tokens // 2 if any(self._giants[: rank + 1]) else self.window_tokens
        )
        return self.beside(rank).tokens < window_tokens

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
