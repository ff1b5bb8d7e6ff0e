"""When an engine counts as late or dead, and what restarts cost: numbers without a clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.pulse import Budget, Pulse


def test_silence() -> None:
    pulse = Pulse(10, now=100)
    assert [pulse.late(100 + s, 0) for s in (9, 10, 10.1)] == [False, False, True]
    assert [pulse.dead(100 + s, 0) for s in (29, 30, 30.1)] == [False, False, True]
    pulse.sign(129)
    assert not pulse.late(139, 0)
    assert pulse.silent_s(139) == 10


def test_slow_answers_stretch_patience_for_a_while() -> None:
    pulse = Pulse(10, now=0)
    pulse.answered(20, now=20)
    assert pulse.patience_s(0) == 60
    for at in range(200):
        pulse.answered(0.01, now=20 + at)
    assert pulse.patience_s(0) == 10


@given(st.floats(1.0, 3.0), st.floats(0.1, 5.0))
def test_steps_that_grow_to_three_times_each_are_never_death(growth: float, first: float) -> None:
    """A long prompt on a CPU: every chunk's step takes longer than the one before."""
    pulse, now, step = Pulse(10, now=0), 0.0, first
    for _ in range(12):
        assert not pulse.dead(now + step, 0)
        now += step
        pulse.answered(step, now)
        step *= growth


def test_a_long_prompt_inside() -> None:
    assert Pulse(10, now=0).patience_s(262_144) == 64


def test_the_budget_is_that_of_a_window() -> None:
    budget = Budget(3, 600, 1)
    waits = [budget.spend(at) for at in (0, 10, 20)]
    for wait, base in zip(waits, (1, 4, 16), strict=True):
        assert wait == pytest.approx(base, rel=0.25)
    assert budget.spend(30) is None
    assert budget.spend(600) is None
    assert budget.spend(601) == pytest.approx(16, rel=0.25)
    assert Budget(0, 600, 1).spend(0) is None
