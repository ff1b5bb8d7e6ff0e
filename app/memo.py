"""Same prompt, same engine → same verdict: what was computed is kept, what is being computed is shared.

Knows keys, verdicts and a clock. A key is a digest of the token ids and of all that may change a logit,
so a verdict is never stale; it is forgotten by age and by bytes only.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from app.errors import EngineFailed
from app.types import Source, Verdict

Mode = Literal["use", "refresh", "off"]
# Key, entry, verdict and its floats in CPython, and the slot of the table; a test measures it.
_ENTRY_BYTES = 600
_LABEL_BYTES = 32


class Work(Protocol):
    """A computation that may be begun, at most once."""

    async def run(self) -> Verdict: ...

    def joined_by(self, other: Work) -> None:
        """Called on the work that runs when `other`, which never will, waits for it too."""


@dataclass(frozen=True, slots=True)
class Told:
    """`computed` for this caller, `shared` with another who asked first, or from the `memo`."""

    verdict: Verdict
    source: Source


@dataclass(eq=False, slots=True)
class _Flight:
    """One computation and how many wait for it."""

    work: Work
    task: asyncio.Task[Verdict]
    waiters: int = 0


@dataclass(frozen=True, slots=True)
class _Entry:
    verdict: Verdict
    until: float
    size_bytes: int


class Memo:
    """Least recently used goes first when `limit_bytes` is full; `ttl_s` after it was computed a
    verdict is forgotten. All methods run on the event loop."""

    def __init__(
        self, limit_bytes: int, ttl_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit_bytes = limit_bytes
        self._ttl_s = ttl_s
        self._clock = clock
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._flights: dict[bytes, _Flight] = {}
        self.held_bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def flying(self) -> int:
        """Computations under way that others could share."""
        return len(self._flights)

    def knows(self, key: bytes, mode: Mode) -> bool:
        """Whether asking would cost the engine nothing more."""
        if mode == "off":
            return False
        return key in self._flights or (mode == "use" and self.peek(key) is not None)

    def peek(self, key: bytes) -> Verdict | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.until <= self._clock():
            self._forget(key)
            return None
        self._entries.move_to_end(key)
        return entry.verdict

    def keep(self, key: bytes, verdict: Verdict) -> None:
        self._forget(key)
        size_bytes = _ENTRY_BYTES + _LABEL_BYTES * len(verdict.label_logprobs)
        if size_bytes > self._limit_bytes:
            return
        self._entries[key] = _Entry(verdict, self._clock() + self._ttl_s, size_bytes)
        self.held_bytes += size_bytes
        while self.held_bytes > self._limit_bytes:
            self._forget(next(iter(self._entries)))

    async def recall(self, key: bytes, work: Work, mode: Mode) -> Told:
        """The verdict for `key`, by `work` when nobody has it. Raises what the computation raises.

        `refresh` computes again, but shares with those who ask meanwhile; `off` neither reads nor
        keeps nor shares. Leaving never ends a computation that another waits for; when the last
        one leaves, it is dropped: what nobody wants is not worth the engine's time.
        """
        if mode == "off":
            return Told(await work.run(), "computed")
        if mode == "use" and (found := self.peek(key)):
            return Told(found, "memo")
        if flight := self._flights.get(key):
            flight.work.joined_by(work)
            return Told(await self._landed(key, flight), "shared")
        return Told(await self._landed(key, self._take_off(key, work)), "computed")

    def _take_off(self, key: bytes, work: Work) -> _Flight:
        flight = _Flight(work, asyncio.create_task(self._fly(key, work)))
        # Somebody reads the outcome, or nobody is left whom it concerns.
        flight.task.add_done_callback(lambda task: task.cancelled() or task.exception())
        flight.task.add_done_callback(lambda _: self._strike(key, flight))
        self._flights[key] = flight
        return flight

    async def _fly(self, key: bytes, work: Work) -> Verdict:
        verdict = await work.run()
        self.keep(key, verdict)
        return verdict

    async def _landed(self, key: bytes, flight: _Flight) -> Verdict:
        flight.waiters += 1
        try:
            await asyncio.wait({flight.task})
        finally:
            flight.waiters -= 1
            if not flight.waiters and not flight.task.done():
                self._strike(key, flight)  # who comes now begins anew, not with a dying one
                flight.task.cancel()
                with contextlib.suppress(asyncio.CancelledError):  # cancelled twice: it ends alone
                    await asyncio.wait({flight.task})
        if flight.task.cancelled():
            message = "the computation was ended from outside"
            raise EngineFailed(message)
        return flight.task.result()

    def _strike(self, key: bytes, flight: _Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]

    def _forget(self, key: bytes) -> None:
        if entry := self._entries.pop(key, None):
            self.held_bytes -= entry.size_bytes
