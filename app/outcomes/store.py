"""The store: scores and what became of them, calibrations and which one is active.

Rows are only ever added. What a method returned from is on the disk.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from sqlalchemy import delete, or_, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.errors import IdempotencyInProgress, ServiceError
from app.outcomes import windows
from app.outcomes.calibrations import Calibrations
from app.outcomes.database import PATIENCE_S, Database, read_url
from app.outcomes.facts import (
    Counted,
    Counts,
    KeptOutcome,
    Labelled,
    Recorded,
    Report,
    ScoreFacts,
    Slicing,
    Window,
)
from app.outcomes.labels import write_tellings
from app.outcomes.migrate import upgrade
from app.outcomes.recorder import Recorder
from app.outcomes.tables import idempotency, outcomes, scores, trajectories
from app.outcomes.telling import Result, Telling, Tellings

KEYS_KEPT_S = 30 * 86_400.0
OUTCOMES_A_MINUTE = 20_000
_WINDOW_PATIENCE_S = 60.0
_CLOSING_S = 5.0
_LOOKED_UP_AT_ONCE = 500


@asynccontextmanager
async def open_store(
    url: str,
    *,
    outcomes_a_minute: int = OUTCOMES_A_MINUTE,
    clock: Callable[[], float] = time.time,
) -> AsyncIterator[Store]:
    """Opens, brings the schema up to date, and at the end writes what waits. Raises `StartError`."""
    database = Database(read_url(url))
    try:
        async with database.opening() as connection:
            await connection.run_sync(upgrade)
        store = Store(database, outcomes_a_minute, clock)
        with suppress(ServiceError):  # a full disk is no reason not to start
            await store.forget_old_keys()
        writer = asyncio.create_task(store.recorder.run())
        try:
            yield store
        finally:
            await store.close()
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            with suppress(TimeoutError, ServiceError):
                async with asyncio.timeout(_CLOSING_S):
                    await store.recorder.flush()
    finally:
        await database.close()


class Store:
    """One a process. Every method that waits has a clock and raises `StoreUnavailable` or
    `StoreFull` when the database does not do its part."""

    def __init__(
        self, database: Database, outcomes_a_minute: int, clock: Callable[[], float]
    ) -> None:
        self.database = database
        self.recorder = Recorder(self._write_scores)
        self.calibrations = Calibrations(database, clock)
        self._outcomes_a_minute = outcomes_a_minute
        self._clock = clock
        self._in_progress: set[tuple[str, str]] = set()
        self._tellings = Tellings(self._write_told, 2 * PATIENCE_S)
        self._told = 0

    @property
    def counts(self) -> Counts:
        return self.recorder.counts

    @property
    def told(self) -> int:
        """Grows with every call that brings outcomes to this process."""
        return self._told

    async def close(self) -> None:
        """Takes no more outcomes."""
        await self._tellings.close()

    def put(self, facts: ScoreFacts) -> None:
        """Takes a score without waiting. The first verdict of a score_id stands."""
        self.recorder.put(facts)

    async def record(self, reports: Sequence[Report], key_id: str) -> list[Recorded]:
        """Writes outcomes; durable when this returns."""
        return (await self._tellings.tell(key_id, Telling(reports))).answers

    async def record_once(
        self, reports: Sequence[Report], key_id: str, idempotency_key: str
    ) -> tuple[list[Recorded], bool]:
        """The same, but equal reports with an equal idempotency key get the first answer again; then
        the second part is True.

        Raises `IdempotencyMismatch` for other reports, `IdempotencyInProgress` while the first call
        still runs.
        """
        mine = (key_id, idempotency_key)
        if mine in self._in_progress:
            message = "a request with this Idempotency-Key still runs"
            raise IdempotencyInProgress(message)
        self._in_progress.add(mine)
        try:
            told = await self._tellings.tell(key_id, Telling(reports, idempotency_key))
            return told.answers, told.again
        finally:
            self._in_progress.discard(mine)

    async def find(self, score_ids: Sequence[str], key_id: str) -> dict[str, ScoreFacts]:
        """The scores of a key by id, those just answered among them; unknown ones are left out."""
        await self.recorder.flush()
        found = {}
        wanted = list(dict.fromkeys(score_ids))
        async with self.database.reading() as connection:
            for start in range(0, len(wanted), _LOOKED_UP_AT_ONCE):
                some = scores.c.score_id.in_(wanted[start : start + _LOOKED_UP_AT_ONCE])
                statement = select(scores).where(some, scores.c.key_id == key_id)
                for row in await connection.execute(statement):
                    found[row.score_id] = _facts(row)
        return found

    async def outcomes_of(self, facts: ScoreFacts) -> list[KeptOutcome]:
        """All that was told of a score, the latest last; what is in quarantine too."""
        applies = or_(outcomes.c.score_id.is_(None), outcomes.c.score_id == facts.score_id)
        mine = (
            outcomes.c.trajectory_digest == facts.trajectory_digest,
            outcomes.c.key_id == facts.key_id,
        )
        columns = [outcomes.c[name] for name in KeptOutcome.__slots__]
        statement = select(*columns).where(*mine, applies).order_by(outcomes.c.id)
        async with self.database.reading() as connection:
            return [KeptOutcome(*row) for row in await connection.execute(statement)]

    async def counted(self, since: float, slicing: Slicing) -> tuple[Counted, ...]:
        """What was scored at `since` (seconds since the epoch) or later."""
        await self.recorder.flush()
        async with self.database.reading(_WINDOW_PATIENCE_S) as connection:
            return await windows.read_counts(connection, since, slicing)

    async def window(self, since: float, most: int = windows.MOST_LABELS) -> Window:
        """What was scored at `since` (seconds since the epoch) or later and has an outcome, with the
        one that counts; of the `most` latest pairs of score and outcome."""
        async with self.database.reading(_WINDOW_PATIENCE_S) as connection:
            rows, floods = await windows.read_labelled(connection, since, most)
        return await asyncio.to_thread(windows.counting, rows, floods)

    async def labelled(self, since: float) -> tuple[Labelled, ...]:
        """The same, without what is disputed."""
        return (await self.window(since)).labelled

    async def logits(self, since: float, revision: str, most: int) -> list[float]:
        """Log-odds of the latest scores of one model, labelled or not."""
        async with self.database.reading(_WINDOW_PATIENCE_S) as connection:
            return await windows.read_logits(connection, since, revision, most)

    async def forget_old_keys(self) -> None:
        """Idempotency keys are kept for 30 days, and then until the next start."""
        async with self.database.writing() as connection:
            old = idempotency.c.created_at < self._clock() - KEYS_KEPT_S
            await connection.execute(delete(idempotency).where(old))

    async def _write_told(self, key_id: str, tellings: Sequence[Telling]) -> list[Result]:
        await self.recorder.flush()
        async with self.database.writing() as connection:
            await self._one_at_a_time(connection, key_id)
            results = await write_tellings(
                connection, tellings, key_id, self._clock(), self._outcomes_a_minute
            )
        self._told += len(tellings)  # behind the commit: who sees it grow sees the rows
        return results

    async def _one_at_a_time(self, connection: AsyncConnection, key_id: str) -> None:
        """Replicas that write for one key would not see each other's rows."""
        if not self.database.is_sqlite:
            lock = text("select pg_advisory_xact_lock(7203122, hashtext(:key_id))")
            await connection.execute(lock, {"key_id": key_id})

    async def _write_scores(self, batch: Sequence[ScoreFacts]) -> None:
        upsert: Any = sqlite.insert if self.database.is_sqlite else postgresql.insert
        texts: dict[str, str] = {}
        for facts in batch:
            if facts.document is not None:
                texts.setdefault(facts.trajectory_digest, facts.document)
        async with self.database.writing() as connection:
            await connection.execute(
                upsert(scores).on_conflict_do_nothing(index_elements=["score_id"]),
                [_row(facts) for facts in batch],
            )
            if texts:
                rows = [{"trajectory_digest": k, "document": _plain(v)} for k, v in texts.items()]
                statement = upsert(trajectories)
                await connection.execute(statement.on_conflict_do_nothing(), rows)


def _row(facts: ScoreFacts) -> dict[str, Any]:
    return {
        "score_id": facts.score_id,
        "trajectory_digest": facts.trajectory_digest,
        "prompt_digest": facts.prompt_digest,
        "model": facts.model,
        "revision": facts.revision,
        "template": facts.template,
        "system_fingerprint": facts.system_fingerprint,
        "calibration": facts.calibration,
        "logit": facts.logit,
        "probability": facts.probability,
        "raw_probability": facts.raw_probability,
        "label_mass": facts.label_mass,
        "key_id": facts.key_id,
        "created_at": facts.created_at,
        "instance_id": _plain(facts.instance_id),
        "group_name": _plain(facts.group),
        "policy": _plain(facts.tags.get("policy")),
        "source": _plain(facts.tags.get("source")),
        "tags": json.dumps(dict(facts.tags)) if facts.tags else "{}",
    }


def _facts(row: Any) -> ScoreFacts:
    known = {name: getattr(row, name) for name in _SAME_NAMES}
    return ScoreFacts(**known, group=row.group_name, tags=json.loads(row.tags))


_SAME_NAMES = tuple(n for n in ScoreFacts.__slots__ if n not in ("group", "tags", "document"))


def _plain(value: str | None) -> str | None:
    """PostgreSQL knows no NUL in a text."""
    return value.replace("\0", "\ufffd") if value and "\0" in value else value
