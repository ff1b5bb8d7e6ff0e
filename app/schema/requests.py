"""The wire: what requests and answers look like. Unknown fields are refused; answers are open.

Items are validated one by one (app/api/checks.py), so that one broken item fails alone.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Options = TypeVar("Options", bound="CommonOptions")
Text256 = Annotated[str, Field(max_length=256)]
Name = Text256 | None  # pydantic refuses a lone surrogate in a bounded text: it could not be echoed
Text64 = Annotated[str, Field(max_length=64)]
Priority = Literal["interactive", "rollout", "backfill"]


class Closed(BaseModel):
    """A request: an unknown field is an error, and nothing is coerced from another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Counts(Closed):
    passed: int = Field(ge=0)
    total: int = Field(ge=0)


class Execution(Closed):
    outcome: Literal["resolved", "unresolved", "unfinished"]
    regression: Counts | None = None
    reproduction: Counts | None = None


class Item(Closed):
    """One trajectory to score: exactly one of `trajectory`, `messages` and `prompt`."""

    id: Name = None
    trajectory: dict[str, Any] | list[Any] | str | None = None
    messages: list[Any] | None = None
    prompt: str | None = None
    format: Text64 = "auto"
    issue: str | None = None
    patch: str | None = None
    instance_id: Name = None
    group: Name = None
    group_size: int | None = Field(default=None, ge=1)
    tags: dict[Text64, Text64] = Field(default_factory=dict, max_length=8)
    execution: Execution | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Item:
        given = [n for n in ("trajectory", "messages", "prompt") if getattr(self, n) is not None]
        if len(given) != 1:
            message = f"exactly one of trajectory, messages, prompt is needed; given: {given}"
            raise ValueError(message)
        return self

    @field_validator("prompt")
    @classmethod
    def _encodable(cls, value: str | None) -> str | None:
        if value is not None and not value.isascii():
            value.encode()  # UnicodeEncodeError, a ValueError: what is literal cannot be mended
        return value


class Reward(Closed):
    mode: Literal["execution_free", "execution_based", "hybrid"] = "execution_free"
    resolved: float = 1.0
    unresolved: float = 0.0
    unfinished: float = -0.5
    score: Literal["probability", "raw_probability"] = "probability"


class StepsEvery(Closed):
    every: int = Field(ge=1)


class StepsLast(Closed):
    last: int = Field(ge=1)


class StepsTurns(Closed):
    turns: list[Annotated[int, Field(ge=0)]] = Field(max_length=10_000)


class CommonOptions(Closed):
    model: Text256 | None = None
    calibration: Text256 = "active"
    on_overflow: Literal["error", "elide"] = "error"
    fail_on_flags: list[Text64] | None = None
    timeout_s: float | None = Field(default=None, gt=0)
    memo: Literal["use", "refresh", "off"] = "use"
    priority: Priority = "rollout"


class ScoreOptions(CommonOptions):
    steps: Literal["none", "all"] | StepsEvery | StepsLast | StepsTurns = "none"
    reward: Reward = Field(default_factory=Reward)
    group_stats: bool = False
    record_execution: bool = False


class ScoreRequest(ScoreOptions):
    trajectories: list[Item] = Field(min_length=1)


class RerankOptions(CommonOptions):
    issue: str | None = None
    top_n: int | None = Field(default=None, ge=1)
    strategy: Literal["probability", "hybrid"] = "probability"
    require_all: bool = False
    priority: Priority = "interactive"


class RerankRequest(RerankOptions):
    candidates: list[Item] = Field(min_length=1)
