"""What goes into the corridor and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from app.admission import Chain
from app.calibration import Calibrator
from app.errors import ItemError
from app.memo import Mode
from app.rewards import Execution, RewardPolicy
from app.scorer.steps import NO_STEPS, StepChoice
from app.types import (
    Adapted,
    Flag,
    Identity,
    Labels,
    PassedTests,
    Piece,
    Priority,
    Prompt,
    Reward,
    Score,
    Source,
    StepScore,
    Verdict,
)


@dataclass(frozen=True, slots=True)
class Work:
    """One item to score. `source` says how `content` is read; `execution` is the outcome of its
    tests where that is known, `tests` what a candidate passed, for hybrid ranking; `policy` whose
    trajectory it is: some calibrations have curves of single policies; `policy_step` is the step of
    training that waits for it, and earlier ones go first."""

    source: Literal["document", "messages", "prompt"]
    content: object
    format: str = "auto"
    issue: str | None = None
    patch: str | None = None
    execution: Execution | None = None
    tests: PassedTests | None = None
    policy: str | None = None
    policy_step: int | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """What holds for a whole request. `deadline` is a time of the loop's clock; `key_id` says whose
    share of the engine it takes, and `ceiling` how urgent that key may be at most."""

    deadline: float
    calibrator: Calibrator
    priority: Priority = "rollout"
    on_overflow: Literal["error", "elide"] = "error"
    steps: StepChoice = NO_STEPS
    reward: RewardPolicy = field(default_factory=RewardPolicy)
    needs_tests: bool = False
    fail_on_flags: frozenset[str] = frozenset()
    memo: Mode = "use"
    key_id: str = "local"
    ceiling: Priority = "interactive"


@dataclass(frozen=True, slots=True)
class Prepared:
    """An item that is ready for the engine; its document is let go. `turns` are those after which a
    step is scored; `cost_tokens` is the most that the engine may have to compute. `key` is what the
    memo knows it by, `chain` what the engine's cache may know of its beginning."""

    prompt: Prompt
    digest: str
    format: str
    instance_id: str | None
    flags: tuple[Flag, ...]
    execution: Execution | None
    tests: PassedTests | None
    turns: tuple[int, ...]
    cost_tokens: int
    render_s: float
    prompt_digest: str
    key: bytes
    chain: Chain
    policy: str | None = None
    policy_step: int | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """An item rendered, to be looked at only. Of each segment: `elided_tokens`, what elision took out
    of it, and `pieces`, its text where that was asked for."""

    prompt: Prompt
    adapted: Adapted
    elided_tokens: tuple[int, ...]
    pieces: tuple[tuple[Piece, ...], ...] | None = None


@dataclass(frozen=True, slots=True)
class Scored:
    """One scored item with all the facts that an answer or a metric may want.

    `source` says what this request cost the engine: nothing, unless it is `computed`. `steps` is
    None when none were asked for; `step_tokens` is what they cost.
    """

    score: Score
    reward: Reward
    prepared: Prepared
    verdict: Verdict
    wait_s: float
    source: Source
    steps: tuple[StepScore, ...] | None = None
    step_tokens: int = 0

    @property
    def cached_tokens(self) -> int:
        """Of the prompt, what the engine had in its cache when it computed this item."""
        return self.verdict.cached_tokens if self.source == "computed" else 0

    @property
    def computed_tokens(self) -> int:
        """Of the prompt, what the engine computed for this item."""
        asked = self.source == "computed"
        return self.verdict.prompt_tokens - self.verdict.cached_tokens if asked else 0

    @property
    def engine_s(self) -> float:
        """What the engine took; part of the wait where the item was shared, 0 from the memo."""
        return 0.0 if self.source == "memo" else self.verdict.engine_s


Outcome = Scored | ItemError


@dataclass(frozen=True, slots=True)
class Model:
    """The verifier in the house: who it is and how its answer is read. `calibrators` are those of
    whole trajectories; `step_calibrator` gives steps a probability."""

    identity: Identity
    labels: Labels
    label_mass_floor: float
    calibrators: Mapping[str, Calibrator]
    active_calibration: str
    step_calibrator: Calibrator | None = None
