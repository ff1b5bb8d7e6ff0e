"""The order of work: which waiting item is next.

Three rules, one inside the other, each work-conserving:
- classes: the more urgent first;
- inside a class, keys: the one that was given the fewest tokens first (start-time fair queuing);
- inside a key: the earlier policy step, then the shortest expected work, then who came first.

What is passed over earns: of all work that goes ahead of a less urgent class, or ahead of the oldest
item of a line, a share is credited to those who wait, and when the credit pays for their next item, it
goes first. So nothing starves, and the bound needs no clock: of an item with `w` seconds of its own and
`p` seconds of older work in its line, at most (w + p)/share seconds of younger work go ahead.
"""

from __future__ import annotations

import heapq
import itertools
from collections import OrderedDict
from dataclasses import dataclass, field

from app.admission.seats import CLASSES, Load, Seat

CLASS_SHARE = 1 / 20
OLDEST_SHARE = 1 / 8
_SIZES = 40  # of 2^k tokens


@dataclass(eq=False, slots=True)
class Line:
    """Who waits in one class under one key. `served_tokens` is where its turn comes."""

    served_tokens: float
    earned_s: float = 0.0
    sizes: list[Load] = field(default_factory=lambda: [Load() for _ in range(_SIZES)])
    _best: list[tuple[float, int, int, Seat]] = field(default_factory=list)
    _oldest: OrderedDict[Seat, None] = field(default_factory=OrderedDict)
    _number: itertools.count[int] = field(default_factory=itertools.count)

    def __len__(self) -> int:
        return len(self._oldest)

    def add(self, seat: Seat) -> None:
        self._oldest[seat] = None
        entry = (seat.demand.step, seat.size, next(self._number), seat)
        heapq.heappush(self._best, entry)
        self.sizes[_size(seat.demand.tokens)].add(seat.demand)

    def remove(self, seat: Seat) -> None:
        del self._oldest[seat]
        self.sizes[_size(seat.demand.tokens)].remove(seat.demand)
        if (
            len(self._best) > 2 * len(self._oldest) + 64
        ):  # of those that left the heap keeps a trace
            self._best = [entry for entry in self._best if entry[-1] in self._oldest]
            heapq.heapify(self._best)

    def head(self) -> Seat:
        """The next one; the line must not be empty."""
        oldest = next(iter(self._oldest))
        if self.earned_s >= oldest.work_s:
            return oldest
        while (best := self._best[0][-1]) not in self._oldest:
            heapq.heappop(self._best)
        return best

    def passed(self, seat: Seat) -> None:
        """`seat` goes: who is older earns by it, and the oldest pays with what was earned."""
        oldest = next(iter(self._oldest))
        if seat is oldest:
            self.earned_s = max(0.0, self.earned_s - seat.work_s)
        else:
            self.earned_s += OLDEST_SHARE * seat.work_s

    def ahead(self, tokens: int) -> tuple[Load, Load]:
        """What is no larger than an item of so many tokens, to a power of two, and what is."""
        loads = Load(), Load()
        for size, load in enumerate(self.sizes):
            loads[size > _size(tokens)].merge(load)
        return loads


@dataclass(eq=False, slots=True)
class Class:
    """The lines of one class. `earned_s` is what more urgent work owes it for passing."""

    lines: dict[str, Line] = field(default_factory=dict)
    earned_s: float = 0.0
    _turn_tokens: float = 0.0

    def add(self, seat: Seat) -> None:
        key_id = seat.standing.key_id
        if key_id not in self.lines:
            # Who comes back begins where all are: silence is not saved up.
            self.lines[key_id] = Line(self._turn_tokens)
        self.lines[key_id].add(seat)

    def remove(self, seat: Seat) -> None:
        line = self.lines[seat.standing.key_id]
        line.remove(seat)
        if not line:
            del self.lines[seat.standing.key_id]
        if not self.lines:
            self.earned_s = 0.0

    def head(self) -> Seat | None:
        if not self.lines:
            return None
        return min(self.lines.values(), key=lambda line: line.served_tokens).head()

    def passed(self, seat: Seat) -> None:
        line = self.lines[seat.standing.key_id]
        line.passed(seat)
        self._turn_tokens = max(self._turn_tokens, line.served_tokens)
        line.served_tokens += seat.demand.tokens


class Lines:
    """All who wait. A seat's standing may change only while it is outside."""

    def __init__(self) -> None:
        self.classes = [Class() for _ in CLASSES]
        self._seats: set[Seat] = set()

    def __contains__(self, seat: Seat) -> bool:
        return seat in self._seats

    def __len__(self) -> int:
        return len(self._seats)

    def add(self, seat: Seat) -> None:
        self._seats.add(seat)
        self.classes[seat.standing.rank].add(seat)

    def remove(self, seat: Seat) -> None:
        self._seats.remove(seat)
        self.classes[seat.standing.rank].remove(seat)

    def heads(self) -> list[tuple[Seat, int]]:
        """The next item of each class and the rank it goes at: those first whose class has earned
        it, at the rank of the most urgent that wait; then the most urgent alone."""
        found = [(seat, rank) for rank, c in enumerate(self.classes) if (seat := c.head())]
        if not found:
            return []
        top = found[0][1]
        earned = [
            (seat, top) for seat, rank in found[1:] if self.classes[rank].earned_s >= seat.work_s
        ]
        return [*earned, found[0]]

    def go(self, seat: Seat, at_rank: int) -> None:
        """`seat` leaves the line and goes in."""
        rank = seat.standing.rank
        if at_rank < rank:
            mine = self.classes[rank]
            mine.earned_s = max(0.0, mine.earned_s - seat.work_s)
        else:
            for lower in self.classes[rank + 1 :]:
                if lower.lines:
                    lower.earned_s += CLASS_SHARE * seat.work_s
        self.classes[rank].passed(seat)
        self.remove(seat)


def _size(tokens: int) -> int:
    return min(tokens.bit_length(), _SIZES - 1)
