"""An engine for tests and demos without a model: slow, wrong and dead on request.

Its log-probabilities can be computed by hand: the logit is `logit_of(ids)`, the label mass 0.5.
"""

from __future__ import annotations

import asyncio
import math
import time
import zlib
from array import array
from dataclasses import dataclass, field
from typing import Literal

from app.engine.calls import Calls
from app.engine.protocol import EngineFacts
from app.engine.reading import label_logprobs, strict_ids
from app.errors import EngineRestarting
from app.types import Labels, Priority, Verdict

Fault = Literal["abort", "no_logprobs", "one_label_missing", "nan", "infinite", "crash"]
LABEL_MASS = 0.5


@dataclass(slots=True)
class FakeEngine:
    """See `Engine`. Set the fields at any time.

    `delay_s` and `token_s` slow every item and every token down; `fault` makes the raw output wrong in
    one of the ways that real engines are; `dead` refuses everything; `hung` never answers.
    """

    facts: EngineFacts = field(
        default_factory=lambda: EngineFacts("fake", "1", "float32", "float32", 262_143)
    )
    vocabulary: int = 8192
    delay_s: float = 0.0
    token_s: float = 0.0
    fault: Fault | None = None
    dead: bool = False
    hung: bool = False
    calls: int = 0
    aborted: int = 0
    running_tokens: int = 0
    most_running_tokens: int = 0
    _inside: Calls = field(default_factory=Calls)

    async def judge(
        self, ids: array[int], labels: Labels, priority: Priority = "rollout"
    ) -> Verdict:
        token_ids = strict_ids(ids, self.vocabulary, self.facts.allowed_tokens)
        with self._inside.own():
            self._refuse_when_dead()
            self.calls += 1
            started = time.perf_counter()
            cached_tokens = await self._work(ids, priority)
            self._refuse_when_dead()
        finish, values = self._output(ids, labels)
        return Verdict(
            label_logprobs=label_logprobs(finish, values, labels),
            prompt_tokens=len(token_ids),
            cached_tokens=cached_tokens,
            engine_s=time.perf_counter() - started,
        )

    async def probe(self) -> None:
        with self._inside.own():
            if self.hung:
                await asyncio.Event().wait()
        self._refuse_when_dead()

    async def close(self) -> None:
        self._inside.end()

    def logit_of(self, ids: array[int]) -> float:
        """Between -4 and 4, from a checksum of the ids."""
        return zlib.crc32(ids.tobytes()) / 2**32 * 8 - 4

    async def _work(self, ids: array[int], priority: Priority) -> int:
        """Tokens of the prompt that need not be computed, when the others were."""
        tokens = len(ids)
        self.running_tokens += tokens
        self.most_running_tokens = max(self.most_running_tokens, self.running_tokens)
        try:
            if self.hung:
                await asyncio.Event().wait()
            return await self._compute(ids, priority)
        except asyncio.CancelledError:
            self.aborted += 1
            raise
        finally:
            self.running_tokens -= tokens

    async def _compute(self, ids: array[int], priority: Priority) -> int:
        await asyncio.sleep(self.delay_s + self.token_s * len(ids))
        return 0

    def _refuse_when_dead(self) -> None:
        if self.dead:
            message = "the engine died under the item"
            raise EngineRestarting(message)

    def _output(self, ids: array[int], labels: Labels) -> tuple[str | None, dict[int, float]]:
        logit = self.logit_of(ids)
        yes = math.log(LABEL_MASS) - math.log1p(math.exp(-logit)) - math.log(len(labels.yes_ids))
        no = math.log(LABEL_MASS) - math.log1p(math.exp(logit)) - math.log(len(labels.no_ids))
        values = dict.fromkeys(labels.yes_ids, yes) | dict.fromkeys(labels.no_ids, no)
        match self.fault:
            case "abort":
                return "abort", {}
            case "no_logprobs":
                return "length", {}
            case "one_label_missing":
                del values[labels.no_ids[0]]
            case "nan":
                values[labels.yes_ids[0]] = math.nan
            case "infinite":
                values[labels.yes_ids[0]] = -math.inf
            case "crash":
                self.dead = True
                self._refuse_when_dead()
        return "length", values
