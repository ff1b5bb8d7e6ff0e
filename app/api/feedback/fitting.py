"""Labels → a calibration, judged on tasks that it has not seen. Pure work, run in a thread."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app import quality
from app.errors import CalibrationRefused, FallingFit, NotEnoughLabels
from app.outcomes import Labelled
from app.scorer import Scorer

Probability = Callable[[Labelled], float]
_LEAST = 1e-12


@dataclass(frozen=True, slots=True)
class Fitted:
    """A calibration fitted on all labels, and how one fitted on a part of them fared on the rest."""

    document: dict[str, Any]
    report: dict[str, Any]


def fit(
    rows: Sequence[Labelled],
    served: Probability,
    *,
    method: str,
    by_policy: bool,
    holdout: float,
    facts: dict[str, Any],
) -> Fitted:
    """`served` is the probability that is served today: a fit that makes log loss or Brier score on
    held-out tasks worse than that is refused.

    The tasks are dealt into 1 / `holdout` parts; each part is judged by a fit on the others, so that
    every label is held out once. Raises `CalibrationRefused`, also for too few labels, and
    `InvalidRequest` for unknown methods.
    """
    _require(rows)
    before, after = (
        _losses([(served(row), row.resolved) for row in rows]),
        _judged(rows, method, by_policy, max(2, round(1 / holdout))),
    )
    report = {
        "n": len(rows),
        "positives": sum(row.resolved for row in rows),
        "by": "policy" if by_policy else None,
        "holdout": holdout,
        "before": before,
        "after": after,
    }
    worse = [name for name in before if after[name] > before[name]]
    if worse:
        said = ", ".join(f"{name} {before[name]:.4f} → {after[name]:.4f}" for name in worse)
        message = f"on held-out tasks it would be worse than what is served: {said}"
        raise CalibrationRefused(message, limits={f"{n}_after": after[n] for n in after})
    return Fitted(_fit(rows, method, by_policy, facts), report)


def _judged(rows: Sequence[Labelled], method: str, by_policy: bool, parts: int) -> dict[str, float]:
    """The losses of fits on tasks that they have not seen."""
    told = []
    for part in range(parts):
        held = [row for row in rows if _part(row, parts) == part]
        document = _fit([row for row in rows if _part(row, parts) != part], method, by_policy, {})
        said = Scorer.calibrated(document)
        told += [(said(row.logit, row.policy), row.resolved) for row in held]
    return _losses(told)


def _fit(
    rows: Sequence[Labelled], method: str, by_policy: bool, facts: dict[str, Any]
) -> dict[str, Any]:
    slices = {"policy": [row.policy or "" for row in rows]} if by_policy else None
    try:
        document = quality.fit(
            [row.logit for row in rows],
            [int(row.resolved) for row in rows],
            method,
            cluster=[_task(row) for row in rows],
            slices=slices,
            holdout=0.0,  # judged here, against what is served
            facts=facts,
        )
    except (NotEnoughLabels, FallingFit) as cause:
        raise CalibrationRefused(cause.message, limits=cause.limits) from cause
    if by_policy:  # no policy is no slice
        document["slices"].get("policy", {}).pop("", None)
    return document


def _losses(told: Sequence[tuple[float, bool]]) -> dict[str, float]:
    """Means: natural log loss, probabilities kept 1e-12 off both ends, and Brier score."""
    logs = (math.log(max(_LEAST, p if resolved else 1 - p)) for p, resolved in told)
    return {
        "log_loss": -math.fsum(logs) / len(told),
        "brier": math.fsum((p - resolved) ** 2 for p, resolved in told) / len(told),
    }


def _require(rows: Sequence[Labelled]) -> None:
    positives = sum(row.resolved for row in rows)
    if len(rows) < quality.MIN_ROWS or positives in (0, len(rows)):
        message = (
            f"the window has {len(rows)} labels, {positives} of them resolved: "
            f"{quality.MIN_ROWS} are needed, and both kinds; choose a longer one"
        )
        limits = {"measured": len(rows), "allowed": quality.MIN_ROWS}
        raise CalibrationRefused(message, limits=limits)


def _task(row: Labelled) -> str:
    return row.instance_id or row.trajectory_digest


def _part(row: Labelled, parts: int) -> int:
    """Which part a task is dealt to: the same on every replica and every day."""
    return int.from_bytes(hashlib.sha256(_task(row).encode()).digest()[:8], "big") % parts
