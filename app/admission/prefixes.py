"""What the engine's cache probably holds: which beginnings of prompts were computed of late.

An estimate for the order of work, not a promise: the engine's own count is what results report.
"""

from __future__ import annotations

import hashlib
import itertools
from array import array
from collections import OrderedDict
from collections.abc import Sequence

BLOCK_TOKENS = 1024
_DIGEST_BYTES = 12

Chain = tuple[bytes, ...]  # digest of the first block, of the first two, …


def chain_of(ids: array[int]) -> Chain:
    """Digests of every beginning of `ids` that is whole blocks long."""
    view, step = memoryview(ids).cast("B"), BLOCK_TOKENS * ids.itemsize
    running = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    found = []
    for at in range(0, len(view) // step * step, step):
        running.update(view[at : at + step])
        found.append(running.copy().digest())
    return tuple(found)


class Prefixes:
    """The last `limit_blocks` blocks that were computed; 0 for an engine that keeps nothing."""

    def __init__(self, limit_blocks: int) -> None:
        self._limit_blocks = limit_blocks
        self._blocks: OrderedDict[bytes, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._blocks)

    def remember(self, chain: Chain) -> list[bytes]:
        """The blocks that are forgotten for it."""
        if not self._limit_blocks:
            return []
        for block in reversed(chain):  # the beginning is the newest: tails are forgotten first
            self._blocks[block] = None
            self._blocks.move_to_end(block)
        surplus = range(len(self._blocks) - self._limit_blocks)
        return [self._blocks.popitem(last=False)[0] for _ in surplus]

    def known(self, chain: Chain) -> int:
        """How many of its blocks were computed before."""
        return sum(1 for _ in itertools.takewhile(self._blocks.__contains__, chain))

    def expected(self, chains: Sequence[Chain], prompts_tokens: Sequence[int]) -> list[int]:
        """Cached tokens to expect for each prompt of a request, in its order: what was computed
        before, and what an earlier prompt of the same request will have computed."""
        if not self._limit_blocks:
            return [0] * len(chains)
        mine: set[bytes] = set()
        found = []
        for chain, tokens in zip(chains, prompts_tokens, strict=True):
            known = 0
            while known < len(chain) and (chain[known] in mine or chain[known] in self._blocks):
                known += 1
            mine.update(chain)
            found.append(min(known * BLOCK_TOKENS, tokens - 1))
        return found
