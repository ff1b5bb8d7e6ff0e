"""What was scored since a moment, and what became of it. Reads only."""

from __future__ import annotations

import bisect
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

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
_NAMES = {"model", "revision", "calibration", "policy", "source", "instance_id", "evidence"}
MOST_LABELS = 200_000  # bounds what a window may hold in memory
MOST_SLICES = 1000
_ROWS_AT_ONCE = 500  # some milliseconds of the event loop


class Pair(NamedTuple):
    """A score and one outcome of it; `score` and `outcome` are rows of the store."""

    score: int
    outcome: int
    key_id: str
    recorded_at: float
    label: Labelled


async def read_labelled(
    connection: AsyncConnection, since: float, most: int
) -> tuple[list[Pair], dict[str, list[float]]]:
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
    pairs: list[Pair] = []
    parts = statement.execution_options(yield_per=_ROWS_AT_ONCE)
    async with connection.stream(parts) as result:
        async for part in result.partitions():
            pairs += [_pair(row._mapping) for row in part]
    return pairs, await _floods(connection, since)


def counting(pairs: Sequence[Pair], floods: Mapping[str, list[float]]) -> Window:
    """Each (trajectory, revision) once, under its first score in the window. Of several outcomes the
    best evidence counts, then the latest, whichever score of the trajectory they were told of; what a
    key told in the minute before it flooded counts for nothing, for it was the flood's beginning. Of
    keys that disagree the better evidence counts; on equal evidence the trajectory counts for none."""
    kept = [pair for pair in pairs if not _ran_into(floods.get(pair.key_id, []), pair.recorded_at)]
    voices = _voices(kept)
    best: dict[int, Pair] = {}
    for pair in kept:
        if pair.label.resolved != voices[pair.label.trajectory_digest]:
            continue
        other = best.get(pair.score)
        if other is None or _weight(pair) < _weight(other):
            best[pair.score] = pair
    first: dict[tuple[str, str], Labelled] = {}
    for score in sorted(best):
        label = best[score].label
        first.setdefault((label.trajectory_digest, label.revision), label)
    disputed = sum(voice is None for voice in voices.values())
    return Window(tuple(first.values()), disputed)


def _voices(pairs: Sequence[Pair]) -> dict[str, bool | None]:
    """What is held of each trajectory; None where keys disagree on equal evidence."""
    by_key: dict[str, dict[str, Pair]] = {}
    for pair in pairs:
        mine = by_key.setdefault(pair.label.trajectory_digest, {})
        other = mine.get(pair.key_id)
        if other is None or _weight(pair) < _weight(other):
            mine[pair.key_id] = pair
    found: dict[str, bool | None] = {}
    for digest, mine in by_key.items():
        top = min(_weight(pair)[0] for pair in mine.values())
        said = {pair.label.resolved for pair in mine.values() if _weight(pair)[0] == top}
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


def _weight(pair: Pair) -> tuple[int, int]:
    return RANK[pair.label.evidence], -pair.outcome


def _pair(row: Mapping[Any, Any]) -> Pair:
    """Names are kept once: a window holds many thousand pairs, and few names."""
    label = Labelled(**{name: _once(name, row[name]) for name in Labelled.__slots__})
    return Pair(row["id"], row["outcome_id"], sys.intern(row["key_id"]), row["recorded_at"], label)


def _once(name: str, value: Any) -> Any:
    return sys.intern(value) if name in _NAMES and value is not None else value
