"""When work would be finished: what is waited for, in seconds of the fitted pace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.admission.inside import Inside
from app.admission.lines import CLASS_SHARE, OLDEST_SHARE, Lines
from app.admission.pace import Pace
from app.admission.seats import Demand, Load, Seat, Standing


@dataclass(frozen=True, slots=True)
class Forecast:
    """Looks at the door's own books and changes nothing. `waiting`: all that was taken and is not
    inside, by class."""

    pace: Pace
    lines: Lines
    inside: Inside
    waiting: Sequence[Load]
    step_tokens: int

    def finish_s(self, demands: Mapping[int, Demand], standing: Standing) -> float:
        """Seconds until a request that comes now is finished at the latest: all that is more urgent,
        what may go before it of its own key, as many tokens of every other key, and the shares of
        the oldest and of less urgent classes."""
        rank, mine, older_s = standing.rank, _sum(demands), 0.0
        largest = max((demand.tokens for demand in demands.values()), default=0)
        if own := self.lines.classes[rank].lines.get(standing.key_id):
            before = own.before(largest, standing.deadline)
            mine.merge(before)
            older_s = own.work_s - self.pace.cost_s(before)
        sooner, later = self._parts_to_come(standing, largest)
        mine.merge(sooner)
        older_s += self.pace.cost_s(later)
        all_s = self._ahead_s(rank) + self._others_s(standing, mine.tokens) + self.pace.cost_s(mine)
        all_s += min(OLDEST_SHARE * all_s, older_s)
        lower_s = sum(self.pace.cost_s(load) for load in self.waiting[rank + 1 :])
        return all_s + min(CLASS_SHARE * all_s, lower_s)

    def backlog_s(self, rank: int) -> float:
        """Of what is inside, and waits in this class and those more urgent."""
        to_come_s = sum(
            self.pace.cost_s(seat.rest) for seat in self.inside.divided
            if seat.rest and seat.standing.rank <= rank
        )  # fmt: skip
        waiting_s = sum(self.pace.cost_s(load) for load in self.waiting[: rank + 1])
        return self._inside_s() + to_come_s + waiting_s

    def next_s(self) -> float:
        """Until who goes in now is worked on, and a step more: an item has its verdict when its whole
        step of the engine is over."""
        in_steps = self.inside.load.tokens + sum(load.tokens for load in self.waiting)
        return self._inside_s() + self.pace.seconds(min(self.step_tokens, in_steps), 0)

    def done_tokens(self, rank: int) -> int:
        """Computed of the first inside since an item was last finished; 0 before it is learnt."""
        first = self.inside.first(rank)
        if first is None or not self.pace.learnt:
            return 0
        spent_s = self.pace.spent_s(first.came_s)
        return min(first.part.tokens, int(self.pace.tokens_in(spent_s, first.part.cached_tokens)))

    def room_in_s(self, rank: int) -> float | None:
        """Seconds until a newcomer of this class has room, if it has none now and no item has to be
        finished for it."""
        first, missing_tokens = self.inside.first(rank), self.inside.missing_tokens(rank)
        if first is None or not self.pace.learnt:
            return None
        if not 0 < missing_tokens <= first.part.tokens:
            return None
        in_time = first.part.first(missing_tokens + 1)  # `done_tokens` rounds down
        wait_s = self.pace.cost_s(in_time) - self.pace.spent_s(first.came_s)
        return wait_s if wait_s > 0 else None

    def needed_s(self, seat: Seat) -> float:
        """What an item that goes in now takes at least: work that cannot be done in time is not
        begun, for under overload it would take the place of work that can. 0 before it is learnt."""
        if not self.pace.learnt:
            return 0.0
        load = self.inside.beside(seat.standing.rank)
        before_s = max(0.0, self.pace.cost_s(load) - self.pace.since_row_s())
        return before_s + self.pace.cost_s(seat.demand)

    def _others_s(self, standing: Standing, tokens: int) -> float:
        """Of every other key of the class as many tokens."""
        lines = self.lines.classes[standing.rank].lines
        return sum(
            min(1.0, tokens / max(1, line.load.tokens)) * self.pace.cost_s(line.load)
            for key_id, line in lines.items()
            if key_id != standing.key_id
        )

    def _ahead_s(self, rank: int) -> float:
        """What is inside, what is more urgent, and what was taken and has not come to its line yet."""
        lines = self.lines.classes[rank].lines.values()
        coming_s = self.pace.cost_s(self.waiting[rank])
        coming_s -= sum(self.pace.cost_s(line.load) for line in lines)
        more_urgent_s = sum(self.pace.cost_s(load) for load in self.waiting[:rank])
        return self.next_s() + more_urgent_s + max(0.0, coming_s)

    def _inside_s(self) -> float:
        """What is left of what is inside: it has been worked on since the last item was finished."""
        return max(0.0, self.pace.cost_s(self.inside.load) - self.pace.since_row_s())

    def _parts_to_come(self, standing: Standing, largest: int) -> tuple[Load, Load]:
        """The rest of those that have a part inside: of who is more urgent, no larger or due as soon,
        and of the others of its class."""
        sooner, later = Load(), Load()
        for seat in self.inside.divided:
            other, rest = seat.standing, seat.rest
            if rest is None or other.rank > standing.rank:
                continue
            first = other.rank < standing.rank or other.deadline <= standing.deadline
            (sooner if first or rest.tokens <= largest else later).add(rest)
        return sooner, later


def _sum(demands: Mapping[int, Demand]) -> Load:
    found = Load()
    for demand in demands.values():
        found.add(demand)
    return found
