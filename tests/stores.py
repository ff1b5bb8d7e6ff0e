"""Stores for the tests of outcomes: scores as the api would hand them over, a clock that a test sets,
and a PostgreSQL of its own where the machine has one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.calibration import sigmoid
from app.outcomes import ScoreFacts
from bench.postgres import NotInstalled, Postgres, postgres

NOW = 1_790_000_000.0
REVISION = "sha256:weights"


@dataclass
class Clock:
    """Seconds since the epoch, as the test says."""

    now: float = NOW

    def __call__(self) -> float:
        return self.now


def facts(name: str, **over: Any) -> ScoreFacts:
    """The score `name` of the trajectory `t-name`."""
    logit = over.pop("logit", 0.5)
    known: dict[str, Any] = {
        "score_id": name, "trajectory_digest": f"t-{name}", "prompt_digest": f"p-{name}",
        "model": "swe-rm-nano", "revision": REVISION, "template": "t@1",
        "system_fingerprint": "fp_1", "calibration": "identity", "logit": logit,
        "probability": sigmoid(logit), "raw_probability": sigmoid(logit), "label_mass": 0.9,
        "key_id": "local", "created_at": NOW,
    }  # fmt: skip
    return ScoreFacts(**known | over)


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder}/outcomes.db"


@contextmanager
def cluster() -> Iterator[Postgres]:
    """A PostgreSQL of its own; skips where it is not installed."""
    try:
        with postgres() as found:
            yield found
    except NotInstalled as cause:
        pytest.skip(str(cause))
