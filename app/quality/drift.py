"""Whether the scores of today still look like those that a calibration was fitted on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from app.errors import InvalidRequest, NotEnoughLabels
from app.quality.sample import MIN_ROWS

_BINS = 10
_MODERATE, _LARGE = 0.1, 0.25


@dataclass(frozen=True, slots=True)
class Drift:
    """Population stability index Σ (a - e) ln(a / e) over the reference's bins.

    By convention `stable` below 0.1, `moderate` below 0.25, else `large`. `floor` is what samples of
    these sizes give on average though nothing moved: (bins - 1) (1/n + 1/n_reference).
    """

    psi: float
    floor: float
    n: int
    name: Literal["stable", "moderate", "large"]


def histogram(values: ArrayLike, bins: int = _BINS) -> dict[str, Any]:
    """`{"edges": inner edges, "counts"}` of about equal counts: the reference of `drift`."""
    column = np.asarray(values, dtype=np.float64)
    edges = np.unique(np.quantile(column, np.linspace(0, 1, bins + 1)[1:-1]))
    return {"edges": edges.tolist(), "counts": _counted(edges, column).tolist()}


def drift(reference: Mapping[str, Any], values: ArrayLike) -> Drift:
    """Raises `NotEnoughLabels` below 30 values, `InvalidRequest` for what is no histogram.

    Half a row is added to every bin, so that an empty one is no infinity.
    """
    column = np.asarray(values, dtype=np.float64)
    try:
        edges = np.asarray(reference["edges"], dtype=np.float64)
        expected = np.asarray(reference["counts"], dtype=np.float64)
    except (KeyError, TypeError, ValueError) as cause:
        message = "a reference histogram has edges and counts"
        raise InvalidRequest(message) from cause
    if len(expected) != len(edges) + 1 or (expected < 0).any() or not expected.sum():
        message = "a histogram has one count more than inner edges, and counts something"
        raise InvalidRequest(message)
    if len(column) < MIN_ROWS:
        message = f"{len(column)} values; at least {MIN_ROWS} are needed to speak of drift"
        raise NotEnoughLabels(message, limits={"measured": len(column), "allowed": MIN_ROWS})
    shares = [(each + 0.5) / (each + 0.5).sum() for each in (_counted(edges, column), expected)]
    psi = float(((shares[0] - shares[1]) * np.log(shares[0] / shares[1])).sum())
    floor = len(edges) * (1 / len(column) + 1 / float(expected.sum()))
    name: Literal["stable", "moderate", "large"] = "large"
    if psi < _LARGE:
        name = "stable" if psi < _MODERATE else "moderate"
    return Drift(psi, floor, len(column), name)


def _counted(edges: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1)
