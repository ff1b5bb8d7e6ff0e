"""Calibration documents → calibrators."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from app.calibration.curves import Curve, number, read_curve, read_isotonic, sigmoid
from app.errors import StartError
from app.types import Interval

Judged = Literal["trajectories", "steps"]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A monotone curve from log-odds to probability, and the two that bound it where there are any."""

    curve: Curve
    bounds: tuple[Curve, Curve] | None = None

    def interval(self, logit: float) -> Interval | None:
        """The Venn-Abers interval at a margin, widened to hold the probability there.

        The bounds say what the labels near that margin allow, the curve also what its form borrows
        from labels far away, so it may leave them. The probability stays as it is, for ranking and
        calibration rest on its curve alone; and widening keeps both bounds monotone.
        """
        if self.bounds is None:
            return None
        probability, (low, high) = self.curve(logit), self.bounds
        return Interval(min(low(logit), probability), max(high(logit), probability), "venn_abers")


@dataclass(frozen=True, slots=True)
class Calibrator:
    """The curve of all, those of policies with their own; `logits`: margins it was fitted on."""

    id: str
    method: str
    whole: Fitted
    policies: Mapping[str, Fitted] = field(default_factory=dict)
    judges: Judged = "trajectories"
    logits: Mapping[str, Sequence[float]] | None = None

    @property
    def curve(self) -> Curve:
        return self.whole.curve

    def curve_for(self, policy: str | None) -> Fitted:
        """The policy's own curve where it has one, else that of all."""
        return self.policies.get(policy, self.whole) if policy is not None else self.whole


IDENTITY = Calibrator("identity", "identity", Fitted(sigmoid))


def read_calibrators(documents: Sequence[Mapping[str, Any]]) -> dict[str, Calibrator]:
    """All calibrators by id, `identity` among them. Raises `StartError` naming the document."""
    found = {IDENTITY.id: IDENTITY}
    for document in documents:
        calibrator = read_calibrator(document)
        if calibrator.id in found:
            message = f"two calibrations are called {calibrator.id!r}"
            raise StartError(message)
        found[calibrator.id] = calibrator
    return found


def chosen(calibrators: Mapping[str, Calibrator], name: str, judges: Judged) -> Calibrator:
    """The one a manifest calls active. Raises `StartError` when it is not there or judges others."""
    found = calibrators.get(name)
    if found is None:
        message = f"the active calibration {name!r} is not among the model's"
        raise StartError(message)
    if found.judges != judges:
        message = f"calibration {name!r} is for {found.judges}; it cannot be active for {judges}"
        raise StartError(message)
    return found


def read_calibrator(document: Mapping[str, Any]) -> Calibrator:
    """Raises `StartError` when a curve would not be monotone and within [0, 1]."""
    name = document.get("id")
    if not isinstance(name, str) or not name:
        message = "a calibration document has no id"
        raise StartError(message)
    method = document.get("method")
    try:
        whole = _fitted(document)
        policies = {key: _fitted(each) for key, each in _policies(document).items()}
        judges, logits = _judges(document), _histogram(document.get("logits"))
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as cause:
        message = f"calibration {name!r}, method {method!r}: {cause}"
        raise StartError(message) from cause
    return Calibrator(name, str(method), whole, policies, judges, logits)


def _fitted(document: Mapping[str, Any]) -> Fitted:
    curve = read_curve(document.get("method"), document)
    bounds = document.get("venn_abers")
    if bounds is None:
        return Fitted(curve)
    low, high = read_isotonic(bounds["low"]), read_isotonic(bounds["high"])
    if any(low(logit) > high(logit) for side in ("low", "high") for logit, _ in bounds[side]):
        message = "venn_abers: the low curve crosses the high one"
        raise ValueError(message)
    return Fitted(curve, (low, high))


def _policies(document: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    slices = document.get("slices", {})
    if set(slices) - {"policy"}:
        message = f"slices by {sorted(set(slices) - {'policy'})}; only by policy are known"
        raise ValueError(message)
    return dict(slices.get("policy", {}))


def _judges(document: Mapping[str, Any]) -> Judged:
    match document.get("for", "trajectories"):
        case "trajectories":
            return "trajectories"
        case "steps":
            return "steps"
    message = "for: known are trajectories and steps"
    raise ValueError(message)


def _histogram(told: Any) -> Mapping[str, Sequence[float]] | None:
    if told is None:
        return None
    edges, counts = ([number(each) for each in told[name]] for name in ("edges", "counts"))
    sound = all(map(math.isfinite, edges + counts)) and edges == sorted(edges)
    if not sound or len(counts) != len(edges) + 1 or min(counts) < 0 or not sum(counts):
        message = "logits: edges that rise are needed, and one count more than edges"
        raise ValueError(message)
    return {"edges": edges, "counts": counts}
