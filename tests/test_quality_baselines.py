"""Baselines: what is counted in a trajectory, and that a regression sees nothing of its instance."""

from __future__ import annotations

import numpy as np
import pytest

from app.errors import NotEnoughLabels
from app.quality import baselines, counts_of, summary
from app.types import Observation, ToolCall, Trajectory, Turn

PATCH = "--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n-old\n+new\n+more\n same\n"


def turn(said: str, seen: str, *calls: ToolCall) -> Turn:
    return Turn(said, calls, (Observation(seen),))


def test_counts_by_hand() -> None:
    run = Trajectory(
        "issue",
        (
            turn("look", "<returncode>0</returncode>"),
            turn("```bash\nsed -i s/a/b/ x.py\n```", "<returncode>1</returncode>"),
            turn("", "Exit code: 2", ToolCall("bash", (("command", "python -m pytest"),))),
            turn("", "done", ToolCall("str_replace_editor", (("path", "x.py"),))),
            turn("", "exit code 0", ToolCall("bash", (("command", "cat <<'EOF' > y.py"),))),
        ),
        PATCH,
    )
    assert counts_of(run) == {
        "turns": 5, "edits": 3, "failed_commands": 2, "patch_lines": 3, "no_patch": 0.0,
    }  # fmt: skip
    assert counts_of(Trajectory("issue", ()))["no_patch"] == 1.0


def test_baselines_know_what_there_is_to_know() -> None:
    rng = np.random.default_rng(0)
    tokens = rng.integers(100, 10_000, 300)
    turns = rng.integers(1, 60, 300)
    resolved = (rng.random(300) < 1 / (1 + turns / 20)).astype(int)
    base, shorter, counted = baselines(resolved, tokens, np.arange(300) // 3, {"turns": turns})
    assert set(base.score) == {resolved.mean()}
    assert (shorter.score == -tokens).all()
    assert not shorter.is_probability
    found = summary(counted.score, resolved, draws=50)
    assert found.auc.value > 0.65
    assert found.brier_skill.value > 0


def test_a_regression_learns_nothing_of_its_own_instance() -> None:
    """The count is the instance's number: only who has seen the instance could use it."""
    rng = np.random.default_rng(1)
    instance = np.repeat(np.arange(60), 5)
    resolved = np.repeat(rng.integers(0, 2, 60), 5)
    counts = {"turns": rng.permutation(60)[instance]}
    counted = baselines(resolved, np.full(300, 10), instance, counts)[-1]
    assert summary(counted.score, resolved, draws=20).auc.value < 0.65
    with pytest.raises(NotEnoughLabels):
        baselines(resolved, np.full(300, 10), instance % 3, counts)
    assert len(baselines(resolved, np.full(300, 10), instance)) == 2
