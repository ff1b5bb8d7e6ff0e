"""Verdict → probability: margins, methods worked out by hand, monotone curves, refused documents."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.calibration import (
    IDENTITY,
    chosen,
    margin,
    read_calibrator,
    read_calibrators,
    score,
    sigmoid,
)
from app.errors import EngineFailed, NoAnswer, StartError
from app.ranking import rank
from app.types import Interval, Labels, Verdict

ONE = Labels((7,), (8,))
FORMS = {"yes_ids": (1, 2, 3), "no_ids": (4, 5)}
FINITE = st.floats(allow_nan=False, allow_infinity=False)
LOGPROBS = st.floats(-1e6, 0.0)


def verdict(*probabilities: float) -> Verdict:
    logprobs = tuple(math.log(p) if p else -1000.0 for p in probabilities)
    return Verdict(logprobs, prompt_tokens=9, cached_tokens=0, engine_s=0.1)


def platt(slope: Any, intercept: Any) -> dict[str, Any]:
    return {"id": "p", "method": "platt", "parameters": {"slope": slope, "intercept": intercept}}


def temperature(value: Any) -> dict[str, Any]:
    return {"id": "t", "method": "temperature", "parameters": {"temperature": value}}


def isotonic(*knots: Any) -> dict[str, Any]:
    return {"id": "i", "method": "isotonic", "knots": list(knots)}


def beta(a: Any, b: Any, c: Any) -> dict[str, Any]:
    return {"id": "b", "method": "beta", "parameters": {"a": a, "b": b, "c": c}}


def bounded(document: dict[str, Any], low: Any, high: Any) -> dict[str, Any]:
    return document | {"venn_abers": {"low": low, "high": high}}


def test_sigmoid_at_its_ends() -> None:
    assert sigmoid(0.0) == 0.5
    assert sigmoid(2.0) == pytest.approx(1 / (1 + math.exp(-2)), rel=1e-15)
    assert (sigmoid(1e308), sigmoid(-1e308)) == (1.0, 0.0)
    assert (sigmoid(math.inf), sigmoid(-math.inf)) == (1.0, 0.0)
    assert sigmoid(-700.0) == pytest.approx(math.exp(-700), rel=1e-12)
    assert 0 < sigmoid(-744.0) < sigmoid(-743.0)


def test_one_form_each() -> None:
    said = margin(verdict(0.6, 0.2), ONE)
    assert said.logit == pytest.approx(math.log(3))
    assert said.raw_probability == pytest.approx(0.75)
    assert said.label_mass == pytest.approx(0.8)


def test_several_forms_are_reduced_by_max_or_by_sum() -> None:
    five = verdict(0.3, 0.1, 0.0, 0.08, 0.02)
    most = margin(five, Labels(**FORMS, reduction="max"))
    assert most.logit == pytest.approx(math.log(0.3 / 0.08))
    both = margin(five, Labels(**FORMS, reduction="logsumexp"))
    assert both.logit == pytest.approx(math.log(0.4 / 0.1))
    assert both.raw_probability == pytest.approx(0.8)
    assert most.label_mass == both.label_mass == pytest.approx(0.5)


def test_rounding_of_the_engine_never_makes_the_mass_exceed_one() -> None:
    said = margin(Verdict((-1e-9, math.log(1e-3)), 9, 0, 0.1), ONE)
    assert said.label_mass == 1.0


@pytest.mark.parametrize("reduction", ["max", "logsumexp"])
def test_probabilities_too_small_to_be_floats_still_have_a_margin(reduction: Any) -> None:
    far = Verdict((-5000.0, -5001.0, -9999.0, -5010.0, -9999.0), 9, 0, 0.1)
    said = margin(far, Labels(**FORMS, reduction=reduction))
    assert said.logit == pytest.approx(10.0, abs=0.4)
    assert said.label_mass == 0.0


@pytest.mark.parametrize(
    "logprobs",
    [(), (-1.0,), (-1.0, -2.0, -3.0), (math.nan, -1.0), (-1.0, -math.inf), (-math.inf, -math.inf)],
)
def test_a_verdict_that_is_not_whole_is_no_score(logprobs: tuple[float, ...]) -> None:
    with pytest.raises(EngineFailed):
        score(Verdict(logprobs, 9, 0, 0.1), ONE, IDENTITY, 0.0)


def test_a_score_names_its_parts() -> None:
    found = score(verdict(0.6, 0.2), ONE, read_calibrator(platt(2, -1)), 0.5)
    assert found.calibration == "p"
    assert found.logit == pytest.approx(math.log(3))
    assert found.raw_probability == pytest.approx(0.75)
    assert found.probability == pytest.approx(sigmoid(2 * math.log(3) - 1))
    assert found.interval is None


def test_under_the_floor_there_is_no_answer() -> None:
    said = verdict(0.25, 0.125)
    assert score(said, ONE, IDENTITY, 0.375).label_mass == 0.375
    with pytest.raises(NoAnswer) as caught:
        score(said, ONE, IDENTITY, 0.376)
    assert caught.value.limits == {"measured": 0.375, "allowed": 0.376}
    assert "0.375" in caught.value.message
    assert "0.376" in caught.value.message


def test_methods_by_hand() -> None:
    logit = math.log(4)  # 0.8
    assert read_calibrator({"id": "a", "method": "identity"}).curve(logit) == pytest.approx(0.8)
    assert read_calibrator(temperature(2)).curve(logit) == pytest.approx(2 / 3)
    assert read_calibrator(platt(2, -math.log(16))).curve(logit) == pytest.approx(0.5)
    curve = read_calibrator(isotonic([-2, 0.1], [0, 0.3], [1, 0.3], [2, 0.9])).curve
    found = [curve(x) for x in (-9, -2, -1, 0, 0.5, 1, 1.25, 2, 9)]
    assert found == pytest.approx([0.1, 0.1, 0.2, 0.3, 0.3, 0.3, 0.45, 0.9, 0.9])
    assert read_calibrator(isotonic([0, 0.4])).curve(-3.0) == 0.4
    # a log 0.8 - b log 0.2 + c = log 0.8 + 2 log 5 = log 20
    assert read_calibrator(beta(1, 2, 0)).curve(logit) == pytest.approx(20 / 21)
    assert read_calibrator(beta(1, 1, 0)).curve(logit) == pytest.approx(0.8)
    assert read_calibrator(beta(0, 1, 0)).curve(-1e308) == 0.5


KNOTS = st.lists(
    st.tuples(FINITE, st.floats(0, 1)), min_size=1, max_size=6, unique_by=lambda k: k[0]
)
DOCUMENTS = st.one_of(
    st.builds(temperature, st.floats(5e-324, 1e308)),
    st.builds(platt, st.floats(5e-324, 1e308), FINITE),
    st.builds(beta, st.floats(5e-324, 1e308), st.floats(0, 1e308), FINITE),
    st.builds(beta, st.floats(0, 1e308), st.floats(5e-324, 1e308), FINITE),
    KNOTS.map(
        lambda k: isotonic(*zip(sorted(x for x, _ in k), sorted(y for _, y in k), strict=True))
    ),
)


@given(document=DOCUMENTS, one=FINITE, other=FINITE)
def test_every_curve_is_monotone_and_bounded(
    document: dict[str, Any], one: float, other: float
) -> None:
    curve = read_calibrator(document).curve
    low, high = curve(min(one, other)), curve(max(one, other))
    assert 0.0 <= low <= high <= 1.0


NEAR = st.floats(-1e-6, 1e-6) | st.floats(-40, 40) | st.floats(695, 715)


@given(a=st.floats(0.1, 3), b=st.floats(0.1, 3), one=NEAR, other=NEAR)
def test_beta_is_monotone_where_rounding_bites(
    a: float, b: float, one: float, other: float
) -> None:
    curve = read_calibrator(beta(a, b, 0)).curve
    for far in (other, math.nextafter(one, math.inf), one + 1e-9):
        assert curve(min(one, far)) <= curve(max(one, far))


CURVES = KNOTS.map(
    lambda k: [
        [x, y] for x, y in zip(sorted(x for x, _ in k), sorted(y for _, y in k), strict=True)
    ]
)


@given(document=DOCUMENTS, knots=CURVES, width=st.floats(0, 1), one=FINITE, other=FINITE)
def test_an_interval_holds_its_probability_and_rises(
    document: dict[str, Any], knots: list[list[float]], width: float, one: float, other: float
) -> None:
    above = [[x, min(1.0, y + width)] for x, y in knots]
    fitted = read_calibrator(bounded(document, knots, above)).whole
    found = [fitted.interval(logit) for logit in sorted((one, other))]
    for logit, interval in zip(sorted((one, other)), found, strict=True):
        assert interval is not None
        assert 0.0 <= interval.low <= fitted.curve(logit) <= interval.high <= 1.0
    assert found[0].low <= found[1].low
    assert found[0].high <= found[1].high


def test_the_interval_is_the_bounds_unless_the_curve_leaves_them() -> None:
    low, high = [[-1, 0.1], [1, 0.5]], [[-1, 0.4], [1, 0.9]]
    found = read_calibrator(bounded({"id": "a", "method": "identity"}, low, high)).whole
    inside = found.interval(0.0)
    assert inside is not None
    assert (inside.low, inside.high) == pytest.approx((0.3, 0.65))
    assert found.interval(-9.0) == Interval(sigmoid(-9.0), 0.4, "venn_abers")
    assert found.interval(9.0) == Interval(0.5, sigmoid(9.0), "venn_abers")


def test_a_score_carries_its_interval() -> None:
    document = bounded(platt(2, -1), [[0, 0.2]], [[0, 0.95]])
    found = score(verdict(0.6, 0.2), ONE, read_calibrator(document), 0.5)
    assert found.interval == Interval(0.2, 0.95, "venn_abers")


def test_a_policy_with_a_curve_of_its_own() -> None:
    own = bounded(platt(1, 5), [[0, 0.5]], [[0, 1.0]])
    document = platt(1, 0) | {"slices": {"policy": {"flash": own}}}
    calibrator = read_calibrator(document)
    said = verdict(0.5, 0.5)
    assert score(said, ONE, calibrator, 0.0).probability == pytest.approx(0.5)
    assert score(said, ONE, calibrator, 0.0, "max").probability == pytest.approx(0.5)
    flash = score(said, ONE, calibrator, 0.0, "flash")
    assert flash.probability == pytest.approx(sigmoid(5))
    assert flash.interval is not None
    assert flash.calibration == "p"


@given(logits=st.lists(st.floats(-30, 30), min_size=2, max_size=8, unique=True))
def test_where_a_curve_is_flat_the_margin_ranks(logits: list[float]) -> None:
    flat = read_calibrator(isotonic([-50, 0.3], [50, 0.3]))
    said = [Verdict((-1.0, -1.0 - logit), 9, 0, 0.1) for logit in logits]
    scores = {i: score(each, ONE, flat, 0.0) for i, each in enumerate(said)}
    assert len({each.probability for each in scores.values()}) == 1
    order = [place.index for place in rank(scores, len(scores)).order]
    assert order == sorted(scores, key=lambda i: (-scores[i].logit, i))


def test_a_calibration_serves_what_it_was_made_for() -> None:
    known = read_calibrators([platt(1, 0), temperature(2) | {"for": "steps"}])
    assert chosen(known, "p", "trajectories").id == "p"
    assert chosen(known, "t", "steps").judges == "steps"
    with pytest.raises(StartError, match="'t' is for steps"):
        chosen(known, "t", "trajectories")
    with pytest.raises(StartError, match="not among"):
        chosen(known, "gone", "steps")


@given(document=DOCUMENTS, values=st.lists(LOGPROBS, min_size=5, max_size=5))
def test_every_score_is_finite_and_swaps_with_its_labels(
    document: dict[str, Any], values: list[float]
) -> None:
    for reduction in ("max", "logsumexp"):
        labels = Labels(**FORMS, reduction=reduction)
        found = score(Verdict(tuple(values), 9, 0, 0.1), labels, read_calibrator(document), 0.0)
        assert math.isfinite(found.logit)
        assert 0 <= found.probability <= 1
        swapped = Labels(FORMS["no_ids"], FORMS["yes_ids"], reduction)
        mirror = margin(Verdict((*values[3:], *values[:3]), 9, 0, 0.1), swapped)
        assert mirror.logit == -found.logit
        assert mirror.raw_probability == pytest.approx(1 - found.raw_probability, abs=1e-15)


@pytest.mark.parametrize(
    "document",
    [
        {"method": "wishful"},
        {"method": None},
        {"method": "platt"},
        {"method": "temperature", "parameters": {}},
        {"method": "temperature", "parameters": [1]},
        temperature(0),
        temperature(-1),
        temperature(math.inf),
        temperature(math.nan),
        temperature("warm"),
        temperature("1.5"),
        temperature(True),
        temperature(None),
        temperature(10**400),
        platt(-1, 0),
        platt(0, 0),
        platt(1, math.nan),
        platt(1, 10**400),
        beta(-1, 1, 0),
        beta(0, 0, 1),
        beta(1, math.nan, 0),
        {"method": "beta", "parameters": {"a": 1, "b": 1}},
        {"method": "identity", "for": "turns"},
        {"method": "identity", "slices": {"repository": {}}},
        {"method": "identity", "slices": {"policy": {"x": {"method": "wishful"}}}},
        {"method": "identity", "slices": {"policy": ["x"]}},
        {"method": "identity", "venn_abers": {"low": [[0, 0.1]]}},
        {"method": "identity", "venn_abers": [[0, 0.1]]},
        bounded({"method": "identity"}, [[0, 0.6]], [[0, 0.5]]),
        bounded({"method": "identity"}, [[0, 0.1], [1, 0.9]], [[0, 0.5], [5, 0.6]]),
        {"method": "identity", "logits": [1, 2]},
        {"method": "identity", "logits": {"edges": [0.0]}},
        {"method": "identity", "logits": {"edges": [0.0], "counts": [1]}},
        {"method": "identity", "logits": {"edges": [0.0], "counts": [0, 0]}},
        {"method": "identity", "logits": {"edges": [0.0], "counts": [-1, 2]}},
        {"method": "identity", "logits": {"edges": [1.0, 0.0], "counts": [1, 2, 3]}},
        {"method": "identity", "logits": {"edges": [math.nan], "counts": [1, 2]}},
        {"method": "isotonic"},
        {"method": "isotonic", "knots": None},
        {"method": "isotonic", "knots": {"ab": 1}},
        {"method": "isotonic", "knots": ["12", "34"]},
        isotonic(),
        isotonic([0]),
        isotonic([0, 0.5, 1]),
        isotonic([0, "half"]),
        isotonic([0, 0.2], [0, 0.8]),
        isotonic([1, 0.2], [0, 0.8]),
        isotonic([0, 0.8], [1, 0.2]),
        isotonic([0, -0.1], [1, 0.2]),
        isotonic([0, 0.1], [1, 1.1]),
        isotonic([math.nan, 0.1]),
        isotonic([0, math.nan]),
        isotonic([-math.inf, 0.1], [0, 0.2]),
        isotonic([0, 0.1], [10**400, 0.2]),
    ],
)
def test_a_bad_document_is_named(document: dict[str, Any]) -> None:
    with pytest.raises(StartError) as caught:
        read_calibrators([{"id": "fine", "method": "identity"}, document | {"id": "2026-11-bad"}])
    assert "2026-11-bad" in caught.value.message


@pytest.mark.parametrize("name", [None, "", 7])
def test_a_document_needs_an_id(name: Any) -> None:
    with pytest.raises(StartError, match="no id"):
        read_calibrator({"id": name, "method": "identity"})


def test_ids_are_unique_and_identity_is_always_there() -> None:
    assert set(read_calibrators([])) == {"identity"}
    assert set(read_calibrators([platt(1, 0), temperature(1)])) == {"identity", "p", "t"}
    for twice in ([platt(1, 0), platt(2, 0)], [{"id": "identity", "method": "identity"}]):
        with pytest.raises(StartError, match="two calibrations are called"):
            read_calibrators(twice)
