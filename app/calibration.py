"""Verdict → probability. Knows log-probabilities; no model, no tokens, no HTTP.

The raw margin is l_yes - l_no, where each side is reduced over its surface forms as the manifest says.
Its sigmoid is SWE-RM's score r = e^ly / (e^ly + e^ln) (arXiv 2512.21919). A calibrator is a monotone
function of the margin, read from a plain JSON document:

    {"id": "2026-11-platt", "method": "platt", "parameters": {"slope": 1.3, "intercept": -0.2}}
    {"id": …, "method": "temperature", "parameters": {"temperature": 1.7}}
    {"id": …, "method": "beta", "parameters": {"a": 0.8, "b": 1.4, "c": -0.1}}
    {"id": …, "method": "isotonic", "knots": [[-3.0, 0.05], [0.0, 0.4], [2.5, 0.9]]}

and, where they were fitted, `"venn_abers": {"low": knots, "high": knots}` for the interval,
`"slices": {"policy": {"<name>": {"method": …}}}` for policies with a curve of their own, and
`"for": "steps"` on one for steps. app/quality fits such documents; docs/calibration.md describes them.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from app.errors import EngineFailed, NoAnswer, StartError
from app.types import Interval, Labels, Score, Verdict

_Curve = Callable[[float], float]
Judged = Literal["trajectories", "steps"]
_LARGE = 700.0  # e^x is still a float
_SOFTPLUS_LARGE = math.log1p(math.exp(_LARGE))


@dataclass(frozen=True, slots=True)
class Margin:
    """What the verifier said, uncalibrated: natural log-odds, their sigmoid, and P(yes) + P(no)."""

    logit: float
    raw_probability: float
    label_mass: float


@dataclass(frozen=True, slots=True)
class Fitted:
    """A monotone curve from log-odds to probability, and the two that bound it where there are any."""

    curve: _Curve
    bounds: tuple[_Curve, _Curve] | None = None

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
    def curve(self) -> _Curve:
        return self.whole.curve

    def curve_for(self, policy: str | None) -> Fitted:
        """The policy's own curve where it has one, else that of all."""
        return self.policies.get(policy, self.whole) if policy is not None else self.whole


def margin(verdict: Verdict, labels: Labels) -> Margin:
    """Reads the margin out of a verdict's label log-probabilities.

    Raises `EngineFailed` unless there is a finite one for every label.
    """
    split = len(labels.yes_ids)
    values = verdict.label_logprobs
    if len(values) != len(labels.ids) or not all(map(math.isfinite, values)):
        message = "the verdict does not hold a finite log-probability for every label"
        raise EngineFailed(message)
    logit = _reduce(values[:split], labels) - _reduce(values[split:], labels)
    mass = math.fsum(math.exp(value) for value in values)
    return Margin(logit, sigmoid(logit), min(1.0, mass))


def score(
    verdict: Verdict,
    labels: Labels,
    calibrator: Calibrator,
    mass_floor: float,
    policy: str | None = None,
) -> Score:
    """`policy` is whose trajectory it is, where the caller says so.

    Raises `NoAnswer` when the model wanted to say neither yes nor no.
    """
    said = margin(verdict, labels)
    if said.label_mass < mass_floor:
        message = (
            f"the answer tokens hold {said.label_mass:.3g} of the probability, "
            f"less than the model's floor of {mass_floor:g}"
        )
        raise NoAnswer(message, limits={"measured": said.label_mass, "allowed": mass_floor})
    fitted = calibrator.curve_for(policy)
    return Score(
        probability=fitted.curve(said.logit),
        raw_probability=said.raw_probability,
        logit=said.logit,
        label_mass=said.label_mass,
        calibration=calibrator.id,
        interval=fitted.interval(said.logit),
    )


def sigmoid(logit: float) -> float:
    """1 / (1 + e^-x), without overflow at either end."""
    if logit >= 0:
        return 1.0 / (1.0 + math.exp(-logit))
    small = math.exp(logit)
    return small / (1.0 + small)


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
    curve = _curve(document.get("method"), document)
    bounds = document.get("venn_abers")
    if bounds is None:
        return Fitted(curve)
    low, high = _isotonic(bounds["low"]), _isotonic(bounds["high"])
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
    edges, counts = ([_number(each) for each in told[name]] for name in ("edges", "counts"))
    sound = all(map(math.isfinite, edges + counts)) and edges == sorted(edges)
    if not sound or len(counts) != len(edges) + 1 or min(counts) < 0 or not sum(counts):
        message = "logits: edges that rise are needed, and one count more than edges"
        raise ValueError(message)
    return {"edges": edges, "counts": counts}


def _curve(method: object, document: Mapping[str, Any]) -> _Curve:
    match method:
        case "identity":
            return sigmoid
        case "temperature":
            temperature = _positive(document, "temperature")
            return lambda logit: sigmoid(logit / temperature)
        case "platt":
            slope, intercept = _positive(document, "slope"), _finite(document, "intercept")
            return lambda logit: sigmoid(logit * slope + intercept)
        case "beta":
            return _beta(*(_finite(document, name) for name in "abc"))
        case "isotonic":
            return _isotonic(document["knots"])
    message = "unknown method; known are identity, temperature, platt, beta, isotonic"
    raise ValueError(message)


def _beta(a: float, b: float, c: float) -> _Curve:
    """sigmoid(a log p - b log(1 - p) + c) of p = sigmoid(logit) (Kull et al. 2017)."""
    if a < 0 or b < 0 or a == b == 0:
        message = "a and b must not be negative, nor both zero: the order of scores would be lost"
        raise ValueError(message)
    return lambda logit: sigmoid(b * _softplus(logit) - a * _softplus(-logit) + c)


def _softplus(x: float) -> float:
    """log(1 + e^x). Both branches only compose rising functions, so that rounding keeps the order."""
    return math.log1p(math.exp(x)) if x < _LARGE else max(x, _SOFTPLUS_LARGE)


def _isotonic(knots: Any) -> _Curve:
    logits = [_number(logit) for logit, _ in knots]
    heights = [_number(probability) for _, probability in knots]
    rising = logits == sorted(set(logits)) and heights == sorted(heights)
    finite = all(map(math.isfinite, logits + heights))
    if not knots or not rising or not finite or heights[0] < 0 or heights[-1] > 1:
        message = "knots must rise strictly in logit, never fall in probability, and lie in [0, 1]"
        raise ValueError(message)

    def curve(logit: float) -> float:
        right = bisect.bisect_right(logits, logit)
        if right == 0:
            return heights[0]
        if right == len(logits):
            return heights[-1]
        share = (logit - logits[right - 1]) / (logits[right] - logits[right - 1])
        between = heights[right - 1] + share * (heights[right] - heights[right - 1])
        return min(heights[right], between)

    return curve


def _reduce(logprobs: Sequence[float], labels: Labels) -> float:
    if labels.reduction == "logsumexp":
        top = max(logprobs)
        return top + math.log(math.fsum(math.exp(value - top) for value in logprobs))
    return max(logprobs)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        message = f"{value!r:.40} is no number"
        raise TypeError(message)
    return float(value)


def _finite(document: Mapping[str, Any], name: str) -> float:
    value = _number(document["parameters"][name])
    if not math.isfinite(value):
        message = f"{name} must be finite"
        raise ValueError(message)
    return value


def _positive(document: Mapping[str, Any], name: str) -> float:
    value = _finite(document, name)
    if value <= 0:
        message = f"{name} must be above zero, or the order of scores would be lost"
        raise ValueError(message)
    return value
