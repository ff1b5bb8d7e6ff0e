"""The door itself: limits, the window that is kept just full, and who goes in next."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from app.admission.forecast import Forecast
from app.admission.inside import Inside
from app.admission.kin import Kin
from app.admission.lines import Lines
from app.admission.measure import measure
from app.admission.pace import Pace
from app.admission.prefixes import BLOCK_TOKENS, Prefixes
from app.admission.seats import CLASSES, Demand, Load, Seat, Standing
from app.admission.ticket import Ticket
from app.errors import Deadline, Overloaded, TooLong
from app.types import Priority

_RETRY_AFTER_S = (1.0, 60.0)
_LEAST_WAIT_S = 0.002


@dataclass(frozen=True, slots=True)
class Limits:
    """`inside_tokens` is the engine's whole budget, `step_tokens` what it computes at most in a step,
    `window_tokens` what keeps it just busy: the rest waits with us, where the order can still change.
    What waits is bounded in tokens and in items. A part of an item takes as long as `part_steps` steps
    of short prompts; 0: items go in whole. `cache_tokens`: so much the engine keeps of what it
    computed."""

    inside_tokens: int
    waiting_tokens: int
    waiting_items: int
    window_tokens: int = 16_384
    step_tokens: int = 8_192
    part_steps: float = 2.0
    cache_tokens: int = 0


class Admission:
    """One per engine. All methods run on the event loop. `clock` is the clock of deadlines."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self.pace = Pace(clock)
        self._clock = clock
        self.prefixes = Prefixes(limits.cache_tokens // BLOCK_TOKENS)
        self._lines = Lines(self.pace)
        self._inside = Inside(
            limits.inside_tokens, limits.window_tokens, limits.step_tokens, limits.cache_tokens
        )
        self._waiting = [Load() for _ in CLASSES]
        self._again: asyncio.TimerHandle | None = None
        self._kin = Kin(self.prefixes, self._lines, self._waiting, self.measure)
        self._forecast = Forecast(
            self.pace, self._lines, self._inside, self._waiting, limits.step_tokens
        )

    @property
    def inside_tokens(self) -> int:
        return self._inside.load.tokens

    @property
    def inside_items(self) -> int:
        return self._inside.load.items

    @property
    def waiting_tokens(self) -> int:
        return sum(load.tokens for load in self._waiting)

    @property
    def waiting_items(self) -> int:
        return sum(load.items for load in self._waiting)

    def check_size(self, tokens: int) -> None:
        """Raises `TooLong` for a prompt that would never fit inside: it is refused, never queued."""
        allowed = self.limits.inside_tokens
        if tokens > allowed:
            message = f"{tokens} tokens are more than the engine's whole budget of {allowed}"
            raise TooLong(message, limits={"measured": tokens, "allowed": allowed})

    def enter(self, demands: Mapping[int, Demand], standing: Standing) -> Ticket:
        """Takes a request whole; `demands` are its items that the engine must compute, by number.

        Raises `Overloaded` when its items, counted in, pass a limit, or when the predicted finish
        lies past its deadline.
        """
        tokens = sum(demand.tokens for demand in demands.values())
        limits = self.limits
        for what, now, newcomer, allowed in (
            ("tokens", self.waiting_tokens, tokens, limits.waiting_tokens),
            ("items", self.waiting_items, len(demands), limits.waiting_items),
        ):
            if demands and now + newcomer > allowed:
                message = f"{now} {what} are waiting; {newcomer} more would pass {allowed}"
                raise Overloaded(
                    message,
                    limits={"measured": now + newcomer, "allowed": allowed},
                    retry_after_s=self.retry_after_s(standing.priority),
                )
        # An idle house tries, and so learns its pace.
        busy = self.inside_items or self.waiting_items
        if demands and busy and self.pace.learnt:
            self._refuse_what_comes_too_late(demands, standing)
        return Ticket(self, demands, standing)

    def _refuse_what_comes_too_late(
        self, demands: Mapping[int, Demand], standing: Standing
    ) -> None:
        allowed_s = standing.deadline - self._clock()
        measured_s = self.predicted_s(demands, standing)
        if allowed_s < measured_s:
            message = (
                f"it would take about {measured_s:.1f} s, and {max(0.0, allowed_s):.1f} s of its "
                "time are left"
            )
            raise Overloaded(
                message,
                limits={"measured": round(measured_s, 3), "allowed": round(allowed_s, 3)},
                retry_after_s=_jittered(measured_s),
            )

    def predicted_s(self, demands: Mapping[int, Demand], standing: Standing) -> float:
        """Seconds until a request that comes now is finished at the latest."""
        return self._forecast.finish_s(demands, standing)

    def backlog_s(self, priority: Priority = "backfill") -> float:
        """Seconds of work inside, and waiting in this class and those more urgent: the predicted
        wait of a newcomer who comes last."""
        return self._forecast.backlog_s(CLASSES.index(priority))

    def retry_after_s(self, priority: Priority = "backfill") -> float:
        """The backlog, jittered by a quarter so that refused clients do not come back as one."""
        return _jittered(self.backlog_s(priority))

    @asynccontextmanager
    async def room(self, seat: Seat) -> AsyncIterator[Priority]:
        """Waits for room for `seat.part`, gives the priority to tell the engine, and takes the room
        back whatever happens. Raises `Deadline` for a seat whose time is over: it does not go in.

        Where `seat.rest` is not None, it is in line for it when this is left in peace, and has to come
        again (`in_parts` does).
        """
        priority = await self._acquire(seat)
        finished = False
        try:
            yield priority
            finished = True
            self._kin.computed(seat.part_chain)
        finally:
            rest = seat.rest if finished else None
            self._inside.remove(seat)
            if not finished:
                self.pace.dropped()
            if not self.inside_items:
                self.pace.idle()
            if rest:
                self._come_again(seat, rest)
            else:
                self._inside.release(seat)
            self._wake()

    def finished(self, prompt_tokens: int, cached_tokens: int) -> None:
        """To be told inside a room, of each verdict: the pace learns from what it really took."""
        demand = Demand.of(prompt_tokens, cached_tokens)
        self.pace.finished(demand.tokens, demand.pairs)

    def hurry(self, seat: Seat, other: Standing) -> None:
        """Another waits for the same item: while it is outside it takes the better of both places."""
        mine = seat.wish or seat.standing
        better = other if other.rank < mine.rank else mine
        better = replace(better, deadline=max(mine.deadline, other.deadline))
        if seat in self._lines:
            self._unqueue(seat)
            self._inside.restand(seat, better)
            self._queue(seat)
            self._wake()
        elif seat.granted.done():
            seat.wish = better  # for its next part
        else:  # it has not come to the door yet
            seat.standing = better

    def _come_again(self, seat: Seat, rest: Demand) -> None:
        seat.demand, seat.granted = rest, asyncio.get_running_loop().create_future()
        if seat.wish:
            self._inside.restand(seat, seat.wish)
            seat.wish = None
        self.measure(seat)
        self._queue(seat)

    def _queue(self, seat: Seat) -> None:
        self._waiting[seat.standing.rank].add(seat.demand)
        self._lines.add(seat)
        self._kin.add(seat)

    def _unqueue(self, seat: Seat) -> None:
        self._lines.remove(seat)
        self._waiting[seat.standing.rank].remove(seat.demand)
        self._kin.discard(seat)

    def measure(self, seat: Seat) -> None:
        measure(seat, self.pace, self.limits.step_tokens, self.limits.part_steps)

    async def _acquire(self, seat: Seat) -> Priority:
        if seat not in self._lines and not seat.granted.done():
            self._queue(seat)
            self._wake()
        try:
            return await seat.granted
        except asyncio.CancelledError:
            if seat in self._lines:
                self._leave(seat)
            elif seat.granted.done() and not seat.granted.cancelled():
                self._take_back(seat)  # granted and cancelled in the same turn of the loop
            self._wake()
            raise

    def _take_back(self, seat: Seat) -> None:
        if seat.granted.exception() is None:
            self._inside.remove(seat)
            self._inside.release(seat)
            if not self.inside_items:
                self.pace.idle()

    def _leave(self, seat: Seat) -> None:
        self._unqueue(seat)
        self._inside.release(seat)

    def _wake(self) -> None:
        """Lets in whoever is next, until the window is full."""
        while found := self._next():
            seat, at_rank = found
            if seat.granted.done():  # cancelled; it has not come round to leaving
                self._leave(seat)
                continue
            if self._kin.settle(seat):
                continue
            # An idle engine tries.
            needed_s = self._forecast.needed_s(seat) if self.inside_items else 0.0
            if seat.standing.deadline <= self._clock() + needed_s:
                self._leave(seat)
                seat.granted.set_exception(
                    Deadline("it could not be done in the time that is left")
                )
                continue
            self._lines.go(seat, at_rank)
            self._waiting[seat.standing.rank].remove(seat.demand)
            self._kin.discard(seat)
            seat.came_s = self._clock()
            self._inside.add(seat)
            self._kin.computed(seat.part_chain)
            self.pace.begin()
            seat.granted.set_result(CLASSES[at_rank])
        self._look_again()

    def _next(self) -> tuple[Seat, int] | None:
        top = self._lines.top
        if top is not None and self._inside.is_full(top, self._forecast.done_tokens(top)):
            return None  # seen without a look at who waits
        begin_s = self._clock() + self._forecast.next_s()
        for seat, at_rank in self._lines.heads(begin_s, self._inside.blocks):
            rank = seat.standing.rank
            done_tokens = self._forecast.done_tokens(rank)
            if seat.granted.done() or self._inside.fits(seat, at_rank < rank, done_tokens):
                return seat, at_rank
        return None

    def _look_again(self) -> None:
        """When so much is expected to be computed that the next has room: the engine tells of whole
        items only."""
        if self._again:
            self._again.cancel()
            self._again = None
        found = [self._forecast.room_in_s(rank) for rank in self._lines.ranks]
        if waits_s := [each for each in found if each is not None]:
            wait_s = max(_LEAST_WAIT_S, min(waits_s))
            self._again = asyncio.get_running_loop().call_later(wait_s, self._wake)


def _jittered(wait_s: float) -> float:
    low, high = _RETRY_AFTER_S
    return min(high, max(low, wait_s * random.uniform(0.75, 1.25)))
