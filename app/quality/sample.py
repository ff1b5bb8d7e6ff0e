"""Labelled scores as checked arrays, and the bootstrap that every interval comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from app.errors import InvalidRequest, NotEnoughLabels

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
MIN_ROWS = 30
_CELLS = 2_000_000  # weights held at once: 16 MB


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measure and its 95 % interval: percentiles of the bootstrap, widened to hold the value.

    (Resampling makes a calibration error grow, so the value itself may lie below its percentiles.)
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Sample:
    """Scores with their labels (0.0 or 1.0), weights, and the unit that is resampled as a whole."""

    score: Floats
    resolved: Floats
    weight: Floats
    unit: Ints
    units: int

    @property
    def n(self) -> int:
        return len(self.score)

    @property
    def positives(self) -> int:
        return int(self.resolved.sum())

    def weights(self, draws: int, seed: int) -> Iterator[Floats]:
        """Row weights of `draws` resamples of the units with replacement, shape [some, n]."""
        rng = np.random.default_rng(seed)
        at_once = max(1, _CELLS // max(self.n, self.units))
        alone = self.units == self.n
        for start in range(0, draws, at_once):
            rows = min(at_once, draws - start)
            picked = rng.integers(0, self.units, size=(rows, self.units))
            picked += np.arange(rows)[:, None] * self.units
            counts = np.bincount(picked.ravel(), minlength=rows * self.units)
            counts = counts.reshape(rows, self.units)
            yield (counts if alone else counts[:, self.unit]) * self.weight


def sample(
    score: ArrayLike,
    resolved: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    probabilities: bool = False,
) -> Sample:
    """Checks lengths and values. Raises `InvalidRequest`, and `NotEnoughLabels` below 30 rows or
    when all labels are alike. With `cluster` whole clusters are resampled, not rows."""
    scores, labels = _column("scores", score), _column("labels", resolved)
    _same_length(scores, labels)
    if not np.isin(labels, (0.0, 1.0)).all():
        message = "labels must be 0 or 1"
        raise InvalidRequest(message)
    if probabilities and not ((scores >= 0) & (scores <= 1)).all():
        message = "probabilities must lie in [0, 1]"
        raise InvalidRequest(message)
    weights = np.ones(len(scores)) if weight is None else _column("weights", weight)
    _same_length(scores, weights)
    if (weights < 0).any():
        message = "weights must not be negative"
        raise InvalidRequest(message)
    require_labels(labels[weights > 0])
    unit, units = np.arange(len(scores)), len(scores)
    if cluster is not None:
        unit, units = codes(cluster)
        _same_length(scores, unit)
    return Sample(scores, labels, weights, unit, units)


def require_labels(labels: Floats) -> None:
    """Raises `NotEnoughLabels`."""
    n, positives = len(labels), int(labels.sum())
    if n < MIN_ROWS:
        message = f"{n} labelled scores; at least {MIN_ROWS} are needed"
        raise NotEnoughLabels(message, limits={"measured": n, "allowed": MIN_ROWS})
    if positives in (0, n):
        kind = "resolved" if positives else "unresolved"
        message = f"all {n} labels say {kind}; both kinds are needed"
        raise NotEnoughLabels(message, limits={"measured": positives, "allowed": n})


def codes(values: ArrayLike) -> tuple[Ints, int]:
    """Any values as codes 0 … k - 1, and k."""
    kinds, found = np.unique(np.asarray(values), return_inverse=True)
    return found.astype(np.int64).ravel(), len(kinds)


def estimate(value: float, drawn: Floats) -> Estimate:
    """95 % percentiles; draws in which the measure does not exist (one class alone) are left out."""
    real = drawn[np.isfinite(drawn)]
    low, high = np.percentile(real, (2.5, 97.5)) if len(real) else (value, value)
    return Estimate(float(value), float(min(low, value)), float(max(high, value)))


def _column(what: str, values: ArrayLike) -> Floats:
    try:
        found = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as cause:
        message = f"{what} must be numbers"
        raise InvalidRequest(message) from cause
    if found.ndim != 1 or not np.isfinite(found).all():
        message = f"{what} must be one column of finite numbers"
        raise InvalidRequest(message)
    return found


def _same_length(one: Floats, other: Floats | Ints) -> None:
    if len(one) != len(other):
        message = f"columns of {len(one)} and of {len(other)} rows do not belong together"
        raise InvalidRequest(message)
