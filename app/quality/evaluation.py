"""Everything that is told of one verifier on labelled runs, as plain JSON: `report.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from app.errors import FallingFit, NotEnoughLabels
from app.quality.baselines import SHORTER, Baseline, baselines
from app.quality.best_of_k import best_of_k
from app.quality.fit import FOLDS, out_of_fold
from app.quality.sample import Floats, sample
from app.quality.summary import slice_of
from app.quality.within import auc_within, auc_within_difference

SERVED = "as served"


@dataclass(frozen=True, slots=True)
class Runs:
    """Labelled runs, one a row. `slice` is what the rows are told apart by (the policy); `tokens` is
    the length of each prompt, empty where nobody kept it; `counts` are columns for the regression,
    where they are known."""

    probability: Sequence[float]
    logit: Sequence[float]
    resolved: Sequence[int]
    instance: Sequence[str]
    slice: Sequence[str]
    tokens: Sequence[float] = ()
    counts: Mapping[str, Sequence[float]] = field(default_factory=dict)


def evaluate(
    runs: Runs, *, by: str = "policy", folds: int = FOLDS, draws: int = 1000, seed: int = 0
) -> dict[str, Any]:
    """The verifier as served and recalibrated by `folds`-fold cross-validation over instances, and
    the baselines, each pooled, within slices, as best of k, and against shorter-is-better.

    Raises `NotEnoughLabels`, `InvalidRequest`.
    """
    served = np.asarray(runs.probability, dtype=np.float64)
    logit = np.asarray(runs.logit, dtype=np.float64)
    simple = baselines(
        runs.resolved, runs.tokens, runs.instance, runs.counts, folds=folds, seed=seed
    )
    again, problem = _recalibrated(runs, folds, seed)
    scorers: list[tuple[Baseline, Floats | None]] = [
        (Baseline(SERVED, served, is_probability=True), logit)
    ]
    if again is not None:
        name = f"recalibrated, {folds} folds"
        scorers.append((Baseline(name, again, is_probability=True), logit))
    scorers += [(each, None) for each in simple]
    shorter = next((each.score for each in simple if each.name == SHORTER), None)
    told = [_told(runs, each, margin, shorter, draws, seed) for each, margin in scorers]
    labels = np.asarray(runs.resolved)
    return {
        "object": "quality.report",
        "by": by,
        "n": len(labels),
        "positives": int(labels.sum()),
        "instances": len(set(runs.instance)),
        "draws": draws,
        "recalibration_problem": problem,
        "scorers": told,
        "slices": _slices(runs, served, again, draws, seed),
    }


def _recalibrated(runs: Runs, folds: int, seed: int) -> tuple[Floats | None, str | None]:
    """Each run's probability from a curve that saw nothing of its instance, or why there is none."""
    try:
        rows = sample(runs.logit, runs.resolved, cluster=runs.instance)
        return out_of_fold(rows, "auto", folds, seed), None
    except (FallingFit, NotEnoughLabels) as error:
        return None, error.message


def _told(
    runs: Runs,
    scorer: Baseline,
    logit: Floats | None,
    shorter: Floats | None,
    draws: int,
    seed: int,
) -> dict[str, Any]:
    how: dict[str, Any] = {"cluster": runs.instance, "draws": draws, "seed": seed}
    labels = runs.resolved
    # A served 0 or 1 may stand for many margins; the order within is then the margin's.
    order = scorer.score if logit is None else _ranks(scorer.score, logit)
    other = order if shorter is None else shorter
    alone = shorter is None or scorer.name == SHORTER
    pooled = auc_within_difference(order, other, labels, **how)
    found: dict[str, Any] = {
        "name": scorer.name,
        "auc": asdict(pooled.a),
        "auc_above_shorter": None if alone else asdict(pooled.difference),
        "summary": slice_of(scorer.score, labels, **how) if scorer.is_probability else None,
        "best_of_k": asdict(
            best_of_k(scorer.score, labels, runs.instance, logit, draws=draws, seed=seed)
        ),
    }
    try:
        within = auc_within_difference(order, other, labels, runs.slice, **how)
        found["within"] = asdict(auc_within(order, labels, runs.slice, **how))
        found["within_above_shorter"] = None if alone else asdict(within.difference)
    except NotEnoughLabels:
        found |= {"within": None, "within_above_shorter": None}
    return found


def _ranks(probability: Floats, logit: Floats) -> Floats:
    """One number in the server's order: by probability, then by margin; equal in both, equal."""
    keys = np.stack([probability, logit], axis=1)
    _, place = np.unique(keys, axis=0, return_inverse=True)
    return place.astype(np.float64).ravel()


def _slices(
    runs: Runs, served: Floats, again: Floats | None, draws: int, seed: int
) -> list[dict[str, Any]]:
    column, labels = np.asarray(runs.slice, dtype=str), np.asarray(runs.resolved)
    instance = np.asarray(runs.instance, dtype=str)
    found = []
    for value in np.unique(column):
        mine = column == value
        how: dict[str, Any] = {"cluster": instance[mine], "draws": draws, "seed": seed}
        found.append(
            {
                "value": str(value),
                "served": slice_of(served[mine], labels[mine], **how),
                "recalibrated": None
                if again is None
                else slice_of(again[mine], labels[mine], **how),
            }
        )
    return found
