"""What every engine can do."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Protocol

from app.engine.device import GPU_BUSY_STEPS, GPU_STEP_TOKENS
from app.types import Labels, Priority, Verdict


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """What an engine is: all that may change a logit, the longest prompt it takes, how many tokens it
    keeps of what it has computed (0: none), so that a prompt with the same beginning costs only what is
    new, how many tokens it computes at most in a step, which nobody interrupts, and how many steps of
    work have to be inside for it not to run dry."""

    name: str
    version: str
    dtype: str
    kv_dtype: str
    allowed_tokens: int
    cache_tokens: int = 0
    step_tokens: int = GPU_STEP_TOKENS
    busy_steps: int = GPU_BUSY_STEPS

    @property
    def keeps_prefixes(self) -> bool:
        return self.cache_tokens > 0


class Engine(Protocol):
    """Judges prompts. Cancelling a call aborts its work in the engine."""

    @property
    def facts(self) -> EngineFacts: ...

    async def judge(
        self, ids: array[int], labels: Labels, priority: Priority = "rollout"
    ) -> Verdict:
        """Log-probabilities of `labels.ids` at the position after `ids` (int32, shape [n_tokens]).

        Raises `TooLong`; `EngineFailed` when there is no complete, finite verdict; `EngineRestarting`
        when the engine died under the call; `Draining` when it closes.
        """

    async def probe(self) -> None:
        """A round trip through the engine's own loop. Raises a `ServiceError` when it is dead."""

    async def close(self) -> None:
        """Ends every waiter with `Draining` and leaves no child process."""
