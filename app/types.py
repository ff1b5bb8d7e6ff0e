"""The nouns of the house: what passes from room to room. All frozen, standard library only.

document -> Trajectory -> Prompt -> Verdict -> Score -> Ranking
"""

from __future__ import annotations

import hashlib
import json
from array import array
from dataclasses import dataclass, field
from typing import Literal

Priority = Literal["interactive", "rollout", "backfill"]
Reduction = Literal["single", "max", "logsumexp"]
Source = Literal["computed", "memo", "shared"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a tool: its name and its arguments as (parameter, text) pairs, in the order given.

    Arguments that are no JSON object are kept as one pair with an empty parameter name.
    """

    name: str
    arguments: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Observation:
    """Text that answers an assistant message: a tool's result, or a later user message."""

    text: str
    message_index: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Turn:
    """One assistant message with its tool calls and every observation that answers it."""

    text: str
    calls: tuple[ToolCall, ...] = ()
    observations: tuple[Observation, ...] = ()
    message_index: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Trajectory:
    """What an agent did about one issue, with no trace of which tool wrote it down.

    `briefing` holds leading user messages beyond the issue itself. `patch` is None when the document
    has none; "" when it says that there is none; both render as "no patch". `message_index` of turns
    and observations points into the document's own message list and takes no part in equality.
    """

    issue: str
    turns: tuple[Turn, ...]
    patch: str | None = None
    briefing: tuple[str, ...] = ()
    exit: str | None = field(default=None, compare=False)

    @property
    def digest(self) -> str:
        """`sha256:` of the normalised content: the same story in two formats gives the same digest."""
        story = [
            self.issue,
            self.briefing,
            [
                [t.text, [[c.name, c.arguments] for c in t.calls], [o.text for o in t.observations]]
                for t in self.turns
            ],
            self.patch or "",
        ]
        text = json.dumps(story, ensure_ascii=True, separators=(",", ":"))
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Flag:
    """An advisory sign of reward hacking. `turn` counts from 0, as in `StepScore`; it and
    `message_index` are None where the sign stands in the issue or the final patch."""

    kind: str
    turn: int | None
    message_index: int | None
    evidence: str


@dataclass(frozen=True, slots=True)
class Adapted:
    """What an adapter made of one document: the trajectory and the facts that stand beside it."""

    trajectory: Trajectory
    format: str
    instance_id: str | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """Where one message stands in the prompt: token positions [start, end)."""

    role: Literal["issue", "briefing", "assistant", "observation", "patch", "question"]
    turn: int | None
    message_index: int | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Prompt:
    """A rendered trajectory.

    `ids` are int32 token ids, shape [n_tokens]; `segments` cover them in order;
    `structural_tokens` counts every control id among them; `elided_tokens` is what elision took
    out of observations, in `elided_turns` turns.
    """

    ids: array[int]
    segments: tuple[Segment, ...]
    structural_tokens: int
    template: str
    elided_tokens: int = 0
    elided_turns: int = 0

    @property
    def digest(self) -> str:
        """`sha256:` of the token ids as little-endian int32."""
        return "sha256:" + hashlib.sha256(self.ids.tobytes()).hexdigest()


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a prompt as text: one control token, or what stands between two of them."""

    text: str
    control: bool


@dataclass(frozen=True, slots=True)
class TemplateSpec:
    """A prompt template as the manifest gives it: layout text in which control tokens are written out.

    Placeholders: `head` {issue} · `briefing` {text} · `assistant` {text} {calls} {turn} (from 1) ·
    `observation` {text} {turn} · `call` {name} {arguments} · `argument` {key} {value} ·
    `raw_argument` {value} · `patch` {patch}. `no_patch` stands where there is none; `question`
    stands last, always.
    `escape` lists layout words that content may not repeat as they are (they are no control tokens).
    """

    name: str
    head: str
    assistant: str
    call: str
    argument: str
    raw_argument: str
    observation: str
    patch: str
    no_patch: str
    question: str
    briefing: str
    escape: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelSpec:
    """The answer forms of a verifier as text. `tokens`: each form is one token (`single`), or its
    first token counts (`first`, as SWE-Lego's inference_verifier_tts.py reads them)."""

    yes: tuple[str, ...]
    no: tuple[str, ...]
    tokens: Literal["single", "first"] = "single"
    reduction: Reduction = "single"


@dataclass(frozen=True, slots=True)
class Labels:
    """The answer tokens of a verifier: the ids of each surface form and how forms are reduced to one."""

    yes_ids: tuple[int, ...]
    no_ids: tuple[int, ...]
    reduction: Reduction = "single"

    @property
    def ids(self) -> tuple[int, ...]:
        return self.yes_ids + self.no_ids


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the engine said at the answer position: log-probabilities (natural, over the whole
    vocabulary) in the order of `Labels.ids`, and what it cost."""

    label_logprobs: tuple[float, ...]
    prompt_tokens: int
    cached_tokens: int
    engine_s: float


@dataclass(frozen=True, slots=True)
class Identity:
    """What made a score: every result names these by itself."""

    model: str
    revision: str
    template: str
    system_fingerprint: str
    trained: bool


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    high: float
    method: str


@dataclass(frozen=True, slots=True)
class Score:
    """A calibrated answer. `logit` is l_yes - l_no (natural log-odds, uncalibrated),
    `raw_probability` its sigmoid (SWE-RM's r), `label_mass` P(yes) + P(no)."""

    probability: float
    raw_probability: float
    logit: float
    label_mass: float
    calibration: str
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class StepScore:
    """The verdict after one turn: the turns so far, no patch, the question last. `probability` is
    None without a calibration of steps: one of whole trajectories says nothing of a part."""

    turn: int
    message_index: int | None
    logit: float
    raw_probability: float
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Reward:
    """A reward and what it is made of: the score's part and the constant for the outcome."""

    value: float
    score_part: float
    execution_part: float


@dataclass(frozen=True, slots=True)
class PassedTests:
    """Tests that a candidate's patch passed: those of the repository, and those that reproduce the
    issue. For hybrid ranking."""

    regression: int
    reproduction: int


@dataclass(frozen=True, slots=True)
class Ranked:
    """One place in a ranking; `index` points into the candidates as they came."""

    index: int
    rank: int
    tied: bool


@dataclass(frozen=True, slots=True)
class Ranking:
    """Best first. `best` is None when nothing may be called best."""

    order: tuple[Ranked, ...]
    best: int | None
    complete: bool
