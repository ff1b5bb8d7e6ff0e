"""Labels → a calibration, judged on tasks that it has not seen. Pure work, run in a thread."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app import quality
from app.errors import CalibrationRefused, NotEnoughLabels
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
    the held-out tasks worse than that is refused.

    Raises `CalibrationRefused`, also for too few labels, and `InvalidRequest` for unknown methods.
    """
    held = [row for row in rows if _share(_task(row)) < holdout]
    seen = [row for row in rows if _share(_task(row)) >= holdout]
    _require(held, "held-out")
    _require(seen, "fitted")
    try:
        trial = _fit(seen, method, by_policy, {})
        document = _fit(rows, trial["method"], by_policy, facts)
    except NotEnoughLabels as cause:
        raise CalibrationRefused(cause.message, limits=cause.limits) from cause
    before, after = _losses(held, served), _losses(held, _probability(trial))
    report = {
        "n": len(rows),
        "n_held_out": len(held),
        "by": "policy" if by_policy else None,
        "before": before,
        "after": after,
    }
    worse = [name for name in before if after[name] > before[name]]
    if worse:
        said = ", ".join(f"{name} {before[name]:.4f} → {after[name]:.4f}" for name in worse)
        message = f"on held-out tasks it would be worse than what is served: {said}"
        raise CalibrationRefused(message, limits={f"{n}_after": after[n] for n in after})
    return Fitted(document, report)


def _fit(
    rows: Sequence[Labelled], method: str, by_policy: bool, facts: dict[str, Any]
) -> dict[str, Any]:
    slices = {"policy": [row.policy or "" for row in rows]} if by_policy else None
    document = quality.fit(
        [row.logit for row in rows],
        [int(row.resolved) for row in rows],
        method,
        cluster=[_task(row) for row in rows],
        slices=slices,
        holdout=0.0,  # judged here, against what is served
        facts=facts,
    )
    if by_policy:  # no policy is no slice
        document["slices"].get("policy", {}).pop("", None)
    return document


def _probability(document: dict[str, Any]) -> Probability:
    whole = Scorer.curve(document)
    found = document.get("slices", {}).get("policy", {})
    curves = {name: Scorer.curve({**curve, "id": name}) for name, curve in found.items()}
    return lambda row: curves.get(row.policy or "", whole)(row.logit)


def _losses(rows: Sequence[Labelled], probability: Probability) -> dict[str, float]:
    """Means: natural log loss, probabilities kept 1e-12 off both ends, and Brier score."""
    told = [(probability(row), row.resolved) for row in rows]
    logs = (math.log(max(_LEAST, p if resolved else 1 - p)) for p, resolved in told)
    return {
        "log_loss": -math.fsum(logs) / len(told),
        "brier": math.fsum((p - resolved) ** 2 for p, resolved in told) / len(told),
    }


def _require(rows: Sequence[Labelled], part: str) -> None:
    positives = sum(row.resolved for row in rows)
    if len(rows) < quality.MIN_ROWS or positives in (0, len(rows)):
        message = (
            f"the {part} part has {len(rows)} labels, {positives} of them resolved: "
            f"{quality.MIN_ROWS} of both kinds are needed; choose a longer window"
        )
        limits = {"measured": len(rows), "allowed": quality.MIN_ROWS}
        raise CalibrationRefused(message, limits=limits)


def _task(row: Labelled) -> str:
    return row.instance_id or row.trajectory_digest


def _share(task: str) -> float:
    """Between 0 and 1, the same for a task on every replica and every day."""
    return int.from_bytes(hashlib.sha256(task.encode()).digest()[:8], "big") / 2**64
