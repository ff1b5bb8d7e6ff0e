"""A request that is in the house: its items run at once, each for itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any

from app.admission import Ticket
from app.errors import Draining, EngineFailed, ItemError
from app.scorer.facts import Outcome, Prepared

Judge = Callable[[int, Prepared, Ticket], Coroutine[Any, Any, Outcome]]


class Taken:
    """For use in `async with`: leaving aborts what is unfinished."""

    def __init__(
        self,
        prepared: Sequence[Prepared | ItemError],
        judge: Judge,
        ticket: Ticket,
        draining: bool = False,
    ) -> None:
        self._judge = judge
        self._ticket = ticket
        self._draining = draining
        self._tasks: dict[asyncio.Task[Outcome], int] = {}
        self.prepared = prepared

    async def __aenter__(self) -> Taken:
        return self

    async def __aexit__(self, *_: object) -> None:
        unfinished = [task for task in self._tasks if not task.done()]
        for task in unfinished:
            task.cancel()
        try:
            if unfinished:
                await asyncio.wait(unfinished)
        finally:  # who is cancelled twice cannot wait; his items end by themselves
            self._ticket.close()

    def drain(self) -> None:
        """What is unfinished ends as `Draining`, each in its place."""
        self._draining = True
        for task in self._tasks:
            task.cancel()

    def abandon(self) -> None:
        """Gives the seats back when nobody is left to enter."""
        self._ticket.close()

    async def results(self) -> AsyncIterator[tuple[int, Outcome]]:
        """(index, outcome) as items finish."""
        for index, item in enumerate(self.prepared):
            if isinstance(item, Prepared) and not self._draining:
                task = asyncio.create_task(self._judge(index, item, self._ticket))
                self._tasks[task] = index
        for index, item in enumerate(self.prepared):
            if isinstance(item, ItemError):
                yield index, item
            elif index not in self._tasks.values():
                yield index, _drained()
        pending = set(self._tasks)
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                yield self._tasks[task], self._outcome(task)

    def _outcome(self, task: asyncio.Task[Outcome]) -> Outcome:
        if not task.cancelled():
            return task.result()
        return _drained() if self._draining else EngineFailed("the item was cancelled")

    async def all(self) -> list[Outcome]:
        """Every outcome, in the order of the request."""
        found = {index: outcome async for index, outcome in self.results()}
        return [found[index] for index in range(len(found))]


def not_scored(defect: Exception) -> EngineFailed:
    """A defect in one item must not take its neighbours along, nor pass for a score."""
    return EngineFailed(f"the item could not be scored ({type(defect).__name__})", defect=defect)


def _drained() -> Draining:
    return Draining("the server went down before the item was scored")
