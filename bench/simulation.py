"""A load on an engine that takes vLLM's steps, in virtual time: through the server's own door, or first
come, first served. The engine is fake, with the costs of Qwen3-30B-A3B on an H200."""

from __future__ import annotations

import asyncio
import itertools
from array import array
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from app.admission import Admission, Demand, Limits, Standing, chain_of, in_parts
from app.engine import EngineFacts
from app.engine.stepped import SteppedEngine
from app.errors import Deadline, Overloaded, TooLong
from app.types import Labels, Priority, Verdict
from bench.virtual import run

LABELS = Labels((1,), (2,))
BUDGET_TOKENS = 600_000  # what an H200 holds beside the weights
_PATIENCE_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Request:
    """Items that come together. `gone_s`: its client leaves so long after it came. Their first
    `shared_tokens` are the same in all requests of one `issue`."""

    at_s: float
    tokens: tuple[int, ...]
    priority: Priority = "rollout"
    key_id: str = "a"
    timeout_s: float = _PATIENCE_S
    gone_s: float | None = None
    issue: int = 0
    shared_tokens: int = 0

    def prompts(self, numbers: Iterator[int]) -> list[array[int]]:
        """Token ids; behind what is shared, none is like another."""
        issue = array("i", [9, self.issue, *([9] * (self.shared_tokens - 2))])[: self.shared_tokens]
        return [
            issue + unlike_all_others(numbers, tokens - self.shared_tokens)
            for tokens in self.tokens
        ]


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of a request: seconds from its coming to the end of each scored item."""

    request: Request
    ends_s: tuple[float, ...]
    refused: bool = False
    failed: int = 0


class Simulation:
    """A load on one engine, with our door before it or without."""

    def __init__(self, ours: bool, slow_at_s: float | None = None) -> None:
        loop = asyncio.get_running_loop()
        self.clock = loop.time
        facts = EngineFacts("fake", "1", "float32", "float32", 2**20 - 1, BUDGET_TOKENS)
        self.engine = SteppedEngine(facts)
        if not ours:
            self.engine.by_priority, self.engine.long_tokens = False, self.engine.batch_tokens
        self.numbers = itertools.count()
        limits = Limits(BUDGET_TOKENS, 134_217_728, 16_384, cache_tokens=BUDGET_TOKENS)
        self.door = Admission(limits, loop.time) if ours else None
        if slow_at_s is not None:
            loop.call_later(slow_at_s, setattr, self.engine, "slow", 10.0)

    async def play(self, load: Sequence[Request]) -> list[Seen]:
        """Raises when anything is left behind."""
        seen = await asyncio.gather(*(self._request(request) for request in load))
        await asyncio.sleep(60)
        left = [self.engine.running_tokens]
        if self.door:
            left += [self.door.inside_tokens, self.door.inside_items]
            left += [self.door.waiting_tokens, self.door.waiting_items]
        if any(left):
            message = f"something was left behind: {left}"
            raise RuntimeError(message)
        return seen

    async def _request(self, request: Request) -> Seen:
        await asyncio.sleep(request.at_s)
        began_s = self.clock()
        deadline = began_s + request.timeout_s
        prompts = request.prompts(self.numbers)
        try:
            score = self._entered(request, prompts, deadline)
        except (Overloaded, TooLong):
            return Seen(request, (), refused=True)

        async def one(number: int, ids: array[int]) -> float:
            async with asyncio.timeout_at(deadline):
                await score(number, ids)
            return self.clock() - began_s

        tasks = [asyncio.create_task(one(n, ids)) for n, ids in enumerate(prompts)]
        if request.gone_s is not None:
            await asyncio.sleep(request.gone_s)
            for task in tasks:
                task.cancel()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        bad = [e for e in found if isinstance(e, BaseException)]
        for error in bad:
            if not isinstance(error, TimeoutError | Deadline | asyncio.CancelledError):
                raise error
        return Seen(request, tuple(e for e in found if isinstance(e, float)), failed=len(bad))

    def _entered(
        self, request: Request, prompts: Sequence[array[int]], deadline: float
    ) -> Callable[[int, array[int]], Coroutine[Any, Any, None]]:
        """Scores an item by its number. Raises `Overloaded`, `TooLong`."""
        door, engine = self.door, self.engine
        if door is None:

            async def bare(_: int, ids: array[int]) -> None:
                await engine.judge(ids, LABELS, request.priority)

            return bare
        for tokens in request.tokens:
            door.check_size(tokens)
        chains = [chain_of(ids) for ids in prompts]
        expected = door.prefixes.expected(chains, request.tokens)
        sizes = enumerate(zip(request.tokens, expected, strict=True))
        demands = {n: Demand.of(tokens, cached_tokens) for n, (tokens, cached_tokens) in sizes}
        ticket = door.enter(demands, Standing(request.priority, request.key_id, deadline))

        async def through(number: int, ids: array[int]) -> None:
            seat = ticket.seat(demands[number], engine.facts.keeps_prefixes, chains[number])
            ticket.use(number)

            async def judge(tokens: int, priority: Priority) -> Verdict:
                return await engine.judge(ids[:tokens], LABELS, priority)

            await in_parts(door, seat, judge)

        return through


def unlike_all_others(numbers: Iterator[int], tokens: int) -> array[int]:
    """A prompt that shares no beginning with another."""
    high, low = divmod(next(numbers), 4096)
    return array("i", [high, low, *([7] * (tokens - 2))])


def play(load: Sequence[Request], ours: bool, slow_at_s: float | None = None) -> list[Seen]:
    async def scene() -> list[Seen]:
        return await Simulation(ours, slow_at_s).play(load)

    return run(scene())


def computed_tokens(load: Sequence[Request], ours: bool) -> int:
    """By the engine, for all of the load."""

    async def scene() -> int:
        simulation = Simulation(ours)
        await simulation.play(load)
        return simulation.engine.computed_tokens

    return run(scene())
