"""The order of work: which waiting item is next.

Three rules, one inside the other, each work-conserving:
- classes: the more urgent first;
- inside a class, keys: the one that was given the fewest tokens first (start-time fair queuing);
- inside a key: the earlier policy step, then the shortest expected work, then who came first; but where
  somebody would come too late for it, the earliest deadline, unless far more waits than can be in time.

What is passed over earns: of all work that goes ahead of a less urgent class, or ahead of the oldest
item of a line, a share is credited to those who wait, and when the credit pays for their next item, it
goes first. So nothing starves, and the bound needs no clock: of an item with `w` seconds of its own and
`p` seconds of older work in its line, at most (w + p)/share seconds of younger work go ahead.
"""

from __future__ import annotations

import bisect
import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from app.admission.pace import Pace
from app.admission.seats import CLASSES, Demand, Load, Seat

CLASS_SHARE = 1 / 20
OLDEST_SHARE = 1 / 8
_FAR_MORE = 1.5  # times the work that can be done in time
_LOOKED_AT = 256  # of the earliest deadlines, each time somebody goes in

Blocked: TypeAlias = "Callable[[Seat], bool]"


@dataclass(eq=False, slots=True)
class Line:
    """Who waits in one class under one key. `served_tokens` is where its turn comes."""

    pace: Pace
    served_tokens: float
    earned_s: float = 0.0
    load: Load = field(default_factory=Load)
    _best: list[tuple[float, int, int, int, Seat]] = field(default_factory=list)  # and traces
    _due: list[tuple[float, int, Seat]] = field(default_factory=list)  # sorted by deadline
    _aged: list[tuple[int, Seat]] = field(default_factory=list)  # sorted, the oldest first
    _here: dict[Seat, int] = field(default_factory=dict)  # and the tick of its entry in `_best`
    _begun: set[Seat] = field(default_factory=set)  # of those, who has a part behind him
    _tick: itertools.count[int] = field(default_factory=itertools.count)

    def __len__(self) -> int:
        return len(self._here)

    @property
    def work_s(self) -> float:
        return self.pace.cost_s(self.load)

    @property
    def oldest(self) -> Seat:
        return self._aged[0][-1]

    def add(self, seat: Seat) -> None:
        number = seat.number or 0
        if seat.reserved_tokens:
            self._begun.add(seat)
        bisect.insort(self._due, (seat.standing.deadline, number, seat))
        bisect.insort(self._aged, (number, seat))
        self.load.add(seat.demand)
        self._rank(seat)

    def resize(self, seat: Seat, before: Demand) -> None:
        self.load.remove(before)
        self.load.add(seat.demand)
        self._rank(seat)

    def remove(self, seat: Seat) -> None:
        number = seat.number or 0
        del self._here[seat]
        self._begun.discard(seat)
        del self._due[bisect.bisect_left(self._due, (seat.standing.deadline, number))]
        del self._aged[bisect.bisect_left(self._aged, (number,))]
        self.load.remove(seat.demand)
        self._tidy()

    def head(self, begin_s: float, lines: int, others_s: float, blocked: Blocked) -> Seat:
        """The next one; the line must not be empty. `begin_s`: when it could begin, by the clock of
        deadlines; it shares the engine with so many `lines`, which hold `others_s` of work. Who is
        `blocked` keeps nobody from his turn."""
        if self.earned_s >= self.pace.cost_s(self.oldest.part) and not blocked(self.oldest):
            return self.oldest
        while not self._is_here(best := self._best[0][-1], self._best[0][-2]):
            heapq.heappop(self._best)
        due = self._due[0][-1]
        if not blocked(due) and self._makes_late(best, begin_s, lines, others_s):
            return due
        going_on = [seat for seat in self._begun if not blocked(seat)] if blocked(best) else ()
        return min(going_on, key=_size, default=best)

    def _rank(self, seat: Seat) -> None:
        self._here[seat] = tick = next(self._tick)
        heapq.heappush(self._best, (seat.demand.step, seat.size, seat.number or 0, tick, seat))
        self._tidy()

    def _tidy(self) -> None:
        if len(self._best) > 2 * len(self) + 64:
            self._best = [entry for entry in self._best if self._is_here(entry[-1], entry[-2])]
            heapq.heapify(self._best)

    def _is_here(self, seat: Seat, tick: int) -> bool:
        """Not a trace of one who left, or who has another size by now."""
        return self._here.get(seat) == tick

    def _makes_late(self, first: Seat, begin_s: float, lines: int, others_s: float) -> bool:
        """Whether one of the others is late with `first` before him. Not where there is far more than
        can be in time: there the shortest first is what saves most."""
        if begin_s + self.work_s + others_s <= self._due[0][0]:
            return False
        late, before_s, behind, first_s = False, 0.0, True, self.pace.cost_s(first.demand)
        a_s, b_s = self.pace.a_s, self.pace.b_s
        for deadline, _, seat in self._due[:_LOOKED_AT]:
            if deadline <= begin_s:  # nothing can save him
                continue
            before_s += a_s * seat.demand.tokens + b_s * seat.demand.pairs
            need_s = min(lines * before_s, before_s + others_s)
            if need_s > _FAR_MORE * (deadline - begin_s):
                return False
            behind = behind and seat is not first
            late = late or begin_s + need_s + behind * first_s > deadline
        return late

    def passed(self, seat: Seat) -> None:
        """`seat` goes: who is older earns by it, and the oldest pays with what was earned."""
        if seat is self.oldest:
            self.earned_s = max(0.0, self.earned_s - self.pace.cost_s(seat.part))
        else:
            self.earned_s += OLDEST_SHARE * self.pace.cost_s(seat.part)

    def before(self, tokens: int, deadline: float) -> Load:
        """What may go before an item of so many tokens: what is no larger, and what is due as soon."""
        if self._due[-1][0] <= deadline:
            return self.load
        found = Load()
        for due, _, seat in self._due:
            if due <= deadline or seat.demand.tokens <= tokens:
                found.add(seat.demand)
        return found


@dataclass(eq=False, slots=True)
class Class:
    """The lines of one class. `earned_s` is what more urgent work owes it for passing."""

    pace: Pace
    lines: dict[str, Line] = field(default_factory=dict)
    earned_s: float = 0.0
    _turn_tokens: float = 0.0

    def add(self, seat: Seat) -> None:
        key_id = seat.standing.key_id
        if key_id not in self.lines:
            # Who comes back begins where all are: silence is not saved up. Nor is it forgotten what
            # an item was given whose next part comes.
            served_tokens = max(self._turn_tokens, seat.served_tokens)
            self.lines[key_id] = Line(self.pace, served_tokens)
        self.lines[key_id].add(seat)

    def remove(self, seat: Seat) -> None:
        line = self.lines[seat.standing.key_id]
        line.remove(seat)
        if not line:
            del self.lines[seat.standing.key_id]
        if not self.lines:
            self.earned_s = 0.0

    @property
    def work_s(self) -> float:
        return sum(line.work_s for line in self.lines.values())

    def head(self, begin_s: float, blocked: Blocked) -> Seat | None:
        """Of the key whose turn it is; where that one is blocked, of the next whose is not."""
        if not self.lines:
            return None
        work_s, lines = self.work_s, len(self.lines)
        first = min(self.lines.values(), key=_served)
        seat = first.head(begin_s, lines, work_s - first.work_s, blocked)
        if not blocked(seat):
            return seat
        for line in sorted(self.lines.values(), key=_served):
            other = line.head(begin_s, lines, work_s - line.work_s, blocked)
            if not blocked(other):
                return other
        return seat

    def passed(self, seat: Seat) -> None:
        line = self.lines[seat.standing.key_id]
        line.passed(seat)
        self._turn_tokens = max(self._turn_tokens, line.served_tokens)
        line.served_tokens += seat.part.tokens
        seat.served_tokens = line.served_tokens


def _size(seat: Seat) -> tuple[int, int]:
    return seat.size, seat.number or 0


def _served(line: Line) -> float:
    return line.served_tokens


class Lines:
    """All who wait. A seat's standing may change only while it is not in line; of another demand it is to
    be told (`resize`)."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self.classes = [Class(pace) for _ in CLASSES]
        self._seats: set[Seat] = set()
        self._numbers = itertools.count()

    def __contains__(self, seat: Seat) -> bool:
        return seat in self._seats

    def __len__(self) -> int:
        return len(self._seats)

    def add(self, seat: Seat) -> None:
        if seat.number is None:
            seat.number = next(self._numbers)
        self._seats.add(seat)
        self.classes[seat.standing.rank].add(seat)

    def resize(self, seat: Seat, before: Demand) -> None:
        """`seat` waits and costs something else than `before`; its age and the account of its key stay."""
        self.classes[seat.standing.rank].lines[seat.standing.key_id].resize(seat, before)

    def remove(self, seat: Seat) -> None:
        self._seats.remove(seat)
        self.classes[seat.standing.rank].remove(seat)

    @property
    def top(self) -> int | None:
        """The rank of the most urgent, where they are the only ones that could go."""
        ranks = self.ranks
        return ranks[0] if len(ranks) == 1 else None

    @property
    def ranks(self) -> list[int]:
        """Of the classes in which somebody waits."""
        return [rank for rank, each in enumerate(self.classes) if each.lines]

    def heads(self, begin_s: float, blocked: Blocked) -> list[tuple[Seat, int]]:
        """The next item of each class and the rank it goes at: those first whose class has earned
        it, at the rank of the most urgent that wait; then the most urgent alone. `begin_s`: when
        the engine is done with what is inside."""
        found = []
        for rank, each in enumerate(self.classes):
            if seat := each.head(begin_s, blocked):
                found.append((seat, rank))
                begin_s += each.work_s
        if not found:
            return []
        top = found[0][1]
        earned = [
            (seat, top)
            for seat, rank in found[1:]
            if self.classes[rank].earned_s >= self._pace.cost_s(seat.part)
        ]
        return [*earned, found[0]]

    def go(self, seat: Seat, at_rank: int) -> None:
        """`seat` leaves the line and goes in."""
        rank = seat.standing.rank
        if at_rank < rank:
            mine = self.classes[rank]
            mine.earned_s = max(0.0, mine.earned_s - self._pace.cost_s(seat.part))
        else:
            for lower in self.classes[rank + 1 :]:
                if lower.lines:
                    lower.earned_s += CLASS_SHARE * self._pace.cost_s(seat.part)
        self.classes[rank].passed(seat)
        self.remove(seat)
