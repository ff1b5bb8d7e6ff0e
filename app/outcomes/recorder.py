"""Scores on their way to the disk: handing one over never waits, one task writes them in batches."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from app.errors import ServiceError
from app.outcomes.facts import Counts, ScoreFacts

Write = Callable[[Sequence[ScoreFacts]], Awaitable[None]]
MOST_WAITING = 65_536
MOST_DOCUMENT_CHARS = 64 * 2**20  # of all that wait; a document beyond is left out, not its score
_BATCH = 1000
_GATHER_S = 0.02
_REST_S = 1.0


class Recorder:
    """`write` makes a batch durable, or raises a `ServiceError` for what may pass and anything else
    for rows that will never be taken."""

    def __init__(self, write: Write, most_waiting: int = MOST_WAITING) -> None:
        self._write = write
        self._most_waiting = most_waiting
        self._waiting: deque[ScoreFacts] = deque()
        self._document_chars = 0
        self._written = self._lost = 0
        self._wake = asyncio.Event()
        self._turn = asyncio.Lock()

    @property
    def counts(self) -> Counts:
        return Counts(self._written, len(self._waiting), self._lost)

    def wants_document(self, chars: int) -> bool:
        """Whether there is room for one more document in memory."""
        return self._document_chars + chars <= MOST_DOCUMENT_CHARS

    def put(self, facts: ScoreFacts) -> None:
        """Takes a score, or counts it as lost where too many wait."""
        if len(self._waiting) >= self._most_waiting:
            self._lost += 1
            return
        self._waiting.append(facts)
        self._document_chars += len(facts.document or "")
        self._wake.set()

    async def flush(self) -> None:
        """Writes what waits. Raises `StoreFull` or `StoreUnavailable`; then it goes on waiting."""
        if not self._waiting:
            return
        async with self._turn:
            left = len(self._waiting)
            while left > 0:
                batch = list(itertools.islice(self._waiting, min(_BATCH, left)))
                await self._write_or_lose(batch)
                for facts in batch:
                    self._waiting.popleft()
                    self._document_chars -= len(facts.document or "")
                left -= len(batch)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(_GATHER_S)
            self._wake.clear()
            try:
                await self.flush()
            except ServiceError:
                await asyncio.sleep(_REST_S)
                self._wake.set()

    async def _write_or_lose(self, batch: Sequence[ScoreFacts]) -> None:
        """One row that cannot be written must not hold up all others."""
        try:
            await self._write(batch)
            self._written += len(batch)
        except ServiceError:
            raise
        except Exception:
            if len(batch) == 1:
                self._lost += 1
                return
            for facts in batch:
                await self._write_or_lose([facts])
