"""Labelled margins → a calibration document, plain JSON that the server reads (app/calibration)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from app.errors import FallingFit, InvalidRequest, NotEnoughLabels
from app.quality.drift import histogram
from app.quality.measures import log_losses
from app.quality.methods import METHODS, apply, fit_curve
from app.quality.sample import Floats, Ints, Sample, sample
from app.quality.summary import summary
from app.quality.venn_abers import venn_abers

FOLDS = 5
HOLDOUT = 0.3
SLICE_ROWS = 100  # a slice with fewer, or with under 10 of a kind, is served by the whole's curve
_SLICE_KIND = 10
_FACTS = {"id", "for", "model", "revision", "template", "created", "evidence"}


def fit(
    logit: ArrayLike,
    resolved: ArrayLike,
    method: str = "auto",
    *,
    weight: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    slices: Mapping[str, Sequence[str]] | None = None,
    holdout: float = HOLDOUT,
    seed: int = 0,
    facts: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A calibration document (docs/calibration.md) for margins (natural log-odds, uncalibrated).

    `auto` takes the method of least cross-validated log loss. `cluster` (instances) keeps rows of
    one cluster on one side of every split. `slices` maps the name of a slicing ("policy") to each
    row's value: slices with rows enough get curves of their own. `holdout` is the share of rows that
    before and after are measured on, with a curve that has not seen them; the document's own curve
    is then fitted on all. `facts`: id, for, model, revision, template, created, evidence.

    Raises `NotEnoughLabels` below 30 rows or with one class; `FallingFit` when the labels do not rise
    with the margin; `InvalidRequest` for bad values and unknown methods.
    """
    rows = sample(logit, resolved, weight=weight, cluster=cluster)
    told = _checked(facts or {})
    chosen, losses = _choose(rows, method, seed)
    found = _curves(rows, chosen)
    document = {"for": "trajectories"} | found
    if slices:
        parts = {name: _slices(rows, values, chosen) for name, values in slices.items()}
        document["slices"] = {name: curves for name, curves in parts.items() if curves}
    document |= {
        "fitted_on": _counts(rows) | {"slices": _slice_counts(rows, slices or {})},
        "logits": histogram(rows.score),
        "chosen_by": losses,
        "held_out": _held_out(rows, chosen, holdout, seed),
    }
    document |= told
    text = json.dumps(document, sort_keys=True, allow_nan=False)
    name = f"{chosen}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    return {"id": told.get("id") or name} | document


def folds_of(unit: Ints, resolved: Floats, folds: int, seed: int) -> list[tuple[Ints, Ints]]:
    """(train, test) row numbers; rows of one unit stay together, classes are spread evenly."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    how: dict[str, Any] = {"n_splits": folds, "shuffle": True, "random_state": seed}
    blank = np.zeros(len(unit))
    alone = len(np.unique(unit)) == len(unit)
    if alone and min(resolved.sum(), len(resolved) - resolved.sum()) >= folds:
        return list(StratifiedKFold(**how).split(blank, resolved))  # the same, and much faster
    return list(StratifiedGroupKFold(**how).split(blank, resolved, groups=unit))


def out_of_fold(rows: Sample, method: str, folds: int = FOLDS, seed: int = 0) -> Floats:
    """Each row's probability by a curve of `method` (or auto) that saw nothing of its unit.

    Raises as `fit`, also when a fold holds one class alone.
    """
    require_units(rows, folds)
    return _over(rows, folds_of(rows.unit, rows.resolved, folds, seed), method, seed)


def _over(rows: Sample, splits: list[tuple[Ints, Ints]], method: str, seed: int) -> Floats:
    found = np.full(rows.n, np.nan)
    for train, test in splits:
        part = _taken(rows, train)
        require_both(part.resolved)
        chosen = _choose(part, method, seed)[0] if method == "auto" else method
        curve = fit_curve(chosen, part.score, part.resolved, part.weight)
        found[test] = apply(curve, rows.score[test])
    return found


def _choose(rows: Sample, method: str, seed: int) -> tuple[str, dict[str, Any] | None]:
    """The method, and for `auto` the cross-validated mean log loss of each that could be fitted."""
    if method != "auto":
        return method, None
    require_units(rows, FOLDS)
    splits = folds_of(rows.unit, rows.resolved, FOLDS, seed)
    losses: dict[str, float] = {}
    failed: FallingFit | None = None
    for each in METHODS:
        try:
            found = log_losses(_over(rows, splits, each, seed), rows.resolved)
        except FallingFit as error:
            failed = error
            continue
        losses[each] = float(np.average(found, weights=rows.weight))
    if failed is not None and set(losses) <= {"identity", "isotonic"}:
        raise failed  # the labels fall: that identity fits least badly is no calibration
    # Ties go to the simpler one, which stands first.
    return min(losses, key=lambda each: losses[each]), {"folds": FOLDS, "log_loss": losses}


def _curves(rows: Sample, method: str) -> dict[str, Any]:
    curve = fit_curve(method, rows.score, rows.resolved, rows.weight)
    return curve | {"venn_abers": venn_abers(rows.score, rows.resolved, rows.weight)}


def _slices(rows: Sample, values: Sequence[str], method: str) -> dict[str, Any]:
    """Curves of the slices that have labels enough and rise; the others fall back to the whole's."""
    found: dict[str, Any] = {}
    for value, mine in _members(rows, values):
        part = _taken(rows, mine)
        if part.n < SLICE_ROWS or min(part.positives, part.n - part.positives) < _SLICE_KIND:
            continue
        try:
            found[value] = _curves(part, method) | {"fitted_on": _counts(part)}
        except FallingFit:
            continue
    return found


def _held_out(rows: Sample, method: str, holdout: float, seed: int) -> dict[str, Any] | None:
    """Before and after on rows whose units the curve has not seen; None where they are too few."""
    if not 0 < holdout < 1:
        return None
    folds = max(2, round(1 / holdout))
    try:
        require_units(rows, folds)
        train, test = folds_of(rows.unit, rows.resolved, folds, seed)[0]
        part, rest = _taken(rows, train), _taken(rows, test)
        require_both(part.resolved)
        curve = fit_curve(method, part.score, part.resolved, part.weight)
        before, after = (
            _brief(apply(each, rest.score), rest, seed) for each in ({"method": "identity"}, curve)
        )
    except (NotEnoughLabels, FallingFit):
        return None
    return {"n": rest.n, "positives": rest.positives, "before": before, "after": after}


def _brief(probability: Floats, rows: Sample, seed: int) -> dict[str, Any]:
    found = asdict(
        summary(probability, rows.resolved, weight=rows.weight, cluster=rows.unit, seed=seed)
    )
    kept = ("auc", "ece", "ece_equal_mass", "brier", "brier_skill", "log_loss")
    return {name: found[name] for name in kept}


def _checked(facts: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(facts) - _FACTS)
    if unknown or facts.get("for", "trajectories") not in ("trajectories", "steps"):
        message = f"facts of a calibration: unknown are {unknown}; `for` is trajectories or steps"
        raise InvalidRequest(message)
    return dict(facts)


def _counts(rows: Sample) -> dict[str, Any]:
    return {"n": rows.n, "positives": rows.positives, "clusters": rows.units}


def _slice_counts(
    rows: Sample, slices: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, dict[str, int]]]:
    return {
        name: {
            value: {"n": len(mine), "positives": int(rows.resolved[mine].sum())}
            for value, mine in _members(rows, values)
        }
        for name, values in slices.items()
    }


def _members(rows: Sample, values: Sequence[str]) -> Iterator[tuple[str, Ints]]:
    if len(values) != rows.n:
        message = f"{rows.n} rows, but {len(values)} values of a slice"
        raise InvalidRequest(message)
    column = np.asarray(values, dtype=str)
    for value in np.unique(column):
        yield str(value), np.flatnonzero(column == value)


def _taken(rows: Sample, mine: Ints) -> Sample:
    kinds, unit = np.unique(rows.unit[mine], return_inverse=True)
    parts = (rows.score[mine], rows.resolved[mine], rows.weight[mine])
    return Sample(*parts, unit.ravel().astype(np.int64), len(kinds))


def require_both(labels: Floats) -> None:
    """Raises `NotEnoughLabels` where a part of the rows is all of one kind."""
    if labels.min() == labels.max():
        message = "a split by instance leaves labels of one kind alone; more instances are needed"
        raise NotEnoughLabels(message)


def require_units(rows: Sample, folds: int) -> None:
    """Raises `NotEnoughLabels` where a fold would be empty."""
    if rows.units < folds:
        message = f"{rows.units} instances cannot be split into {folds} folds"
        raise NotEnoughLabels(message, limits={"measured": rows.units, "allowed": folds})
