"""What callers tell at the same time goes to the disk together.

A transaction costs a dozen round trips and a sync however few rows it holds. So while one is under way,
the calls of a key wait in a line, and the next transaction takes all of them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from app.errors import IdempotencyMismatch, ServiceError, StoreUnavailable
from app.outcomes.facts import Recorded, Report

_REPORTS_AT_ONCE = 5000  # of one transaction, but for a call that alone holds more


@dataclass(frozen=True, slots=True)
class Telling:
    """One call's reports, and the key under which its answer is kept, None for none."""

    reports: Sequence[Report]
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """One answer a report; `again`: it is the answer that the first call with this key got."""

    answers: list[Recorded]
    again: bool = False


Result = Told | IdempotencyMismatch
Write = Callable[[str, Sequence[Telling]], Awaitable[Sequence[Result]]]


@dataclass(slots=True)
class _Line:
    """The calls of one key that wait, and the task that serves them."""

    waiting: deque[tuple[Telling, asyncio.Future[Result]]] = field(default_factory=deque)
    server: asyncio.Task[None] | None = None


class Tellings:
    """`write` makes the calls of a key durable in one transaction, and gives a result for each."""

    def __init__(self, write: Write, patience_s: float) -> None:
        self._write = write
        self._patience_s = patience_s
        self._lines: dict[str, _Line] = {}

    async def tell(self, key_id: str, telling: Telling) -> Told:
        """Durable when this returns. Raises `StoreUnavailable` where the turn does not come, and what
        `write` raises or gives."""
        told: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        line = self._lines.setdefault(key_id, _Line())
        line.waiting.append((telling, told))
        if line.server is None:
            line.server = asyncio.create_task(self._serve(key_id, line))
        try:
            async with asyncio.timeout(self._patience_s):
                result = await told
        except TimeoutError as cause:
            message = f"the store did not answer within {self._patience_s:g} s"
            raise StoreUnavailable(message, retry_after_s=5.0) from cause
        if isinstance(result, IdempotencyMismatch):
            raise result
        return result

    async def close(self) -> None:
        """Ends what is under way; who waits is told that the store is gone."""
        servers = [line.server for line in self._lines.values() if line.server]
        for server in servers:
            server.cancel()
        await asyncio.gather(*servers, return_exceptions=True)

    async def _serve(self, key_id: str, line: _Line) -> None:
        """Until nobody waits. A caller that left before its turn is not written."""
        batch: list[tuple[Telling, asyncio.Future[Result]]] = []
        try:
            while batch := _next(line):
                await self._settle(key_id, batch)
        finally:
            for _, told in [*batch, *line.waiting]:
                if not told.done():
                    told.set_exception(StoreUnavailable("the store is closing", retry_after_s=5.0))
            del self._lines[key_id]

    async def _settle(
        self, key_id: str, batch: list[tuple[Telling, asyncio.Future[Result]]]
    ) -> None:
        """A call that the database will never take fails alone."""
        try:
            results: Sequence[Result] = await self._write(key_id, [each for each, _ in batch])
        except Exception as error:
            if not isinstance(error, ServiceError) and len(batch) > 1:
                for each in batch:
                    await self._settle(key_id, [each])
                return
            for _, told in batch:
                if not told.done():
                    told.set_exception(error)
            return
        for (_, told), result in zip(batch, results, strict=True):
            if not told.done():
                told.set_result(result)


def _next(line: _Line) -> list[tuple[Telling, asyncio.Future[Result]]]:
    """The calls at the head of the line that fit into one transaction."""
    batch: list[tuple[Telling, asyncio.Future[Result]]] = []
    room = _REPORTS_AT_ONCE
    while line.waiting:
        telling, told = line.waiting[0]
        if batch and len(telling.reports) > room:
            break
        line.waiting.popleft()
        if not told.done():
            batch.append((telling, told))
            room -= len(telling.reports)
    return batch
