"""What needs no reward model at all: a verifier that does not beat these has learnt nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from app.quality.fit import FOLDS, folds_of, require_both, require_units
from app.quality.sample import Floats, sample
from app.types import Trajectory, Turn

SHORTER = "shorter is better"
BASE_RATE = "base rate"
COUNTS = "logistic regression on counts"
# How harnesses write down that a command failed.
_FAILED = re.compile(
    r"<returncode>(?!0<)-?\d+<|\bexit(?:ed with)?(?: status| code)?:? (?!0\b)-?\d+|"
    r"Traceback \(most recent call last\)|command not found|^\[?ERROR\b|^Error:",
    re.IGNORECASE | re.MULTILINE,
)
_EDITS = re.compile(
    r"\bsed\s+(?:-\w+\s+)*-i|\bcat\s*>|<<\s*['\"]?\w+|\bapply_patch\b|\bgit apply\b|\bpatch -p|"
    r"\bstr_replace|\bwrite_text\(|\btee\s",
)
_EDIT_TOOLS = re.compile(r"edit|write|replace|create|patch", re.IGNORECASE)
_LOOKED_AT_CHARS = 20_000  # of each message: enough for a count, and bounded


@dataclass(frozen=True, slots=True)
class Baseline:
    """One number a row. Where `is_probability` is false it is an order and nothing else."""

    name: str
    score: Floats
    is_probability: bool


def counts_of(trajectory: Trajectory) -> dict[str, float]:
    """What can be counted without reading: turns, edits, failed commands, lines of the patch."""
    patch = (trajectory.patch or "").splitlines()
    changed = [x for x in patch if x[:1] in "+-" and not x.startswith(("+++", "---"))]
    seen = [o.text[:_LOOKED_AT_CHARS] for turn in trajectory.turns for o in turn.observations]
    return {
        "turns": len(trajectory.turns),
        "edits": sum(map(_edits, trajectory.turns)),
        "failed_commands": sum(bool(_FAILED.search(text)) for text in seen),
        "patch_lines": len(changed),
        "no_patch": float(not patch),
    }


def baselines(
    resolved: ArrayLike,
    tokens: ArrayLike,
    instance: ArrayLike,
    counts: Mapping[str, ArrayLike] | None = None,
    *,
    folds: int = FOLDS,
    seed: int = 0,
) -> list[Baseline]:
    """Base rate, shorter is better (minus tokens), and, given counts, a logistic regression on
    log(1 + count), each row's probability from folds that hold nothing of its instance. Without
    tokens there is the base rate alone.

    Raises `NotEnoughLabels`, `InvalidRequest`.
    """
    if np.size(tokens) == 0:
        rows = sample(np.zeros(np.size(resolved)), resolved, cluster=instance)
        rate = np.full(rows.n, rows.resolved.mean())
        return [Baseline(BASE_RATE, rate, is_probability=True)]
    rows = sample(np.negative(np.asarray(tokens, dtype=np.float64)), resolved, cluster=instance)
    found = [
        Baseline(BASE_RATE, np.full(rows.n, rows.resolved.mean()), is_probability=True),
        Baseline(SHORTER, rows.score, is_probability=False),
    ]
    if counts:
        columns = [-rows.score, *(sample(column, resolved).score for column in counts.values())]
        features = np.log1p(np.maximum(np.stack(columns, axis=1), 0.0))
        probability = np.empty(rows.n)
        require_units(rows, folds)
        for train, test in folds_of(rows.unit, rows.resolved, folds, seed):
            require_both(rows.resolved[train])
            probability[test] = _logistic(features[train], rows.resolved[train], features[test])
        found.append(Baseline(COUNTS, probability, is_probability=True))
    return found


def _logistic(features: Floats, resolved: Floats, asked: Floats) -> Floats:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=10_000))
    return np.asarray(model.fit(features, resolved).predict_proba(asked)[:, 1])


def _edits(turn: Turn) -> int:
    if any(_EDIT_TOOLS.search(call.name) for call in turn.calls):
        return 1
    said = [text for call in turn.calls for _, text in call.arguments] or [turn.text]
    return int(any(_EDITS.search(text[:_LOOKED_AT_CHARS]) for text in said))
