"""Inductive Venn-Abers predictors (Vovk, Petej & Fedorova 2015), laid down as two curves.

For a margin s: the isotonic regression of the labelled rows with (s, 0) added gives p0(s), with (s, 1)
added p1(s). One of the two is perfectly calibrated, whatever the distribution; how far they are apart
says how much the labels know near s. Both rise with s, so they are kept as knots.
"""

from __future__ import annotations

import numpy as np

from app.quality.sample import Floats

Knots = list[list[float]]
_GRID = 128


def venn_abers(
    logit: Floats, resolved: Floats, weight: Floats | None = None, grid: int = _GRID
) -> dict[str, Knots]:
    """`{"low": knots of p0, "high": knots of p1}` over at most `grid` quantiles of the margins."""
    values, place = np.unique(logit, return_inverse=True)
    weights = np.ones(len(logit)) if weight is None else weight / weight.mean()
    mass: Floats = np.bincount(place, weights).astype(np.float64)
    good: Floats = np.bincount(place, weights * resolved).astype(np.float64)
    there = mass > 0
    values, mass, good = values[there], mass[there], good[there]
    quantiles = np.linspace(0, len(values) - 1, min(grid, len(values))).round().astype(int)
    margins = values[np.unique(quantiles)]
    found = {}
    for name, label in (("low", 0.0), ("high", 1.0)):
        heights = [_added(values, mass, good, margin, label) for margin in margins]
        # The theory says that they rise; rounding may not.
        rising = np.clip(np.maximum.accumulate(heights), 0.0, 1.0)
        found[name] = [[float(x), float(y)] for x, y in zip(margins, rising, strict=True)]
    return found


def _added(values: Floats, mass: Floats, good: Floats, margin: float, label: float) -> float:
    """Height at `margin` of the isotonic regression with one more row there."""
    from sklearn.isotonic import isotonic_regression

    at = int(np.searchsorted(values, margin))
    weights, labels = mass.copy(), good.copy()
    weights[at] += 1.0
    labels[at] += label
    return float(isotonic_regression(labels / weights, sample_weight=weights)[at])
