"""A fake engine that takes vLLM's steps: what an order of work is worth can be seen without a GPU.

A step computes at most `batch_tokens`, those that run before those that wait; who waits comes in by
priority, then by arrival. A prompt alone may take the whole step, among others `long_tokens` of it.
A step of tokens [start, end) of a prompt takes token_s·(end − start) + pair_s·(end² − start²) seconds.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import zlib
from array import array
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TypeAlias

from app.engine.fake import FakeEngine
from app.types import Priority

_RANK: dict[Priority, int] = {"interactive": 0, "rollout": 1, "backfill": 2}


_BLOCK_TOKENS = 128
_Block: TypeAlias = tuple[int, int]  # its number, and a checksum of all up to its end


@dataclass(eq=False, slots=True)
class _Run:
    tokens: int
    chain: list[_Block]
    done: asyncio.Future[None]
    at: int = 0
    cached: int = 0


@dataclass(slots=True)
class SteppedEngine(FakeEngine):
    """The default costs are those of Qwen3-30B-A3B on an H200 at 40 % of its peak: 6.6 GFLOP a token and
    393k FLOP a pair. `slow` multiplies them from the next step on; without `by_priority` it is first
    come, first served. The last `facts.cache_tokens` that were computed are kept, by blocks."""

    token_s: float = 6.6e9 / 396e12
    pair_s: float = 393e3 / 396e12
    slow: float = 1.0
    batch_tokens: int = 8192
    long_tokens: int = 4096
    running_items: int = 64
    by_priority: bool = True
    busy_s: float = 0.0
    computed_tokens: int = 0
    _waiting: list[tuple[int, int, _Run]] = field(default_factory=list)
    _running: list[_Run] = field(default_factory=list)
    _stepping: asyncio.Task[None] | None = None
    _number: int = 0
    _blocks: OrderedDict[_Block, None] = field(default_factory=OrderedDict)

    def _chain(self, ids: array[int]) -> list[_Block]:
        """Every beginning that is whole blocks long; none where nothing is kept."""
        if not self.facts.cache_tokens:
            return []
        whole, view = len(ids) // _BLOCK_TOKENS * _BLOCK_TOKENS, memoryview(ids)
        blocks = (view[at : at + _BLOCK_TOKENS] for at in range(0, whole, _BLOCK_TOKENS))
        sums = itertools.accumulate(
            blocks, lambda total, block: zlib.crc32(block, total), initial=0
        )
        return list(enumerate(sums))[1:]

    async def _compute(self, ids: array[int], priority: Priority) -> int:
        run = _Run(len(ids), self._chain(ids), asyncio.get_running_loop().create_future())
        self._number += 1
        rank = _RANK[priority] if self.by_priority else 0
        heapq.heappush(self._waiting, (rank, self._number, run))
        if self._stepping is None or self._stepping.done():
            self._stepping = asyncio.create_task(self._steps())
        await run.done
        return run.cached

    async def _steps(self) -> None:
        while chunks := self._schedule():
            step_s = self.slow * sum(self._cost_s(run, chunk) for run, chunk in chunks)
            await asyncio.sleep(step_s)
            self.busy_s += step_s
            self.computed_tokens += sum(chunk for _, chunk in chunks)
            for run, chunk in chunks:
                run.at += chunk
                if run.at == run.tokens and not run.done.done():
                    self._keep(run, run.tokens)
                    run.done.set_result(None)

    def _schedule(self) -> list[tuple[_Run, int]]:
        self._running = [run for run in self._running if not run.done.done()]
        self._waiting = [entry for entry in self._waiting if not entry[-1].done.done()]
        heapq.heapify(self._waiting)
        alone = len(self._running) + len(self._waiting) == 1
        most = self.batch_tokens if alone else self.long_tokens
        budget, chunks = self.batch_tokens, []
        for run in self._running:
            if chunk := min(run.tokens - run.at, budget, most):
                chunks.append((run, chunk))
                self._keep(run, run.at + chunk)
                budget -= chunk
        while budget and self._waiting and len(self._running) < self.running_items:
            run = heapq.heappop(self._waiting)[-1]
            self._running.append(run)
            run.at = run.cached = self._known_tokens(run)
            chunk = min(run.tokens - run.at, budget, most)
            chunks.append((run, chunk))
            self._keep(run, run.at + chunk)
            budget -= chunk
        return chunks

    def _known_tokens(self, run: _Run) -> int:
        known = itertools.takewhile(self._blocks.__contains__, run.chain)
        return min(run.tokens - 1, _BLOCK_TOKENS * sum(1 for _ in known))

    def _keep(self, run: _Run, end: int) -> None:
        """Its tokens up to `end`: who comes in behind it, be it in the same step, has them."""
        for block in reversed(run.chain[: end // _BLOCK_TOKENS]):  # ends are forgotten first
            self._blocks[block] = None
            self._blocks.move_to_end(block)
        while len(self._blocks) > self.facts.cache_tokens // _BLOCK_TOKENS:
            self._blocks.popitem(last=False)

    def _cost_s(self, run: _Run, chunk: int) -> float:
        return self.token_s * chunk + self.pair_s * ((run.at + chunk) ** 2 - run.at**2)
