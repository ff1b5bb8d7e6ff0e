"""What is inside the engine, and who may join it."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.admission.seats import CLASSES, Demand, Load, Seat, Standing


@dataclass(slots=True)
class Inside:
    """The window of a class is full by it and those more urgent: who is more urgent than all inside
    finds it empty. When less than a step is left of what is inside (`done_tokens` are computed of the
    first), the next has room, or the engine would run dry at the end of one longer than the window.

    A giant, longer than four steps or going in by parts, fills half of a window however long it is, for
    the engine gives a long prompt half of each step when others are there; a second giant waits.
    """

    budget_tokens: int
    window_tokens: int
    step_tokens: int
    cache_tokens: int = 0  # what the engine keeps of what it computed
    load: Load = field(default_factory=Load)
    divided: set[Seat] = field(default_factory=set)  # whose part is inside, and there is more
    _reserved_tokens: list[int] = field(default_factory=lambda: [0 for _ in CLASSES])
    _items: list[int] = field(default_factory=lambda: [0 for _ in CLASSES])
    _giants: list[int] = field(default_factory=lambda: [0 for _ in CLASSES])
    # All but giants, in the order in which they went in.
    _small: list[dict[Seat, Demand]] = field(default_factory=lambda: [{} for _ in CLASSES])
    _small_load: list[Load] = field(default_factory=lambda: [Load() for _ in CLASSES])

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

    def is_full(self, rank: int, done_tokens: int) -> bool:
        """For all but who is promoted."""
        return not self._room(rank, self.window_tokens, done_tokens)

    def missing_tokens(self, rank: int) -> int:
        """What has to be computed of the first before a newcomer has room; 0 where he has."""
        tokens = self.beside(rank).tokens
        if tokens < self.window_tokens:
            return 0
        return tokens - min(self.window_tokens, self.step_tokens) + 1

    def first(self, rank: int) -> Seat | None:
        """Whom the engine finishes first of those that are as urgent or more: when it has, it says so,
        and no more than this can be done unsaid. Nobody beside a giant, of which it may be that was
        computed."""
        if any(self._giants):
            return None
        small = (seat for each in self._small[: rank + 1] for seat in each)
        return next((seat for seat in small if seat.part.tokens), None)

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

    def fits(self, seat: Seat, promoted: bool, done_tokens: int) -> bool:
        """One that is promoted over its class goes in alone of it."""
        rank = seat.standing.rank
        if self.load.tokens + seat.part.tokens > self.budget_tokens:
            return not self.load.items
        if promoted:
            return not self._items[rank]
        if self.blocks(seat):
            return False
        return self._room(rank, self._window_tokens(rank), done_tokens)

    def beside(self, rank: int) -> Load:
        """What is as urgent or more, but giants: what a newcomer of this rank is done after."""
        found = Load()
        for load in self._small_load[: rank + 1]:
            found.merge(load)
        return found

    def _room(self, rank: int, window_tokens: int, done_tokens: int) -> bool:
        tokens = self.beside(rank).tokens
        left_tokens = tokens - done_tokens
        return tokens < window_tokens or left_tokens < min(window_tokens, self.step_tokens)

    def _window_tokens(self, rank: int) -> int:
        return self.window_tokens // 2 if any(self._giants[: rank + 1]) else self.window_tokens

    def _count(self, seat: Seat, sign: int) -> None:
        rank = seat.standing.rank
        self._items[rank] += sign
        if seat.giant:
            self._giants[rank] += sign
        elif sign > 0:
            self._small[rank][seat] = seat.part
            self._small_load[rank].add(seat.part)
        else:
            self._small_load[rank].remove(self._small[rank].pop(seat))
