"""Reports → rows, inside one transaction of the caller's.

Corrections are rows of their own. A row counts unless it is in quarantine: a label that contradicts
what tests said of the same trajectory (`contradicts_tests`), or one too many from its key (`flood`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Select, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.errors import IdempotencyMismatch
from app.outcomes.facts import Recorded, Report
from app.outcomes.tables import idempotency, outcomes, scores
from app.outcomes.telling import Result, Telling, Told

CONTRADICTS = "contradicts_tests"
FLOOD = "flood"
FLOOD_WINDOW_S = 60.0
_AT_ONCE = 500  # parameters of one statement

# (score_id or None for a whole trajectory, trajectory digest, evidence)
_Target = tuple[str | None, str, str]


@dataclass(slots=True)
class _Known:
    """What the store holds about the trajectories of a request, kept up to date within it.

    `latest`: resolved, selected and quarantine of the last row of a target; `tested`: what tests
    last said of a trajectory.
    """

    digest_of: dict[str, str] = field(default_factory=dict)
    scored: dict[str, int] = field(default_factory=dict)
    latest: dict[_Target, tuple[bool, bool, str | None]] = field(default_factory=dict)
    tested: dict[str, bool] = field(default_factory=dict)

    def note(self, row: dict[str, Any]) -> None:
        digest, evidence, quarantine = row["trajectory_digest"], row["evidence"], row["quarantine"]
        target = (row["score_id"], digest, evidence)
        self.latest[target] = (row["resolved"], row["selected"], quarantine)
        if evidence == "tests" and quarantine is None:
            self.tested[digest] = row["resolved"]


async def write_tellings(
    connection: AsyncConnection,
    tellings: Sequence[Telling],
    key_id: str,
    now: float,
    most_a_minute: int,
) -> list[Result]:
    """One result a call, in order; what is new is written. As many statements for many calls as for
    one."""
    first = await _first_answers(connection, tellings, key_id)
    fresh = [each for each in tellings if each.idempotency_key not in first]
    reports = [report for each in fresh for report in each.reports]
    known = await _look_up(connection, reports, key_id)
    room = most_a_minute - await _recent(connection, key_id, now)
    rows, kept, results = list[dict[str, Any]](), list[dict[str, Any]](), list[Result]()
    mine = {"key_id": key_id, "recorded_at": now}
    for telling in tellings:
        if telling.idempotency_key in first:
            results.append(_again(telling, *first[telling.idempotency_key]))
            continue
        answers = []
        for report in telling.reports:
            answer, row = _decide(report, known, room - len(rows) > 0)
            answers.append(answer)
            if row:
                known.note(row)
                rows.append(row | mine)
        results.append(Told(answers))
        if telling.idempotency_key is not None:
            kept.append(_kept(telling, answers, key_id, now))
    for table, new in ((outcomes, rows), (idempotency, kept)):
        if new:
            await connection.execute(insert(table), new)
    return results


async def _first_answers(
    connection: AsyncConnection, tellings: Sequence[Telling], key_id: str
) -> dict[str | None, tuple[str, str]]:
    """What was kept under the calls' idempotency keys: digest of the body, and the answer."""
    keys = [each.idempotency_key for each in tellings if each.idempotency_key is not None]

    def by_key(some: Sequence[str]) -> Select[Any]:
        own = (idempotency.c.key_id == key_id, idempotency.c.idempotency_key.in_(some))
        return select(idempotency).where(*own)

    found = _chunks(connection, by_key, keys)
    return {row.idempotency_key: (row.body_digest, row.answer) async for row in found}


def _again(telling: Telling, body_digest: str, answer: str) -> Result:
    if body_digest != _digest(telling.reports):
        message = "this Idempotency-Key was used with another body"
        return IdempotencyMismatch(message)
    return Told([Recorded(*each) for each in json.loads(answer)], again=True)


def _kept(telling: Telling, answers: Sequence[Recorded], key_id: str, now: float) -> dict[str, Any]:
    return {
        "key_id": key_id,
        "idempotency_key": telling.idempotency_key,
        "body_digest": _digest(telling.reports),
        "answer": json.dumps([[each.status, each.matched] for each in answers]),
        "created_at": now,
    }


def _digest(reports: Sequence[Report]) -> str:
    body = json.dumps([asdict(report) for report in reports], sort_keys=True)
    return hashlib.sha256(body.encode()).hexdigest()


def _decide(report: Report, known: _Known, room: bool) -> tuple[Recorded, dict[str, Any] | None]:
    digest = report.trajectory_digest or known.digest_of.get(report.score_id or "")
    matched = 1 if report.score_id else known.scored.get(digest or "", 0)
    if digest is None or not matched:
        return Recorded("unknown_score", 0), None
    before = known.latest.get((report.score_id, digest, report.evidence))
    kept = before[2] if before else None
    same = before is not None and before[:2] == (report.resolved, report.selected)
    if same and kept != CONTRADICTS:
        return Recorded("quarantined", 0) if kept else Recorded("duplicate", matched), None
    quarantine = None
    if report.evidence != "tests" and known.tested.get(digest, report.resolved) != report.resolved:
        quarantine = CONTRADICTS
    elif not room:
        quarantine = FLOOD
    if same and quarantine == kept:  # else tests have changed their mind since
        return Recorded("quarantined", 0), None
    row = {
        "trajectory_digest": digest,
        "score_id": report.score_id,
        "resolved": report.resolved,
        "evidence": report.evidence,
        "selected": report.selected,
        "observed_at": report.observed_at,
        "quarantine": quarantine,
    }
    return Recorded("quarantined", 0) if quarantine else Recorded("recorded", matched), row


async def _look_up(connection: AsyncConnection, reports: Sequence[Report], key_id: str) -> _Known:
    """Only what belongs to the key: a foreign score is an unknown one."""
    known = _Known()

    def by_id(ids: Sequence[str]) -> Select[Any]:
        found = select(scores.c.score_id, scores.c.trajectory_digest)
        return found.where(scores.c.score_id.in_(ids), scores.c.key_id == key_id)

    async for row in _chunks(connection, by_id, (r.score_id for r in reports if r.score_id)):
        known.digest_of[row.score_id] = row.trajectory_digest
    told = (r.trajectory_digest for r in reports if r.trajectory_digest)

    def by_digest(digests: Sequence[str]) -> Select[Any]:
        found = select(scores.c.trajectory_digest, func.count().label("scored"))
        mine = found.where(scores.c.trajectory_digest.in_(digests), scores.c.key_id == key_id)
        return mine.group_by(scores.c.trajectory_digest)

    async for row in _chunks(connection, by_digest, told):
        known.scored[row.trajectory_digest] = row.scored

    def earlier(digests: Sequence[str]) -> Select[Any]:
        found = select(outcomes).where(outcomes.c.trajectory_digest.in_(digests))
        return found.where(outcomes.c.key_id == key_id).order_by(outcomes.c.id)

    digests = [*known.digest_of.values(), *known.scored]
    async for row in _chunks(connection, earlier, digests):
        known.note(dict(row._mapping))
    return known


async def _chunks(
    connection: AsyncConnection,
    statement: Callable[[Sequence[str]], Select[Any]],
    values: Iterable[str],
) -> Any:
    for some in _slices(list(dict.fromkeys(values))):
        for row in await connection.execute(statement(some)):
            yield row


def _slices(values: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]


async def _recent(connection: AsyncConnection, key_id: str, now: float) -> int:
    """Rows that the key added in the last minute, and those that a clock put into the future."""
    mine = (outcomes.c.key_id == key_id, outcomes.c.recorded_at > now - FLOOD_WINDOW_S)
    return int((await connection.execute(select(func.count()).where(*mine))).scalar_one())
