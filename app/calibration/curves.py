"""Log-odds → probability: the monotone curves that a document may name."""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Mapping
from typing import Any

Curve = Callable[[float], float]
_LARGE = 700.0  # e^x is still a float
_SOFTPLUS_LARGE = math.log1p(math.exp(_LARGE))


def sigmoid(logit: float) -> float:
    """1 / (1 + e^-x), without overflow at either end."""
    if logit >= 0:
        return 1.0 / (1.0 + math.exp(-logit))
    small = math.exp(logit)
    return small / (1.0 + small)


def read_curve(method: object, document: Mapping[str, Any]) -> Curve:
    """Raises `ValueError`, `TypeError` or `KeyError` where the curve would not be monotone and within
    [0, 1], or the document does not say it."""
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
            return read_isotonic(document["knots"])
    message = "unknown method; known are identity, temperature, platt, beta, isotonic"
    raise ValueError(message)


def _beta(a: float, b: float, c: float) -> Curve:
    """sigmoid(a log p - b log(1 - p) + c) of p = sigmoid(logit) (Kull et al. 2017)."""
    if a < 0 or b < 0 or a == b == 0:
        message = "a and b must not be negative, nor both zero: the order of scores would be lost"
        raise ValueError(message)
    return lambda logit: sigmoid(b * _softplus(logit) - a * _softplus(-logit) + c)


def _softplus(x: float) -> float:
    """log(1 + e^x). Both branches only compose rising functions, so that rounding keeps the order."""
    return math.log1p(math.exp(x)) if x < _LARGE else max(x, _SOFTPLUS_LARGE)


def read_isotonic(knots: Any) -> Curve:
    logits = [number(logit) for logit, _ in knots]
    heights = [number(probability) for _, probability in knots]
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


def number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        message = f"{value!r:.40} is no number"
        raise TypeError(message)
    return float(value)


def _finite(document: Mapping[str, Any], name: str) -> float:
    value = number(document["parameters"][name])
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
