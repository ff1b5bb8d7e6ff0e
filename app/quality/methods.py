"""Monotone curves from margin (natural log-odds) to probability: each fitted, and each evaluated.

Platt scaling, temperature and beta calibration are logistic regressions without penalty, isotonic
regression its own; scikit-learn fits them all. A fitted curve is plain JSON, as serving reads it.
"""

from __future__ import annotations

import warnings
from typing import Any, Literal

import numpy as np

from app.errors import FallingFit, InvalidRequest
from app.quality.sample import Floats

Method = Literal["identity", "temperature", "platt", "beta", "isotonic"]
METHODS: tuple[Method, ...] = ("identity", "temperature", "platt", "beta", "isotonic")
_FLATTEST = 1e-6  # a slope below this is noise: the curve would say nothing


def fit_curve(method: str, logit: Floats, resolved: Floats, weight: Floats) -> dict[str, Any]:
    """`{"method", "parameters"}` or `{"method", "knots"}`. Raises `FallingFit`."""
    match method:
        case "identity":
            return {"method": method, "parameters": {}}
        case "temperature":
            slope, _ = _logistic(logit[:, None], resolved, weight, intercept=False)
            return _with(method, temperature=1 / _rising(method, slope[0]))
        case "platt":
            slope, intercept = _logistic(logit[:, None], _targets(resolved), weight)
            return _with(method, slope=_rising(method, slope[0]), intercept=intercept)
        case "beta":
            return _beta(logit, resolved, weight)
        case "isotonic":
            return {"method": method, "knots": _knots(logit, resolved, weight)}
    message = f"there is no calibration method {method!r}; there are: auto, {', '.join(METHODS)}"
    raise InvalidRequest(message, param="method")


def apply(curve: dict[str, Any], logit: Floats) -> Floats:
    """The probabilities that a fitted curve gives; the same as serving's, for whole columns."""
    given = curve.get("parameters", {})
    match curve["method"]:
        case "temperature":
            return sigmoid(logit / given["temperature"])
        case "platt":
            return sigmoid(logit * given["slope"] + given["intercept"])
        case "beta":
            left, right = beta_parts(logit)
            return sigmoid(given["a"] * left + given["b"] * right + given["c"])
        case "isotonic":
            at, height = np.array(curve["knots"]).T
            return np.asarray(np.interp(logit, at, height))
    return sigmoid(logit)


def sigmoid(logit: Floats) -> Floats:
    return np.asarray(np.exp(-np.logaddexp(0.0, -logit)))


def beta_parts(logit: Floats) -> tuple[Floats, Floats]:
    """(log p, -log(1 - p)) of p = sigmoid(logit); both grow with the logit."""
    return -np.logaddexp(0.0, -logit), np.logaddexp(0.0, logit)


def _beta(logit: Floats, resolved: Floats, weight: Floats) -> dict[str, Any]:
    """Beta calibration (Kull et al. 2017): sigmoid(a log p - b log(1 - p) + c) with a, b ≥ 0.

    As there, a part whose slope comes out negative is left out and the other fitted alone.
    """
    left, right = beta_parts(logit)
    (a, b), c = _logistic(np.stack([left, right], axis=1), resolved, weight)
    if a < 0 or b < 0:
        part = right if a < b else left
        slope, c = _logistic(part[:, None], resolved, weight)
        a, b = (0.0, slope[0]) if a < b else (slope[0], 0.0)
    _rising("beta", max(a, b))
    return _with("beta", a=max(0.0, a), b=max(0.0, b), c=c)


def _knots(logit: Floats, resolved: Floats, weight: Floats) -> list[list[float]]:
    """Ends of the flat parts of the isotonic regression; serving draws straight lines between."""
    from sklearn.isotonic import IsotonicRegression

    model = IsotonicRegression(y_min=0.0, y_max=1.0).fit(logit, resolved, sample_weight=weight)
    at, height = model.X_thresholds_, model.y_thresholds_
    if height[0] == height[-1]:
        raise FallingFit(_fall("isotonic"))
    return [[float(x), float(y)] for x, y in zip(at, height, strict=True)]


def _targets(resolved: Floats) -> Floats:
    """Platt's targets (1999, §2.2): (N₊ + 1) / (N₊ + 2) and 1 / (N₋ + 2) in place of 1 and 0."""
    positives = resolved.sum()
    negatives = len(resolved) - positives
    return np.asarray(
        np.where(resolved > 0, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    )


def _logistic(
    columns: Floats, target: Floats, weight: Floats, *, intercept: bool = True
) -> tuple[list[float], float]:
    """Slopes and intercept of greatest likelihood. A target between 0 and 1 is a row of each kind.

    Columns are scaled before fitting and slopes scaled back, so that far margins do no harm.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    scale = np.maximum(np.abs(columns).max(axis=0), 1e-12)
    rows = np.concatenate([columns, columns]) / scale
    kinds = np.r_[np.ones(len(target)), np.zeros(len(target))]
    weights = np.r_[weight * target, weight * (1 - target)]
    there = weights > 0
    # A ridge so slight that no digit of ours sees it; it gives separated labels an answer.
    model = LogisticRegression(C=1e8, fit_intercept=intercept, max_iter=10_000, tol=1e-10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(rows[there], kinds[there], sample_weight=weights[there])
    return [float(v) for v in model.coef_[0] / scale], float(np.ravel(model.intercept_)[0])


def _rising(method: str, slope: float) -> float:
    if slope < _FLATTEST:
        raise FallingFit(_fall(method), limits={"measured": slope, "allowed": _FLATTEST})
    return slope


def _fall(method: str) -> str:
    return (
        f"{method}: the labels do not rise with the scores, so a calibration would turn their order "
        "round or flatten it; look at the labels, or at the model"
    )


def _with(method: str, **parameters: float) -> dict[str, Any]:
    return {"method": method, "parameters": {k: float(v) for k, v in parameters.items()}}
