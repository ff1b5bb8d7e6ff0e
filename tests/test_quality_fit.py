"""Fitting calibrations: the truth is found again, serving reads what was fitted, nothing falls."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from app.calibration import read_calibrator
from app.errors import FallingFit, InvalidRequest, NotEnoughLabels
from app.quality import METHODS, fit, out_of_fold, sample, summary, venn_abers
from app.quality.methods import apply, fit_curve, sigmoid


def world(n: int, slope: float = 1.6, intercept: float = -0.7, seed: int = 0) -> Any:
    """(margins, labels, true probabilities) of a verifier that is miscalibrated by a line."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(scale=1.5, size=n)
    truth = 1 / (1 + np.exp(-(slope * logit + intercept)))
    return logit, (rng.random(n) < truth).astype(int), truth


def test_platt_finds_the_line() -> None:
    logit, resolved, _ = world(20_000)
    found = fit_curve("platt", logit, resolved.astype(float), np.ones(len(logit)))["parameters"]
    assert found["slope"] == pytest.approx(1.6, abs=0.08)
    assert found["intercept"] == pytest.approx(-0.7, abs=0.06)
    plain = LogisticRegression(C=math.inf, tol=1e-10).fit(logit[:, None], resolved)
    assert found["slope"] == pytest.approx(float(plain.coef_[0, 0]), abs=2e-3)


def test_platt_uses_its_targets() -> None:
    """Separated labels have no slope of greatest likelihood; with Platt's targets they have."""
    logit = np.r_[np.full(20, -1.0), np.full(20, 1.0)]
    found = fit_curve("platt", logit, (logit > 0).astype(float), np.ones(40))
    assert apply(found, np.array([1.0, -1.0])) == pytest.approx([21 / 22, 1 / 22], abs=1e-5)


def test_temperature_finds_the_temperature() -> None:
    logit, resolved, _ = world(20_000, slope=0.5, intercept=0.0)
    found = fit_curve("temperature", logit, resolved.astype(float), np.ones(len(logit)))
    assert found["parameters"]["temperature"] == pytest.approx(2.0, abs=0.1)


def test_beta_finds_its_own_and_stays_monotone() -> None:
    rng = np.random.default_rng(7)
    logit = rng.normal(scale=2, size=30_000)
    p = 1 / (1 + np.exp(-logit))
    truth = 1 / (1 + np.exp(-(0.6 * np.log(p) - 1.8 * np.log(1 - p) + 0.3)))
    resolved = (rng.random(len(p)) < truth).astype(float)
    found = fit_curve("beta", logit, resolved, np.ones(len(p)))["parameters"]
    assert [found[name] for name in "abc"] == pytest.approx([0.6, 1.8, 0.3], abs=0.12)
    # Labels that rise only at the right: one part would fall and is left out.
    hump = (rng.random(len(p)) < np.where(logit < 0, 0.4 - 0.1 * np.tanh(logit), 0.9)).astype(float)
    kept = fit_curve("beta", logit, hump, np.ones(len(p)))["parameters"]
    assert kept["a"] >= 0
    assert kept["b"] >= 0


def test_weights_count_as_rows() -> None:
    logit, resolved, _ = world(200)
    times = np.tile([1, 3], 100)
    for method in ("temperature", "beta", "isotonic"):
        weighted = fit_curve(method, logit, resolved.astype(float), times.astype(float))
        repeated = fit_curve(
            method, np.repeat(logit, times), np.repeat(resolved, times).astype(float),
            np.ones(times.sum()),
        )  # fmt: skip
        at = np.linspace(-3, 3, 9)
        assert apply(weighted, at) == pytest.approx(apply(repeated, at), abs=1e-4)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(30, 120), method=st.sampled_from(METHODS))
def test_serving_reads_what_was_fitted(seed: int, n: int, method: str) -> None:
    logit, resolved, _ = world(n, seed=seed)
    resolved[:2] = 0, 1
    try:
        document = fit(logit, resolved, method, holdout=0)
    except FallingFit:
        return
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    calibrator = read_calibrator(document)
    at = np.r_[logit, -50, 50, 0]
    served = [calibrator.curve(float(x)) for x in at]
    assert served == pytest.approx(list(apply(document, at)), abs=1e-9)
    order = np.argsort(at)
    assert (np.diff(np.array(served)[order]) >= 0).all()


def test_auto_takes_what_fits_best_and_says_so() -> None:
    logit, resolved, truth = world(3000)
    document = fit(logit, resolved, facts={"model": "m", "created": "2026-11-20T00:00:00Z"})
    losses = document["chosen_by"]["log_loss"]
    assert set(losses) == set(METHODS)
    assert document["method"] == min(losses, key=losses.get) != "identity"
    assert document["model"] == "m"
    assert document["fitted_on"]["n"] == 3000
    held = document["held_out"]
    assert held["after"]["ece"]["value"] < held["before"]["ece"]["value"]
    assert held["after"]["log_loss"]["value"] < held["before"]["log_loss"]["value"]
    curve = read_calibrator(document).curve
    assert np.abs([curve(float(x)) for x in logit] - truth).max() < 0.05


def test_auto_leaves_a_calibrated_model_alone_or_nearly() -> None:
    logit, resolved, truth = world(4000, slope=1.0, intercept=0.0, seed=3)
    curve = read_calibrator(fit(logit, resolved, holdout=0)).curve
    assert np.abs([curve(float(x)) for x in logit] - truth).max() < 0.04


def test_same_rows_same_document() -> None:
    logit, resolved, _ = world(300)
    assert fit(logit, resolved, seed=4) == fit(logit, resolved, seed=4)
    assert fit(logit, resolved)["id"] != fit(logit[1:], resolved[1:])["id"]
    assert fit(logit, resolved, facts={"id": "mine", "for": "steps"})["id"] == "mine"


def test_slices_with_labels_enough_get_curves() -> None:
    logit, resolved, _ = world(1000)
    other, more, _ = world(1000, slope=0.6, intercept=0.8, seed=1)
    few, some, _ = world(40, seed=2)
    policy = ["a"] * 1000 + ["b"] * 1000 + ["few"] * 40
    document = fit(
        np.r_[logit, other, few], np.r_[resolved, more, some], "platt",
        slices={"policy": policy}, holdout=0,
    )  # fmt: skip
    curves = document["slices"]["policy"]
    assert set(curves) == {"a", "b"}
    assert curves["a"]["parameters"]["slope"] == pytest.approx(1.6, abs=0.3)
    assert curves["b"]["parameters"]["slope"] == pytest.approx(0.6, abs=0.2)
    assert document["fitted_on"]["slices"]["policy"]["few"]["n"] == 40


@pytest.mark.parametrize("method", ["auto", *METHODS])
def test_refusals(method: str) -> None:
    logit, resolved, _ = world(200, slope=4)
    with pytest.raises(NotEnoughLabels):
        fit(logit[:29], resolved[:29], method)
    with pytest.raises(NotEnoughLabels):
        fit(logit, np.ones(200), method)
    if method != "identity":
        with pytest.raises(FallingFit):
            fit(logit, 1 - resolved, method)


@pytest.mark.parametrize(
    "how",
    [
        {"method": "wishful"},
        {"facts": {"surprise": 1}},
        {"facts": {"for": "turns"}},
        {"slices": {"policy": ["a"]}},
        {"weight": [1.0]},
    ],
)
def test_bad_requests_are_named(how: dict[str, Any]) -> None:
    logit, resolved, _ = world(60)
    with pytest.raises(InvalidRequest):
        fit(logit, resolved, **how)


def test_a_recalibration_by_instance_sees_nothing_of_the_instance() -> None:
    rng = np.random.default_rng(9)
    resolved = np.repeat(rng.integers(0, 2, 60), 5)
    unit = np.repeat(np.arange(60), 5)
    logit = rng.normal(size=300)
    rows = sample(logit, resolved, cluster=unit)
    probability = out_of_fold(rows, "isotonic")
    assert summary(probability, resolved, cluster=unit, draws=50).auc.value < 0.65
    with pytest.raises(NotEnoughLabels):
        out_of_fold(sample(logit, resolved, cluster=unit % 3), "platt")


@pytest.mark.parametrize("n", [200, 1000, 4000])
def test_venn_abers_holds_the_rate(n: int) -> None:
    """Per bin of unseen rows: mean low - 2 SE ≤ observed rate ≤ mean high + 2 SE."""
    logit, resolved, _ = world(n, seed=11)
    curves = venn_abers(logit, resolved.astype(float))
    fresh, outcome, _ = world(20_000, seed=12)
    low, high = (apply({"method": "isotonic", "knots": curves[k]}, fresh) for k in ("low", "high"))
    assert (low <= high).all()
    # How far the labelled rows themselves may be off their truth, beside the fresh ones'.
    for mine in np.array_split(np.argsort(fresh), 8):
        rate = outcome[mine].mean()
        near = np.searchsorted(np.sort(logit), fresh[mine].max()) - np.searchsorted(
            np.sort(logit), fresh[mine].min()
        )
        error = math.sqrt(max(rate * (1 - rate), 0.01) * (1 / len(mine) + 1 / max(near, 1)))
        assert low[mine].mean() - 2 * error <= rate <= high[mine].mean() + 2 * error


def test_venn_abers_narrows_with_labels() -> None:
    widths = []
    for n in (50, 500, 5000):
        logit, resolved, _ = world(n, seed=13)
        curves = venn_abers(logit, resolved.astype(float))
        at = np.linspace(-2, 2, 41)
        low, high = (apply({"method": "isotonic", "knots": curves[k]}, at) for k in curves)
        widths.append(float((high - low).mean()))
    assert widths[0] > 2 * widths[1] > 4 * widths[2] > 0


def test_venn_abers_by_hand() -> None:
    """Rows (0, 0), (1, 1): adding (0, 1) pools 0 with it: p1(0) = 1/2; adding (1, 0): p0(1) = 1/2."""
    curves = venn_abers(np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    assert curves == {"low": [[0.0, 0.0], [1.0, 0.5]], "high": [[0.0, 0.5], [1.0, 1.0]]}


def test_sigmoid_is_quiet_at_its_ends() -> None:
    assert sigmoid(np.array([-1e308, 0.0, 1e308])) == pytest.approx([0.0, 0.5, 1.0])
