"""What a store knows of the verifier, measured as `evaluate` measures finished scores."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from app import quality
from app.errors import NotEnoughLabels, StartError
from app.outcomes import Labelled, Slicing, Store, open_store

_DRIFT_SCORES = 10_000
_SQLITE = "sqlite:///"


async def stored_report(
    url: str, window_s: float, by: Slicing, draws: int, folds: int = quality.FOLDS
) -> dict[str, Any]:
    """The revision with the most labels in the window of `window_s` seconds, as a report.

    Labels of candidates that were selected by score are left out: they say nothing of the others.
    Raises `StartError`, `NotEnoughLabels`.
    """
    if url.startswith(_SQLITE) and not Path(url.removeprefix(_SQLITE)).exists():
        message = f"there is no store at {url}"
        raise StartError(message)
    async with open_store(url) as store:
        since = time.time() - window_s
        rows = [row for row in await store.labelled(since) if not row.selected]
        if not rows:
            message = "the store holds no label in this window; choose a longer one"
            raise NotEnoughLabels(message, limits={"measured": 0, "allowed": quality.MIN_ROWS})
        revision = Counter(row.revision for row in rows).most_common(1)[0][0]
        mine = [row for row in rows if row.revision == revision]
        drift = await _drift(store, revision, since)
    return _report(mine, by, draws, folds) | {
        "maker": {
            "model": mine[-1].model,
            "revision": revision,
            "calibrations": sorted({row.calibration for row in mine}),
        },
        "labelled": len(rows),
        "failed": {},
        "drift": drift,
    }


def _report(rows: Sequence[Labelled], by: Slicing, draws: int, folds: int) -> dict[str, Any]:
    runs = quality.Runs(
        probability=[row.probability for row in rows],
        logit=[row.logit for row in rows],
        resolved=[int(row.resolved) for row in rows],
        instance=[row.instance_id or row.trajectory_digest for row in rows],
        slice=[getattr(row, by) or "none" for row in rows],
    )
    return quality.evaluate(runs, by=by, folds=folds, draws=draws)


async def _drift(store: Store, revision: str, since: float) -> dict[str, Any] | None:
    """Of the latest scores against those that the store's active calibration was fitted on; None
    where that keeps none, or is the model's own."""
    active = await store.calibrations.active(revision)
    kept = {each.id: each.document for each in await store.calibrations.all(revision)}
    reference = kept.get(active.calibration_id, {}).get("logits") if active else None
    logits = await store.logits(since, revision, _DRIFT_SCORES)
    if active is None or reference is None or len(logits) < quality.MIN_ROWS:
        return None
    return asdict(quality.drift(reference, logits)) | {"calibration": active.calibration_id}
