"""RM@k: exact over all k-subsets, between chance and oracle, ties shared."""

from __future__ import annotations

from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import NotEnoughLabels
from app.quality import best_of_k
from app.quality.best_of_k import expected_best


def enumerated(keys: list[int], resolved: list[int], k: int) -> float:
    """Every k-subset, one by one; tied winners share."""
    total = 0.0
    for subset in combinations(range(len(keys)), k):
        top = max(keys[i] for i in subset)
        winners = [resolved[i] for i in subset if keys[i] == top]
        total += sum(winners) / len(winners)
    return total / comb(len(keys), k)


@settings(max_examples=80, deadline=None)
@given(rows=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1)), min_size=1, max_size=7))
def test_equals_enumeration(rows: list[tuple[int, int]]) -> None:
    rows = sorted(rows, key=lambda row: -row[0])
    keys, resolved = [k for k, _ in rows], [r for _, r in rows]
    found = expected_best(np.array(keys, float)[:, None], np.array(resolved, float))
    wanted = [enumerated(keys, resolved, k) for k in range(1, len(rows) + 1)]
    assert list(found) == pytest.approx(wanted)


def forty() -> dict[str, Any]:
    """Ten instances of four: the best is resolved in six, one other in each."""
    return {
        "probability": np.tile([0.9, 0.5, 0.4, 0.1], 10),
        "resolved": np.concatenate([[int(i < 6), 0, 1, 0] for i in range(10)]),
        "instance": np.repeat([f"i{n}" for n in range(10)], 4),
    }


def test_by_hand() -> None:
    found = best_of_k(**forty(), draws=50)
    assert [(p.k, p.instances) for p in found.points] == [(k, 10) for k in (1, 2, 3, 4)]
    one, *_, four = found.points
    assert one.picked.value == one.oracle.value == one.random.value == pytest.approx(16 / 40)
    assert one.share is None
    assert four.picked.value == pytest.approx(0.6)
    assert four.oracle.value == 1.0
    assert four.random.value == pytest.approx(0.4)
    assert four.share is not None
    assert four.share.value == pytest.approx((0.6 - 0.4) / (1 - 0.4))
    # k = 2 of a group [1, 0, 1, 0]: pairs by winner: 3 hold the first, 2 the second, 1 the third.
    assert found.points[1].picked.value == pytest.approx((6 * (3 + 1) / 6 + 4 * 1 / 6) / 10)


def test_the_logit_breaks_ties_as_the_server_does() -> None:
    rows = forty() | {"probability": np.full(40, 0.5)}
    chance = best_of_k(**rows, draws=5).points[-1].picked.value
    assert chance == pytest.approx(16 / 40)
    found = best_of_k(**rows, logit=np.tile([3.0, 2.0, 1.0, 0.0], 10), draws=5)
    assert found.points[-1].picked.value == pytest.approx(0.6)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1000), groups=st.integers(5, 12))
def test_between_nothing_and_the_oracle(seed: int, groups: int) -> None:
    rng = np.random.default_rng(seed)
    instance = rng.integers(0, groups, size=60)
    resolved = (rng.random(60) < 0.4).astype(int)
    resolved[:2] = 0, 1
    score = rng.integers(0, 5, size=60) / 5
    found = best_of_k(score, resolved, instance, draws=10)
    assert [p.k for p in found.points] == list(range(1, np.bincount(instance).max() + 1))
    for point in found.points:
        assert -1e-12 <= point.picked.value <= point.oracle.value + 1e-12
        assert point.random.value <= point.oracle.value + 1e-12
        assert point.picked.low <= point.picked.value <= point.picked.high
    perfect = best_of_k(resolved, resolved, instance, draws=2)
    for point in perfect.points:
        assert point.picked.value == pytest.approx(point.oracle.value)
        assert point.share is None or point.share.value == pytest.approx(1.0)


def test_groups_that_are_too_small_leave_the_point() -> None:
    instance = np.r_[np.repeat(np.arange(12), 2), np.repeat([50, 51], 4)]
    resolved = np.tile([1, 0], 16)
    found = best_of_k(np.linspace(0, 1, 32), resolved, instance, draws=5)
    assert [p.instances for p in found.points] == [14, 14, 2, 2]


def test_too_little_is_no_curve() -> None:
    with pytest.raises(NotEnoughLabels):
        best_of_k([0.5] * 29, [0, 1] * 14 + [0], range(29))
