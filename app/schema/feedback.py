"""The wire of outcomes, rewards made later, calibrations and receipts."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from app.schema.answers import Finite, Open, Probability
from app.schema.requests import Closed, Execution, Reward, Text64, Text256

MAX_OUTCOMES = 10_000
_WINDOW = re.compile(r"([1-9][0-9]{0,4})([hdw])")
_UNIT_S = {"h": 3600.0, "d": 86_400.0, "w": 604_800.0}
MAX_WINDOW_S = 366 * 86_400.0


def window_s(text: str) -> float:
    """Seconds of `12h`, `7d` or `4w`. Raises `ValueError`."""
    found = _WINDOW.fullmatch(text)
    if not found or int(found[1]) * _UNIT_S[found[2]] > MAX_WINDOW_S:
        message = "a window is a number and h, d or w, such as 7d; 366d at most"
        raise ValueError(message)
    return int(found[1]) * _UNIT_S[found[2]]


class OutcomeReport(Closed):
    """Of one score or, by digest, of every score of a trajectory. `observed_at`: seconds since the
    epoch, or ISO 8601 with its zone."""

    score_id: Text256 | None = None
    trajectory_digest: Text256 | None = None
    resolved: bool
    evidence: Literal["tests", "human", "model"]
    selected: bool = False
    observed_at: float | Text64 | None = None

    @model_validator(mode="after")
    def _one_target(self) -> OutcomeReport:
        if bool(self.score_id) == bool(self.trajectory_digest):
            message = "exactly one of score_id and trajectory_digest is needed"
            raise ValueError(message)
        return self

    @field_validator("observed_at")
    @classmethod
    def _a_moment(cls, value: float | str | None) -> float | str | None:
        if isinstance(value, str):
            seconds_of(value)
        return value


def seconds_of(moment: float | str | None) -> float | None:
    """Seconds since the epoch. Raises `ValueError`."""
    if not isinstance(moment, str):
        return moment
    try:
        found = datetime.fromisoformat(moment)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        message = "a time is needed in ISO 8601 with its zone, or in seconds since the epoch"
        raise ValueError(message)
    return found.timestamp()


class OutcomesRequest(Closed):
    outcomes: list[OutcomeReport] = Field(min_length=1, max_length=MAX_OUTCOMES)


class OutcomeResult(Open):
    """`matched` counts the scores that the outcome labels."""

    index: int
    status: Literal["recorded", "duplicate", "unknown_score", "quarantined"]
    matched: int


class OutcomesAnswer(Open):
    object: Literal["outcome.list"]
    results: list[OutcomeResult]


class RewardItem(Closed):
    score_id: Text256
    execution: Execution | None = None


class RewardsRequest(Closed):
    items: list[RewardItem] = Field(min_length=1)
    reward: Reward = Field(default_factory=Reward)


class RewardsOptions(Closed):
    """`items` are read one by one."""

    items: list[Any] = Field(min_length=1)
    reward: Reward = Field(default_factory=Reward)


class RewardsAnswer(Open):
    object: Literal["reward.list"]
    results: list[dict[str, Any]]


class ScoreRecord(Open):
    """A score as it was first answered, and what was told of it since."""

    score_id: str
    trajectory_digest: str
    prompt_digest: str
    model: str
    revision: str
    template: str
    system_fingerprint: str
    calibration: str
    probability: Probability
    raw_probability: Probability
    logit: Finite
    label_mass: Probability
    created: float
    instance_id: str | None
    group: str | None
    tags: dict[str, str]
    outcomes: list[dict[str, Any]]


class QualityAnswer(Open):
    window: str
    by: str
    disputed: int = Field(
        description="Trajectories of which two keys say different things on equal evidence; no slice "
        "counts them."
    )
    slices: list[dict[str, Any]]
    drift: dict[str, Any] | None


class FitRequest(Closed):
    """`holdout` is the share of tasks that the fit does not see and is judged on."""

    window: Text64 = "7d"
    method: Text64 = "auto"
    by: Literal["policy"] | None = None
    evidence: list[Literal["tests", "human", "model"]] = Field(["tests", "human"], min_length=1)
    holdout: float = Field(default=0.3, ge=0.1, le=0.5)
    activate: bool = False

    @field_validator("window")
    @classmethod
    def _a_window(cls, value: str) -> str:
        window_s(value)
        return value


class SwitchRequest(Closed):
    id: Text256
    expected_generation: int = Field(ge=0)


class SwitchAnswer(Open):
    id: str
    generation: int


class VerifyRequest(Closed):
    """The receipt, and any fields of the result that are to be held to it."""

    receipt: str = Field(max_length=8192)
    score_id: Text256 | None = None
    prompt_digest: Text256 | None = None
    model: Text256 | None = None
    revision: Text256 | None = None
    template: Text256 | None = None
    calibration: Text256 | None = None
    probability: float | None = None


class VerifyAnswer(Open):
    """`wrong` names what does not hold: `receipt` (unreadable), `key_id` (unknown), or fields."""

    valid: bool
    wrong: list[str]
    claims: dict[str, Any] | None
