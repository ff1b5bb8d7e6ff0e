"""What the store is told and what it tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Evidence = Literal["tests", "human", "model"]
Status = Literal["recorded", "duplicate", "unknown_score", "quarantined"]
Slicing = Literal["model", "calibration", "policy", "source"]

# What outweighs what: tests were run, a person looked, a model guessed.
RANK: Mapping[str, int] = {"tests": 0, "human": 1, "model": 2}


@dataclass(frozen=True, slots=True)
class ScoreFacts:
    """A score as it was answered. `created_at` is in seconds since the epoch, of this server's clock;
    `document` is the trajectory's text, None unless the operator asked to keep it."""

    score_id: str
    trajectory_digest: str
    prompt_digest: str
    model: str
    revision: str
    template: str
    system_fingerprint: str
    calibration: str
    logit: float
    probability: float
    raw_probability: float
    label_mass: float
    key_id: str
    created_at: float
    instance_id: str | None = None
    group: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    document: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """One outcome as it was told: of one score, or of every score of a trajectory.

    `selected`: the candidate was chosen by its score, so its label says nothing of the others.
    `observed_at` (seconds since the epoch) is kept as told; nothing is ordered by it.
    """

    resolved: bool
    evidence: Evidence
    score_id: str | None = None
    trajectory_digest: str | None = None
    selected: bool = False
    observed_at: float | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a report. `matched` counts the scores that it labels."""

    status: Status
    matched: int


@dataclass(frozen=True, slots=True)
class KeptOutcome:
    """A row of the store; `quarantine` says why it counts for nothing, None when it counts."""

    resolved: bool
    evidence: Evidence
    selected: bool
    observed_at: float | None
    recorded_at: float
    quarantine: str | None


@dataclass(frozen=True, slots=True)
class Labelled:
    """A score and the outcome that counts for it."""

    trajectory_digest: str
    instance_id: str | None
    model: str
    revision: str
    calibration: str
    policy: str | None
    source: str | None
    logit: float
    probability: float
    resolved: bool
    evidence: Evidence
    selected: bool


@dataclass(frozen=True, slots=True)
class Window:
    """`disputed` trajectories are not among the labelled: two keys say different things of each, on
    equal evidence."""

    labelled: tuple[Labelled, ...]
    disputed: int


@dataclass(frozen=True, slots=True)
class Counted:
    """How many distinct trajectories were scored in a slice, labelled or not."""

    value: str | None
    model: str
    revision: str
    calibration: str
    trajectories: int


@dataclass(frozen=True, slots=True)
class StoredCalibration:
    """A fitted calibration; `report` holds what it was fitted on and how it fared."""

    id: str
    document: Mapping[str, Any]
    report: Mapping[str, Any]
    created_at: float


@dataclass(frozen=True, slots=True)
class Switch:
    """One entry of the history of active calibrations, counted by `generation` from 1."""

    generation: int
    calibration_id: str
    key_id: str
    created_at: float


@dataclass(frozen=True, slots=True)
class Counts:
    """Of the scores: written, waiting to be, and lost because the queue was full or the database
    refused them."""

    written: int
    waiting: int
    lost: int
