"""Keeps the scorer at the store's calibrations: what one replica switches, all adopt."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

from app.errors import ServiceError, StartError
from app.outcomes import Store
from app.scorer import Scorer

EVERY_S = 2.0
PATIENCE_S = 5.0


class Follower:
    """`generation` is that of the switch in force here; 0: the model's own choice."""

    def __init__(
        self, store: Store, scorer: Scorer, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._calibrations = store.calibrations
        self._scorer = scorer
        self._own = scorer.model.active_calibration
        self.revision = scorer.model.identity.revision
        self._clock = clock
        self._turn = asyncio.Lock()
        self._read = 0
        self._behind_since: float | None = None
        self._why = ""
        self.generation = 0

    @property
    def active(self) -> str:
        """The id of the calibration in force here."""
        return self._scorer.model.active_calibration

    @property
    def fitted_on(self) -> Mapping[str, Sequence[float]] | None:
        """The histogram of margins that the calibration in force was fitted on, where it keeps one."""
        return self._scorer.calibrator("active").logits

    @property
    def trouble(self) -> str | None:
        """Set when a switch was seen that could not be adopted within 5 s. A store that does not
        answer is no such thing: then nobody can switch either."""
        since = self._behind_since
        if since is None or self._clock() - since < PATIENCE_S:
            return None
        return f"behind the active calibration: {self._why}"

    async def follow(self) -> None:
        """Reads the store and adopts what it says. Raises what the store raises."""
        async with self._turn:
            count = await self._calibrations.count(self.revision)
            switch = await self._calibrations.active(self.revision)
            generation = switch.generation if switch else 0
            if generation == self.generation and count == self._read:
                self._behind_since = None
                return
            kept = await self._calibrations.all(self.revision)
            active = switch.calibration_id if switch else self._own
            try:
                self._scorer.adopt([each.document for each in kept], active)
            except StartError as error:
                self._fall_behind(error.message)
                return
            self.generation, self._read, self._behind_since = generation, count, None

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.follow()
            except ServiceError:  # the store's own gauges say so
                pass
            except Exception as defect:  # this must not end: a replica left behind would look ready
                self._fall_behind(
                    f"the store's calibrations cannot be read: {type(defect).__name__}"
                )
            await asyncio.sleep(EVERY_S)

    def _fall_behind(self, why: str) -> None:
        self._why = why
        self._behind_since = self._behind_since or self._clock()
