"""What comes back: outcomes, rewards made later, live quality, calibrations, receipts.

recording.py  a score → its row        follower.py  adopts the store's calibrations
live.py       slices and gauges        fitting.py   labels → a calibration, judged on held-out tasks
receipts.py   signs and verifies       labels.py · calibrations.py   the routes
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from app.api.checks import Named
from app.api.feedback.follower import Follower
from app.api.feedback.live import LiveQuality
from app.api.feedback.receipts import Receipts
from app.api.feedback.recording import claims_of, executions, facts_of
from app.errors import ServiceError
from app.metrics import Metrics, Reading
from app.outcomes import Recorded, Report, Store
from app.scorer import Outcome, Scored, Scorer
from app.types import Identity


@dataclass(frozen=True, slots=True)
class Choices:
    """What the operator wants: `records` scores at all, `keeps_documents` their texts too; `named`
    policies and sources may become metric labels."""

    records: bool = True
    keeps_documents: bool = False
    named: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a house with a store has."""

    store: Store
    follower: Follower
    live: LiveQuality
    choices: Choices
    metrics: Metrics
    receipts: Receipts | None = None

    @property
    def keeps_documents(self) -> bool:
        return self.choices.records and self.choices.keeps_documents

    def keep(self, identity: Identity, scored: Scored, name: Named, key_id: str) -> None:
        """Hands a score to the store; never waits."""
        if self.choices.records:
            self.store.put(facts_of(identity, scored, name, key_id))

    def receipt(self, identity: Identity, scored: Scored, key_id: str) -> str | None:
        """The signed receipt of a score, where the operator gave a key to sign with."""
        return self.receipts.sign(claims_of(identity, scored, key_id)) if self.receipts else None

    def count(self, reports: Iterable[Report], answers: Iterable[Recorded]) -> None:
        for report, answer in zip(reports, answers, strict=True):
            self.metrics.feedback.outcomes.labels(report.evidence, answer.status).inc()

    async def record_execution(
        self, identity: Identity, outcomes: Iterable[Outcome], key_id: str
    ) -> dict[str, int]:
        """How many executions were recorded, by status. A store that fails takes no score along."""
        reports = executions(identity, outcomes, key_id)
        try:
            answers = await self.store.record(reports, key_id) if reports else []
        except ServiceError as error:
            return {error.code: len(reports)}
        self.count(reports, answers)
        return dict(Counter(answer.status for answer in answers))

    def gauges(self) -> Iterator[Reading]:
        """(name, help, value)."""
        counts = self.store.counts
        yield "swe_rm_store_waiting_scores", "Scores waiting to be written", counts.waiting
        yield "swe_rm_store_written_scores_total", "Scores written", counts.written
        yield "swe_rm_store_lost_scores_total", "Scores never written", counts.lost
        generation = self.follower.generation
        yield "swe_rm_calibration_generation", "Switch of calibrations in force", generation


@asynccontextmanager
async def opened_feedback(
    store: Store, scorer: Scorer, metrics: Metrics, choices: Choices, receipts: Receipts | None
) -> AsyncIterator[Feedback]:
    """Adopts what the store says, then keeps up with it in two tasks of its own."""
    follower = Follower(store, scorer)
    await follower.follow()
    live = LiveQuality(store, follower, metrics, choices.named)
    tasks = [asyncio.create_task(each.run()) for each in (follower, live)]
    try:
        yield Feedback(store, follower, live, choices, metrics, receipts)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
