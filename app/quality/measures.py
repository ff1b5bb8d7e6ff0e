"""The measures themselves, for many weightings of the same rows at once.

Each takes weights of shape [draws, n] and gives [draws]: one row of ones is the plain measure, the
rows of a bootstrap its interval. Where scikit-learn has the measure, the two agree.
"""

from __future__ import annotations

import numpy as np

from app.quality.sample import Floats, Ints

_EPSILON = float(np.finfo(np.float64).eps)  # as scikit-learn's log_loss


class Pairs:
    """Order of resolved over unresolved rows: concordant pairs and all pairs, ties one half.

    concordant / all is the area under the ROC curve (Hanley & McNeil 1982), weighted.
    """

    def __init__(self, score: Floats, resolved: Floats) -> None:
        self._order = np.argsort(score, kind="stable")
        ranked = score[self._order]
        self._starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
        self._resolved = resolved[self._order]

    def count(self, weights: Floats) -> tuple[Floats, Floats]:
        """(concordant, all), each [draws]."""
        ordered = weights[:, self._order]
        above = np.add.reduceat(ordered * self._resolved, self._starts, axis=1)
        below = np.add.reduceat(ordered * (1 - self._resolved), self._starts, axis=1)
        beaten = np.cumsum(below, axis=1) - below / 2
        return (above * beaten).sum(axis=1), above.sum(axis=1) * below.sum(axis=1)


def ratio(part: Floats, whole: Floats) -> Floats:
    """part / whole; NaN where there is nothing to divide by."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(whole > 0, part / whole, np.nan))


def mean(values: Floats, weights: Floats) -> Floats:
    return ratio(weights @ values, weights.sum(axis=1))


def equal_width(probability: Floats, bins: int) -> Ints:
    """Bin of each row, (low, high] as scikit-learn's `calibration_curve`; 0 falls in the first."""
    edges = np.linspace(0.0, 1.0, bins + 1)
    return np.searchsorted(edges[1:-1], probability, side="left").astype(np.int64)


def equal_mass(probability: Floats, bins: int) -> Ints:
    """Bin of each row so that bins hold about as many rows; equal probabilities stay together."""
    values, place, counts = np.unique(probability, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - counts / 2
    bin_of = np.minimum((middle * bins / len(probability)).astype(np.int64), bins - 1)
    return np.asarray(bin_of[place.ravel()])


def one_hot(bin_of: Ints) -> Floats:
    """[n, bins that hold a row]."""
    _, dense = np.unique(bin_of, return_inverse=True)
    return np.asarray(np.eye(int(dense.max()) + 1)[dense.ravel()])


def calibration_error(gap: Floats, weights: Floats, members: Floats) -> Floats:
    """ECE (Naeini 2015, Guo 2017): Σ_bins |Σ w (probability - label)| / Σ w, of `gap` per row."""
    return ratio(np.abs((weights * gap) @ members).sum(axis=1), weights.sum(axis=1))


def log_losses(probability: Floats, resolved: Floats) -> Floats:
    """Natural log loss of each row; probabilities are kept one float step off 0 and 1."""
    kept = np.clip(probability, _EPSILON, 1 - _EPSILON)
    return np.asarray(-np.where(resolved > 0, np.log(kept), np.log1p(-kept)))
