"""Answers as clients may rely on them: the OpenAPI page, and what the tests hold every answer to."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Milliseconds = Annotated[float, Field(ge=0)]


class Open(BaseModel):
    """An answer: clients ignore fields that they do not know."""

    model_config = ConfigDict(extra="allow", frozen=True)


class Interval(Open):
    low: Probability
    high: Probability
    method: str


class Tokens(Open):
    prompt: int
    cached: int
    computed: int
    steps: int
    elided: int


class ItemTimings(Open):
    render: Milliseconds
    wait: Milliseconds
    engine: Milliseconds


class ScoredItem(Open):
    """`probability` is calibrated; `logit` (log-odds) and its sigmoid `raw_probability` are not."""

    index: int
    id: str | None
    instance_id: str | None
    status: Literal["scored"]
    score_id: str
    trajectory_digest: str
    probability: Probability
    interval: Interval | None
    raw_probability: Probability
    logit: Finite
    label_mass: Probability
    reward: Finite | None
    reward_parts: dict[str, float] | None
    steps: list[dict[str, Any]] | None
    flags: list[dict[str, Any]]
    model: str
    revision: str
    template: str
    system_fingerprint: str
    calibration: str
    source: Literal["computed", "memo", "shared"]
    tokens: Tokens
    elided_turns: int
    format: str
    timings_ms: ItemTimings
    receipt: str | None


class ItemProblem(Open):
    code: str
    message: str
    retryable: bool
    retry_after_s: float | None
    limits: dict[str, float] | None


class FailedItem(Open):
    """Not scored: there is no number to read."""

    index: int
    id: str | None
    instance_id: str | None
    status: Literal["failed"]
    error: ItemProblem


class Counted(Open):
    scored: int
    failed: int
    retryable: int


class CachedTokens(Open):
    cached_tokens: int


class Usage(Open):
    """Each distinct prompt counts once."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: CachedTokens
    computed_tokens: int
    memo_tokens: int


class RequestTimings(Open):
    parse: Milliseconds
    total: Milliseconds


class _Answer(Open):
    id: str
    created: int
    model: str
    trained: bool
    counts: Counted
    usage: Usage
    timings_ms: RequestTimings


class ScoreAnswer(_Answer):
    object: Literal["score.list"]
    results: list[Annotated[ScoredItem | FailedItem, Field(discriminator="status")]]
    groups: dict[str, Any] | None


class RankedItem(ScoredItem):
    rank: int
    tied: bool
    relevance_score: Probability


class RerankAnswer(_Answer):
    object: Literal["rerank"]
    best: int | None
    complete: bool
    results: list[RankedItem]
    failed: list[FailedItem]


class Piece(Open):
    text: str
    control: bool


class Segment(Open):
    """`pieces` only where texts were asked for."""

    message_index: int | None
    role: str
    turn: int | None
    start: int
    end: int
    elided_tokens: int
    pieces: list[Piece] | None = None


class TokenizeAnswer(Open):
    """`structural_tokens` counts every control id of the prompt."""

    format: str
    count: int
    structural_tokens: int
    allowed: int
    elided_tokens: int
    elided_turns: int
    segments: list[Segment]
    turns: int
    issue_chars: int
    patch_chars: int
    exit: str | None


class InfoAnswer(Open):
    api_version: int
    features: list[str]
    limits: dict[str, Any]
    formats: list[str]
    flag_kinds: list[str]
    model: dict[str, Any]
    template: str
    calibration: str
    canary: dict[str, Any]
    health: dict[str, Any]


class ErrorMember(Open):
    message: str
    type: str
    param: str | None
    code: str


class Problem(Open):
    """RFC 9457, with the members that OpenAI and Jina clients read."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    retryable: bool
    error: ErrorMember
