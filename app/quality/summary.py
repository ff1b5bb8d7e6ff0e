"""How good labelled probabilities are: order, calibration, sharpness, each with its interval."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from app.errors import NotEnoughLabels
from app.quality import measures
from app.quality.sample import Estimate, Floats, Ints, Sample, estimate, sample

BINS = 15
_MEASURES = ("auc", "ece", "ece_equal_mass", "brier", "brier_skill", "log_loss")


@dataclass(frozen=True, slots=True)
class CalibrationError(Estimate):
    """An expected calibration error. `floor` is what labels drawn from the model's own
    probabilities give on average: no calibration can be expected to fall below it."""

    floor: float


@dataclass(frozen=True, slots=True)
class Decomposition:
    """Brier = reliability - resolution + uncertainty + within (Murphy 1973 over the bins; `within`
    is what binning hides, Stephenson et al. 2008)."""

    reliability: float
    resolution: float
    uncertainty: float
    within: float


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows with low < probability ≤ high: how many, their mean probability, their share resolved."""

    low: float
    high: float
    n: int
    mean_probability: float
    rate: float


@dataclass(frozen=True, slots=True)
class Summary:
    """`brier_skill` is 1 - Brier / Brier of the base rate. `reliability` leaves out empty bins."""

    n: int
    positives: int
    auc: Estimate
    ece: CalibrationError
    ece_equal_mass: CalibrationError
    brier: Estimate
    brier_skill: Estimate
    decomposition: Decomposition
    log_loss: Estimate
    reliability: tuple[Bin, ...]


def summary(
    probability: ArrayLike,
    resolved: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    draws: int = 1000,
    seed: int = 0,
    bins: int = BINS,
) -> Summary:
    """All measures of `probability` against `resolved` (0 or 1).

    Intervals are 95 % percentiles of `draws` bootstrap resamples of rows, or of whole clusters
    (`cluster`: one id a row, as the instance). Equal-mass bins are those of the rows as given.
    Raises `NotEnoughLabels` below 30 rows or with one class alone, `InvalidRequest` for bad values.
    """
    rows = sample(probability, resolved, weight=weight, cluster=cluster, probabilities=True)
    wide = measures.equal_width(rows.score, bins)
    gauges = _Gauges(rows, wide, measures.equal_mass(rows.score, bins))
    values = gauges.read(rows.weight[None, :])
    drawn = np.concatenate([gauges.read(weights) for weights in rows.weights(draws, seed)], axis=1)
    floors = gauges.floors(draws, seed)
    auc, ece, mass, brier, skill, log_loss = (
        estimate(float(value[0]), draw) for value, draw in zip(values, drawn, strict=True)
    )
    return Summary(
        n=rows.n,
        positives=rows.positives,
        auc=auc,
        ece=_with_floor(ece, floors[0]),
        ece_equal_mass=_with_floor(mass, floors[1]),
        brier=brier,
        brier_skill=skill,
        decomposition=_decomposition(rows, wide),
        log_loss=log_loss,
        reliability=_bins(rows, wide, bins),
    )


def plain(probability: ArrayLike, resolved: ArrayLike) -> dict[str, float]:
    """The values of `summary` without intervals and floors, at a hundredth of its price: auc, ece,
    ece_equal_mass, brier, brier_skill, log_loss. Raises what `summary` raises."""
    rows = sample(probability, resolved, probabilities=True)
    gauges = _Gauges(
        rows, measures.equal_width(rows.score, BINS), measures.equal_mass(rows.score, BINS)
    )
    found = gauges.read(rows.weight[None, :])[:, 0]
    return dict(zip(_MEASURES, found.tolist(), strict=True))


def slice_of(probability: ArrayLike, resolved: ArrayLike, **how: Any) -> dict[str, Any]:
    """`summary` as plain JSON with `enough: true`; of too few labels, counts and `enough: false`."""
    try:
        found = summary(probability, resolved, **how)
    except NotEnoughLabels:
        labels = np.asarray(resolved)
        return {"n": len(labels), "positives": int(labels.sum()), "enough": False}
    return {"enough": True} | asdict(found)


class _Gauges:
    """Everything that does not depend on the weights, made once."""

    def __init__(self, rows: Sample, wide: Ints, mass: Ints) -> None:
        self._rows = rows
        self._pairs = measures.Pairs(rows.score, rows.resolved)
        self._members = [measures.one_hot(wide), measures.one_hot(mass)]
        self._gap = rows.score - rows.resolved
        self._losses = measures.log_losses(rows.score, rows.resolved)

    def read(self, weights: Floats) -> Floats:
        """`_MEASURES` of each row of weights: [6, draws]."""
        rate = measures.mean(self._rows.resolved, weights)
        brier = measures.mean(self._gap**2, weights)
        errors = [measures.calibration_error(self._gap, weights, m) for m in self._members]
        return np.stack(
            [
                measures.ratio(*self._pairs.count(weights)),
                *errors,
                brier,
                1 - measures.ratio(brier, rate * (1 - rate)),
                measures.mean(self._losses, weights),
            ]
        )

    def floors(self, draws: int, seed: int) -> tuple[float, float]:
        """Mean ECE, equal width and equal mass, of labels drawn from the probabilities."""
        rng, n = np.random.default_rng([seed, 1]), self._rows.n
        found, at_once = [], max(1, 1_000_000 // n)
        for start in range(0, draws, at_once):
            labels = rng.random((min(at_once, draws - start), n)) < self._rows.score
            gap = (self._rows.score - labels) * self._rows.weight
            found.append([np.abs(gap @ m).sum(axis=1) for m in self._members])
        wide, mass = np.concatenate(found, axis=1).mean(axis=1) / self._rows.weight.sum()
        return float(wide), float(mass)


def _with_floor(found: Estimate, floor: float) -> CalibrationError:
    return CalibrationError(found.value, found.low, found.high, floor)


def _decomposition(rows: Sample, bin_of: Ints) -> Decomposition:
    members = measures.one_hot(bin_of)
    mass = rows.weight @ members
    kept = members[:, mass > 0]
    share, mass = mass[mass > 0] / rows.weight.sum(), mass[mass > 0]
    forecast = (rows.weight * rows.score) @ kept / mass
    rate = (rows.weight * rows.resolved) @ kept / mass
    base = float(np.average(rows.resolved, weights=rows.weight))
    brier = float(np.average((rows.score - rows.resolved) ** 2, weights=rows.weight))
    reliability = float(share @ (forecast - rate) ** 2)
    resolution = float(share @ (rate - base) ** 2)
    uncertainty = base * (1 - base)
    within = brier - (reliability - resolution + uncertainty)
    return Decomposition(reliability, resolution, uncertainty, within)


def _bins(rows: Sample, bin_of: Ints, bins: int) -> tuple[Bin, ...]:
    found = []
    for at in range(bins):
        mine = (bin_of == at) & (rows.weight > 0)
        if mine.any():
            forecast = float(np.average(rows.score[mine], weights=rows.weight[mine]))
            rate = float(np.average(rows.resolved[mine], weights=rows.weight[mine]))
            found.append(Bin(at / bins, (at + 1) / bins, int(mine.sum()), forecast, rate))
    return tuple(found)
