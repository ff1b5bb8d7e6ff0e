"""Prompts whose logits are known: an engine that moves one of them is not the engine it was."""

from __future__ import annotations

import time
from array import array
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from app.types import Labels, Verdict

Judge = Callable[["array[int]", Labels], Awaitable[Verdict]]


@dataclass(frozen=True, slots=True)
class Canary:
    """A prompt whose logit is known. `expected_logit` None: not yet recorded for this dtype."""

    id: str
    ids: array[int]
    expected_logit: float | None
    tolerance: float


@dataclass(frozen=True, slots=True)
class CanaryState:
    """`drift` is the largest difference to an expected logit at the last look."""

    items: int
    recorded_now: int
    drift: float | None
    checked_at: float | None


class Canaries:
    """All canaries of a model; `trouble` says which one moved at the last look."""

    def __init__(
        self, canaries: Sequence[Canary], labels: Labels, read_logit: Callable[[Verdict], float]
    ) -> None:
        self._canaries = list(canaries)
        self._labels = labels
        self._read_logit = read_logit
        self.state = CanaryState(len(self._canaries), 0, None, None)
        self.trouble: str | None = None

    async def record(self, judge: Judge) -> dict[str, float]:
        """Logits of those that have no value for this dtype yet; they are held to them from here on."""
        recorded: dict[str, float] = {}
        for at, canary in enumerate(self._canaries):
            if canary.expected_logit is None:
                logit = recorded[canary.id] = await self._logit(judge, canary)
                self._canaries[at] = replace(canary, expected_logit=logit)
        self.state = replace(self.state, recorded_now=len(recorded))
        return recorded

    async def look(self, judge: Judge) -> None:
        """Judges every canary. Raises what `judge` raises; a logit that moved is `trouble`."""
        drift, trouble = 0.0, None
        for canary in self._canaries:
            if canary.expected_logit is None:
                continue
            moved = abs(await self._logit(judge, canary) - canary.expected_logit)
            drift = max(drift, moved)
            if not moved <= canary.tolerance:
                trouble = f"canary {canary.id} moved by {moved:.4g}, over {canary.tolerance:g}"
        self.trouble = trouble
        self.state = replace(self.state, drift=drift, checked_at=time.time())

    async def _logit(self, judge: Judge, canary: Canary) -> float:
        return self._read_logit(await judge(canary.ids, self._labels))
