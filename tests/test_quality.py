"""Measures of labelled probabilities: by hand, against scikit-learn, and their intervals."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from app.errors import InvalidRequest, NotEnoughLabels
from app.quality import (
    Estimate,
    auc_within,
    auc_within_difference,
    drift,
    histogram,
    slice_of,
    summary,
)
from app.quality.measures import equal_mass

# Forty rows in which each of four probabilities stands ten times.
LEVELS = np.repeat([0.1, 0.3, 0.6, 0.9], 10)
LABELS = np.concatenate([[1] * k + [0] * (10 - k) for k in (1, 5, 6, 8)])


@st.composite
def labelled(draw: Any, most: int = 80) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities with ties and ends, labels of both kinds, weights."""
    n = draw(st.integers(30, most))
    one = st.one_of(st.sampled_from([0.0, 0.2, 0.5, 1.0]), st.floats(0, 1))
    probability = np.array(draw(st.lists(one, min_size=n, max_size=n)))
    resolved = np.array(draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)))
    resolved[0], resolved[1] = 0, 1
    weight = np.array(draw(st.lists(st.floats(0.1, 10), min_size=n, max_size=n)))
    return probability, resolved, weight


def test_by_hand() -> None:
    found = summary(LEVELS, LABELS, bins=10, draws=50)
    assert (found.n, found.positives) == (40, 20)
    # Per level |p - rate|: 0, 0.2, 0, 0.1, a quarter of the rows each.
    assert found.ece.value == pytest.approx(0.075)
    assert found.ece_equal_mass.value == pytest.approx(0.075)
    # Mean of p² - 2 p rate + rate over the levels.
    assert found.brier.value == pytest.approx((0.09 + 0.29 + 0.24 + 0.17) / 4)
    assert found.brier_skill.value == pytest.approx(1 - 0.1975 / 0.25)
    parts = found.decomposition
    assert parts.uncertainty == pytest.approx(0.25)
    assert parts.reliability == pytest.approx((0.04 + 0.01) / 4)
    assert parts.resolution == pytest.approx((0.16 + 0.0 + 0.01 + 0.09) / 4)
    assert parts.within == pytest.approx(0, abs=1e-12)  # a bin holds one probability only
    assert [each.n for each in found.reliability] == [10] * 4
    assert [each.rate for each in found.reliability] == pytest.approx([0.1, 0.5, 0.6, 0.8])
    assert [(each.low, each.high) for each in found.reliability][1] == pytest.approx((0.2, 0.3))


@settings(max_examples=60, deadline=None)
@given(rows=labelled())
def test_as_scikit_learn_has_them(rows: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    probability, resolved, weight = rows
    for weights in (None, weight):
        found = summary(probability, resolved, weight=weights, draws=5)
        assert found.auc.value == pytest.approx(
            roc_auc_score(resolved, probability, sample_weight=weights)
        )
        assert found.brier.value == pytest.approx(
            brier_score_loss(resolved, probability, sample_weight=weights)
        )
        assert found.log_loss.value == pytest.approx(
            log_loss(resolved, probability, sample_weight=weights), rel=1e-6
        )
        parts = found.decomposition
        total = parts.reliability - parts.resolution + parts.uncertainty + parts.within
        assert total == pytest.approx(found.brier.value)
    found = summary(probability, resolved, draws=5)
    rates, forecasts = calibration_curve(resolved, probability, n_bins=15)
    assert [each.rate for each in found.reliability] == pytest.approx(list(rates))
    assert [each.mean_probability for each in found.reliability] == pytest.approx(list(forecasts))
    share = np.array([each.n for each in found.reliability]) / found.n
    assert found.ece.value == pytest.approx(float(share @ np.abs(rates - forecasts)))


@settings(max_examples=40, deadline=None)
@given(rows=labelled(), seed=st.integers(0, 9))
def test_intervals_hold_their_values_and_are_repeatable(
    rows: tuple[np.ndarray, np.ndarray, np.ndarray], seed: int
) -> None:
    probability, resolved, _ = rows
    found = summary(probability, resolved, draws=20, seed=seed)
    assert found == summary(probability, resolved, draws=20, seed=seed)
    for field in fields(found):
        value = getattr(found, field.name)
        if isinstance(value, Estimate):
            assert value.low <= value.value <= value.high, field.name
            assert all(map(math.isfinite, (value.low, value.high))), field.name
    assert json.dumps(asdict(found), allow_nan=False)


@settings(max_examples=30, deadline=None)
@given(rows=labelled())
def test_the_order_of_rows_says_nothing(rows: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    probability, resolved, weight = rows
    turned = np.random.default_rng(0).permutation(len(probability))
    one = summary(probability, resolved, weight=weight, draws=2)
    other = summary(probability[turned], resolved[turned], weight=weight[turned], draws=2)
    for name in ("auc", "ece", "ece_equal_mass", "brier", "log_loss"):
        assert getattr(one, name).value == pytest.approx(getattr(other, name).value)


def test_a_weight_of_two_is_a_row_twice() -> None:
    weight = np.tile([1, 2], 20)
    once = summary(LEVELS, LABELS, weight=weight, draws=2)
    twice = summary(np.repeat(LEVELS, weight), np.repeat(LABELS, weight), draws=2)
    assert once.auc.value == pytest.approx(twice.auc.value)
    assert once.ece.value == pytest.approx(twice.ece.value)
    assert once.brier.value == pytest.approx(twice.brier.value)


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng, hits = np.random.default_rng(5), 0
    far = rng.normal(size=200_000)
    drawn = rng.random(200_000) < 1 / (1 + np.exp(-far))
    truth = roc_auc_score(drawn, far)
    for seed in range(100):
        logit = rng.normal(size=200)
        resolved = rng.random(200) < 1 / (1 + np.exp(-logit))
        auc = summary(1 / (1 + np.exp(-logit)), resolved, draws=200, seed=seed).auc
        hits += auc.low <= truth <= auc.high
    assert 88 <= hits <= 100  # 95 expected, 2.2 a standard deviation


def test_whole_clusters_are_resampled() -> None:
    rng = np.random.default_rng(1)
    cluster = np.repeat(np.arange(30), 10)
    logit = np.repeat(rng.normal(size=30), 10)
    resolved = np.repeat(rng.random(30) < 1 / (1 + np.exp(-logit[::10])), 10)
    probability = 1 / (1 + np.exp(-logit))
    alone = summary(probability, resolved, draws=300).auc
    joint = summary(probability, resolved, cluster=cluster, draws=300).auc
    assert joint.value == alone.value
    assert joint.high - joint.low > 2 * (alone.high - alone.low)


def test_the_floor_is_what_perfect_calibration_still_shows() -> None:
    rng = np.random.default_rng(2)
    probability = rng.random(400)
    errors = [
        summary(probability, rng.random(400) < probability, draws=1).ece.value for _ in range(100)
    ]
    found = summary(probability, rng.random(400) < probability, draws=500).ece
    assert found.floor == pytest.approx(np.mean(errors), abs=0.005)


def test_equal_probabilities_share_a_bin() -> None:
    assert set(equal_mass(np.full(50, 0.3), 15)) == {7}
    bins = equal_mass(np.r_[np.zeros(90), np.linspace(0.1, 1, 10)], 10)
    assert len(set(bins[:90])) == 1
    assert list(np.bincount(equal_mass(np.linspace(0, 1, 60), 15))) == [4] * 15


@pytest.mark.parametrize(
    ("probability", "resolved"),
    [(LEVELS[:29], LABELS[:29]), (LEVELS, np.ones(40)), (LEVELS, np.zeros(40)), ([], [])],
)
def test_too_little_is_no_number(probability: Any, resolved: Any) -> None:
    with pytest.raises(NotEnoughLabels):
        summary(probability, resolved)
    found = slice_of(probability, resolved)
    assert found == {"n": len(resolved), "positives": int(sum(resolved)), "enough": False}


def test_a_slice_is_plain_json() -> None:
    found = slice_of(LEVELS, LABELS, draws=10)
    assert found["enough"] is True
    assert {"value", "low", "high", "floor"} == set(found["ece"])
    assert json.loads(json.dumps(found, allow_nan=False))["auc"] == found["auc"]


@pytest.mark.parametrize(
    "broken",
    [
        {"probability": LEVELS + 0.2},
        {"probability": np.r_[LEVELS[1:], math.nan]},
        {"probability": np.r_[LEVELS[1:], -0.1]},
        {"probability": ["x"] * 40},
        {"probability": LEVELS[1:]},
        {"resolved": LABELS * 2},
        {"resolved": LABELS[:, None]},
        {"weight": -np.ones(40)},
        {"weight": np.ones(39)},
        {"cluster": ["a"] * 39},
    ],
)
def test_bad_columns_are_named(broken: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        summary(**({"probability": LEVELS, "resolved": LABELS} | broken))


def test_within_policies_by_hand() -> None:
    # Strong agent: all pairs right; weak agent: all wrong; across agents nothing counts.
    score = np.r_[np.full(15, 0.9), np.full(5, 0.8), np.full(4, 0.1), np.full(16, 0.2)]
    resolved = np.r_[np.ones(15), np.zeros(5), np.ones(4), np.zeros(16)]
    policy = ["strong"] * 20 + ["weak"] * 20
    found = auc_within(score, resolved, policy, draws=50)
    assert found.pairs == 15 * 5 + 4 * 16
    assert found.auc.value == pytest.approx(75 / 139)
    assert [(p.policy, p.n, p.positives, p.pairs, p.auc) for p in found.policies] == [
        ("strong", 20, 15, 75, None),
        ("weak", 20, 4, 64, None),
    ]
    ties = auc_within(np.zeros(40), resolved, policy, draws=5)
    assert ties.auc.value == 0.5


@settings(max_examples=30, deadline=None)
@given(rows=labelled(), policies=st.integers(1, 4))
def test_within_is_the_mean_of_policies_by_pairs(
    rows: tuple[np.ndarray, np.ndarray, np.ndarray], policies: int
) -> None:
    score, resolved, _ = rows
    policy = np.arange(len(score)) % policies
    good = total = 0.0
    for each in range(policies):
        mine = policy == each
        pairs = resolved[mine].sum() * (1 - resolved[mine]).sum()
        if pairs:
            good += pairs * roc_auc_score(resolved[mine], score[mine])
            total += pairs
    if not total:
        with pytest.raises(NotEnoughLabels):
            auc_within(score, resolved, policy)
        return
    found = auc_within(score, resolved, policy, draws=5)
    assert found.auc.value == pytest.approx(good / total)
    assert found.pairs == total
    if policies == 1:
        assert found.auc.value == pytest.approx(roc_auc_score(resolved, score))


def test_a_paired_difference_is_sharper_than_two_intervals() -> None:
    rng = np.random.default_rng(3)
    logit = rng.normal(size=300)
    resolved = rng.random(300) < 1 / (1 + np.exp(-2 * logit))
    near = logit + rng.normal(scale=0.1, size=300)
    policy = np.arange(300) % 3
    found = auc_within_difference(logit, near, resolved, policy, draws=300)
    assert found.difference.value == pytest.approx(found.a.value - found.b.value)
    assert found.difference.high - found.difference.low < 0.5 * (found.a.high - found.a.low)
    same = auc_within_difference(logit, logit, resolved, draws=20)
    assert same.difference == Estimate(0.0, 0.0, 0.0)
    assert same.a.value == pytest.approx(roc_auc_score(resolved, logit))
    mirror = auc_within_difference(near, logit, resolved, policy, draws=300)
    assert mirror.difference.value == pytest.approx(-found.difference.value)


def test_no_policy_with_both_kinds_is_no_number() -> None:
    resolved = np.r_[np.ones(20), np.zeros(20)]
    with pytest.raises(NotEnoughLabels):
        auc_within(LEVELS, resolved, resolved)
    with pytest.raises(NotEnoughLabels):
        auc_within_difference(LEVELS, LEVELS, resolved, resolved)
    with pytest.raises(InvalidRequest):
        auc_within(LEVELS, resolved, ["a"])


def test_drift_is_named() -> None:
    rng = np.random.default_rng(4)
    reference = histogram(rng.normal(size=2000))
    assert sum(reference["counts"]) == 2000
    still = drift(reference, rng.normal(size=2000))
    assert still.name == "stable"
    assert still.psi == pytest.approx(still.floor, abs=0.02)
    assert drift(reference, rng.normal(0.4, size=2000)).name == "moderate"
    assert drift(reference, rng.normal(1.0, size=2000)).name == "large"
    assert math.isfinite(drift(reference, np.full(30, 1e300)).psi)
    # By hand: shares 1/4, 3/4 against 1/2, 1/2, with half a row added to each bin.
    found = drift({"edges": [0.0], "counts": [20, 20]}, np.r_[np.full(10, -1), np.full(30, 1)])
    a, b = 10.5 / 41, 30.5 / 41
    assert found.psi == pytest.approx((a - 0.5) * math.log(a * 2) + (b - 0.5) * math.log(b * 2))
    with pytest.raises(NotEnoughLabels):
        drift(reference, [1.0] * 29)
    for broken in ({}, {"edges": [1], "counts": [1]}, {"edges": [], "counts": [0]}):
        with pytest.raises(InvalidRequest):
            drift(broken, np.zeros(40))
