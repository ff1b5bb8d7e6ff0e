"""How true the scores are, by what was told of them since. Computed in a thread, one at a time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from app import quality
from app.api.feedback.follower import Follower
from app.errors import NotEnoughLabels, ServiceError
from app.metrics import Metrics
from app.outcomes import Counted, Labelled, Slicing, Store

_LOG = logging.getLogger("swe_rm.quality")
SLICINGS: tuple[Slicing, ...] = ("model", "calibration", "policy", "source")
_GAUGE_WINDOW_S = 7 * 86_400.0
_GAUGE_LABELS = 20_000  # the latest pairs of score and outcome; a second of work
_REFRESH_S = 30.0
_REST, _MOST_REST_S = 20.0, 300.0  # times what a refresh took: many labels may not cost a core
_FRESH_S = 10.0  # outcomes told here show at once, scores and other replicas' so much later
_DRAWS = 200
_DRIFT_SCORES = 10_000
_MOST_CANDIDATES = 64  # of one instance, in RM@k: its cost grows with their square
MOST_SLICES = 50  # of an answer, the largest; and of a gauge
OTHER = "other"

_Key = tuple[str | None, str, str, str]


class LiveQuality:
    """`named`: the policies and sources that may become metric labels; all others are `other`."""

    def __init__(
        self,
        store: Store,
        follower: Follower,
        metrics: Metrics,
        named: Iterable[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._follower = follower
        self._metrics = metrics
        self._named = frozenset(named)
        self._clock = clock
        self._turn = asyncio.Lock()
        self._kept: dict[tuple[Slicing, float], tuple[int, float, dict[str, Any]]] = {}

    async def slices(self, by: Slicing, window_s: float) -> dict[str, Any]:
        """Every slice of the window, the largest first, and how many trajectories are disputed, as
        the wire shows it."""
        async with self._turn:
            known = self._kept.get((by, window_s))
            told, now = self._store.told, self._clock()
            if known and known[0] == told and abs(now - known[1]) < _FRESH_S:
                return known[2]
            window = await self._store.window(now - window_s)
            counted = await self._store.counted(now - window_s, by)
            slices = await asyncio.to_thread(summarise, window.labelled, counted, by, measured)
            found = {"disputed": window.disputed, "slices": slices}
            self._kept = {k: v for k, v in self._kept.items() if abs(now - v[1]) < _FRESH_S}
            self._kept[by, window_s] = (told, now, found)
            return found

    async def refresh(self) -> None:
        """Sets the gauges. Raises what the store raises."""
        metrics = self._metrics.feedback
        since = self._clock() - _GAUGE_WINDOW_S
        rows: list[tuple[str, str, dict[str, Any]]] = []
        async with self._turn:
            window = await self._store.window(since, _GAUGE_LABELS)
            for by in SLICINGS:
                counted = await self._store.counted(since, by)
                found = await asyncio.to_thread(summarise, window.labelled, counted, by, gauged)
                rows += [(by, self.label(by, each["value"]), each) for each in found]
        metrics.disputed.set(window.disputed)
        for gauge in (metrics.auc, metrics.ece, metrics.brier):
            gauge.clear()
        # The slice of a label that has the most labelled runs comes last and stands.
        for slicing, value, each in sorted(rows, key=lambda row: int(row[2]["n"])):
            if each["enough"]:
                metrics.auc.labels(slicing, value).set(each["auc"])
                metrics.ece.labels(slicing, value).set(each["ece"])
                metrics.brier.labels(slicing, value).set(each["brier"])
        drift = await self.drift()
        metrics.drift.clear()
        if drift is not None:
            metrics.drift.labels(self._follower.active).set(drift.psi)

    async def drift(self) -> quality.Drift | None:
        """Of the latest scores' log-odds against those that the active calibration was fitted
        on; None where it keeps none, or where there are fewer than 30 scores."""
        reference = self._follower.fitted_on
        if reference is None:
            return None
        since = self._clock() - _GAUGE_WINDOW_S
        logits = await self._store.logits(since, self._follower.revision, _DRIFT_SCORES)
        if len(logits) < quality.MIN_ROWS:
            return None
        return quality.drift(reference, logits)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            began, rest_s = time.monotonic(), _REFRESH_S
            try:
                await self.refresh()
                rest_s = max(_REFRESH_S, min(_MOST_REST_S, _REST * (time.monotonic() - began)))
            except ServiceError:  # the store's own gauges say so
                pass
            except Exception:
                # Gauges that stop for ever would look like quality that does not move.
                self._metrics.defects.labels("quality").inc()
                _LOG.exception("the gauges of quality were not renewed")
            await asyncio.sleep(rest_s)

    def label(self, by: str, value: str | None) -> str:
        """The value of a metric label: bounded, whatever callers write into their tags."""
        if value is None:
            return "none"
        if by in ("policy", "source") and value not in self._named:
            return OTHER
        return value


def summarise(
    rows: Iterable[Labelled],
    counted: Iterable[Counted],
    by: Slicing,
    measure: Callable[[list[Labelled]], dict[str, Any]],
) -> list[dict[str, Any]]:
    """A slice is of one value, model, revision and calibration: probabilities of two calibrations
    are no one distribution. Labels of selected candidates are left out: they were picked by score."""
    labelled: dict[_Key, list[Labelled]] = {}
    for each in rows:
        if not each.selected:
            labelled.setdefault(_key(by, each), []).append(each)
    largest = sorted(counted, key=lambda c: -c.trajectories)[:MOST_SLICES]
    return [_slice(c, labelled.get(_key_of(c), []), measure) for c in largest]


def _key(by: Slicing, each: Labelled) -> _Key:
    value: str | None = getattr(each, by)
    return value, each.model, each.revision, each.calibration


def _key_of(counted: Counted) -> _Key:
    return counted.value, counted.model, counted.revision, counted.calibration


def _slice(
    counted: Counted,
    rows: list[Labelled],
    measure: Callable[[list[Labelled]], dict[str, Any]],
) -> dict[str, Any]:
    positives = sum(row.resolved for row in rows)
    head: dict[str, Any] = {
        "value": counted.value,
        "model": counted.model,
        "revision": counted.revision,
        "calibration": counted.calibration,
        "n": len(rows),
        "positives": positives,
        "scored": counted.trajectories,
        "label_coverage": min(1.0, len(rows) / max(1, counted.trajectories)),
    }
    if len(rows) < quality.MIN_ROWS or positives in (0, len(rows)):
        return head | {"enough": False}
    return head | {"enough": True} | measure(rows)


def gauged(rows: list[Labelled]) -> dict[str, Any]:
    """What the gauges show: numbers without intervals."""
    probability, resolved = [r.probability for r in rows], [int(r.resolved) for r in rows]
    return dict(quality.plain(probability, resolved))


def measured(rows: list[Labelled]) -> dict[str, Any]:
    """The numbers of enough labels; intervals resample whole tasks."""
    found = quality.summary(
        [row.probability for row in rows],
        [int(row.resolved) for row in rows],
        cluster=[row.instance_id or row.trajectory_digest for row in rows],
        draws=_DRAWS,
        seed=0,
    )
    bins = [asdict(each) for each in found.reliability]
    return {
        "auc": _interval(found.auc),
        "ece": _interval(found.ece) | {"floor": found.ece.floor},
        "ece_equal_mass": found.ece_equal_mass.value,
        "brier": found.brier.value,
        "log_loss": found.log_loss.value,
        "reliability": bins,
        "rm_at_k": _best_of_k(rows),
    }


def _best_of_k(rows: list[Labelled]) -> list[dict[str, Any]] | None:
    """What picking by score is worth, for k from 1 on. Rows without an instance are left out; None
    when no instance has two candidates, or when too few rows are left."""
    groups: dict[str, list[Labelled]] = {}
    for row in rows:
        if row.instance_id:
            groups.setdefault(row.instance_id, []).append(row)
    if max(map(len, groups.values()), default=0) < 2:
        return None
    # By digest, which knows nothing of scores and labels.
    kept = [r for g in groups.values() for r in sorted(g, key=_digest)[:_MOST_CANDIDATES]]
    try:
        curve = quality.best_of_k(
            [row.probability for row in kept],
            [int(row.resolved) for row in kept],
            [row.instance_id or "" for row in kept],
            [row.logit for row in kept],
            draws=_DRAWS,
        )
    except NotEnoughLabels:
        return None
    return [
        {"k": p.k, "instances": p.instances}
        | {name: _interval(getattr(p, name)) for name in ("picked", "oracle", "random")}
        for p in curve.points
    ]


def _digest(row: Labelled) -> str:
    return row.trajectory_digest


def _interval(estimate: Any) -> dict[str, float]:
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high}
