"""What was scored since a moment, and what became of it. Reads only."""

from __future__ import annotations

import bisect
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import and_, distinct, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.outcomes.facts import RANK, Counted, Labelled, Window
from app.outcomes.labels import FLOOD, FLOOD_WINDOW_S
from app.outcomes.tables import outcomes, scores

_TOLD = ("resolved", "evidence", "selected")
_COLUMNS = (
    *(scores.c[name] for name in ("id", "key_id", *Labelled.__slots__) if name not in _TOLD),
    *(outcomes.c[name] for name in ("recorded_at", *_TOLD)),
)
MOST_LABELS = 200_000  # bounds what a window may hold in memory
MOST_SLICES = 1000
_ROWS_AT_ONCE = 500  # some milliseconds of the event loop


async def read_labelled(
    connection: AsyncConnection, since: float, most: int
) -> tuple[list[Any], dict[str, list[float]]]:
    """Scores made at `since` (seconds since the epoch) or later, each with every outcome of its own,
    of such pairs the `most` latest; and when each key flooded."""
    applies = and_(
        outcomes.c.trajectory_digest == scores.c.trajectory_digest,
        outcomes.c.key_id == scores.c.key_id,
        or_(outcomes.c.score_id.is_(None), outcomes.c.score_id == scores.c.score_id),
    )
    statement = (
        select(*_COLUMNS, outcomes.c.id.label("outcome_id"))
        .join(outcomes, applies)
        .where(scores.c.created_at >= since, outcomes.c.quarantine.is_(None))
        .order_by(outcomes.c.id.desc(), scores.c.id)
        .limit(most)
    )
    rows: list[Any] = []
    parts = statement.execution_options(yield_per=_ROWS_AT_ONCE)
    async with connection.stream(parts) as result:
        async for part in result.partitions():
            rows += part
    return rows, await _floods(connection, since)


def counting(rows: Sequence[Any], floods: Mapping[str, list[float]]) -> Window:
    """Each (trajectory, revision) once, under its first score in the window. Of several outcomes the
    best evidence counts, then the latest, whichever score of the trajectory they were told of; what a
    key told in the minute before it flooded counts for nothing, for it was the flood's beginning. Of
    keys that disagree the better evidence counts; on equal evidence the trajectory counts for none."""
    kept = [row for row in rows if not _ran_into(floods.get(row.key_id, []), row.recorded_at)]
    voices = _voices(kept)
    best: dict[int, Any] = {}
    for row in kept:
        if row.resolved != voices[row.trajectory_digest]:
            continue
        other = best.get(row.id)
        if other is None or _weight(row) < _weight(other):
            best[row.id] = row
    first: dict[tuple[str, str], Labelled] = {}
    for score in sorted(best):
        row = best[score]
        first.setdefault((row.trajectory_digest, row.revision), _labelled(row._mapping))
    disputed = sum(voice is None for voice in voices.values())
    return Window(tuple(first.values()), disputed)


def _voices(rows: Sequence[Any]) -> dict[str, bool | None]:
    """What is held of each trajectory; None where keys disagree on equal evidence."""
    by_key: dict[str, dict[str, Any]] = {}
    for row in rows:
        mine = by_key.setdefault(row.trajectory_digest, {})
        other = mine.get(row.key_id)
        if other is None or _weight(row) < _weight(other):
            mine[row.key_id] = row
    found: dict[str, bool | None] = {}
    for digest, mine in by_key.items():
        top = min(RANK[row.evidence] for row in mine.values())
        said = {bool(row.resolved) for row in mine.values() if RANK[row.evidence] == top}
        found[digest] = said.pop() if len(said) == 1 else None
    return found


async def _floods(connection: AsyncConnection, since: float) -> dict[str, list[float]]:
    """When each key told more than it may, rising."""
    when = (outcomes.c.key_id, outcomes.c.recorded_at)
    statement = (
        select(*when)
        .where(outcomes.c.quarantine == FLOOD, outcomes.c.recorded_at >= since)
        .group_by(*when)
        .order_by(outcomes.c.recorded_at)
    )
    found: dict[str, list[float]] = {}
    for row in await connection.execute(statement):
        found.setdefault(row.key_id, []).append(row.recorded_at)
    return found


def _ran_into(floods: list[float], recorded_at: float) -> bool:
    at = bisect.bisect_left(floods, recorded_at)
    return at < len(floods) and floods[at] - recorded_at < FLOOD_WINDOW_S


async def read_logits(
    connection: AsyncConnection, since: float, revision: str, most: int
) -> list[float]:
    """Uncalibrated log-odds of the latest scores of one model."""
    mine = (scores.c.created_at >= since, scores.c.revision == revision)
    statement = select(scores.c.logit).where(*mine).order_by(scores.c.id.desc()).limit(most)
    return list((await connection.execute(statement)).scalars())


async def read_counts(
    connection: AsyncConnection, since: float, slicing: str
) -> tuple[Counted, ...]:
    """How many trajectories were scored at `since` or later, labelled or not, by slice."""
    value = scores.c[slicing]
    by = (value, scores.c.model, scores.c.revision, scores.c.calibration)
    count = func.count(distinct(scores.c.trajectory_digest))
    statement = (
        select(*by, count).where(scores.c.created_at >= since).group_by(*by).order_by(count.desc())
    )
    found = await connection.execute(statement.limit(MOST_SLICES))
    return tuple(Counted(*row) for row in found)


def _weight(row: Any) -> tuple[int, int]:
    return RANK[row.evidence], -row.outcome_id


def _labelled(row: Mapping[Any, Any]) -> Labelled:
    return Labelled(**{name: row[name] for name in Labelled.__slots__})
