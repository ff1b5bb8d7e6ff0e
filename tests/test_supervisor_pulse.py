"""When an engine counts as late or dead, and what restarts cost: numbers without a clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.pulse import Budget, Pulse


def test_silence() -> None:
    pulse = Pulse(10)
    seen = []
    for _ in range(4):
        pulse.passed(10)
        seen.append((pulse.late(0), pulse.dead(0)))
    assert seen == [(False, False), (True, False), (True, False), (True, True)]
    pulse.sign()
    assert (pulse.late(0), pulse.silent_s) == (False, 0)


def test_slow_answers_stretch_patience_for_a_while() -> None:
    pulse = Pulse(10)
    pulse.answered(20)
    assert pulse.patience_s(0) == 60
    for _ in range(200):
        pulse.answered(0.01)
    assert pulse.patience_s(0) == 10


@given(st.floats(1.0, 3.0), st.floats(0.1, 5.0))
def test_steps_that_grow_to_three_times_each_are_never_death(growth: float, step: float) -> None:
    """A long prompt on a CPU: every chunk's step takes longer than the one before."""
    pulse = Pulse(10)
    for _ in range(12):
        pulse.passed(step)
        assert not pulse.dead(0)
        pulse.answered(step)
        step *= growth


def test_a_long_prompt_inside() -> None:
    assert Pulse(10).patience_s(262_144) == 64


def test_the_budget_is_that_of_a_window() -> None:
    budget = Budget(3, 600, 1)
    waits = [budget.spend(at) for at in (0, 10, 20)]
    for wait, base in zip(waits, (1, 4, 16), strict=True):
        assert wait == pytest.approx(base, rel=0.25)
    assert budget.spend(30) is None
    assert budget.spend(600) is None
    assert budget.spend(601) == pytest.approx(16, rel=0.25)
    assert Budget(0, 600, 1).spend(0) is None
