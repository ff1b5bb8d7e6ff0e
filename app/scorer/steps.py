"""After which turns a trajectory is scored, and the prompt of each step.

A step's prompt is the encoding of the whole trajectory up to the end of its turn, then the question:
sliced, never encoded again, so all steps share their beginning with the whole prompt, and an engine
with a prefix cache computes little more than the questions.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.errors import Invalid
from app.types import Prompt, Segment

# What a prefix cache of 32-token blocks leaves to be computed of a shared beginning.
_BLOCK_TOKENS = 32


@dataclass(frozen=True, slots=True)
class StepChoice:
    """`every` k-th turn, the `last` k, the `turns` named, or all of them."""

    kind: Literal["none", "all", "every", "last", "turns"] = "none"
    count: int = 0
    turns: tuple[int, ...] = ()

    def of(self, turns: int) -> tuple[int, ...]:
        """The chosen turns of a trajectory, ascending. Raises `Invalid` for a turn it lacks."""
        match self.kind:
            case "none":
                return ()
            case "all":
                return tuple(range(turns))
            case "every":
                return tuple(range(self.count - 1, turns, self.count))
            case "last":
                return tuple(range(max(0, turns - self.count), turns))
        chosen = tuple(sorted(set(self.turns)))
        if chosen and chosen[-1] >= turns:
            message = f"steps: turn {chosen[-1]} was asked for; the trajectory has {turns} turns"
            raise Invalid(message, limits={"measured": chosen[-1], "allowed": turns - 1})
        return chosen


NO_STEPS = StepChoice()


def prompt_of(prompt: Prompt, turn: int) -> array[int]:
    """The turns up to `turn`, no patch, the question last."""
    question = prompt.segments[-1]
    end = max(segment.end for segment in prompt.segments if segment.turn == turn)
    return prompt.ids[:end] + prompt.ids[question.start : question.end]


def message_index(prompt: Prompt, turn: int) -> int | None:
    """Where the document has the turn's assistant message."""
    return next(s.message_index for s in prompt.segments if s.turn == turn)


def extra_tokens(segments: Sequence[Segment], steps: int) -> int:
    """What `steps` steps may cost an engine that has the whole prompt in its prefix cache."""
    return steps * (_BLOCK_TOKENS + segments[-1].end - segments[-1].start)
