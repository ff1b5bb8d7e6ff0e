"""Who waits for what others compute: a waiting item costs less once its beginning was computed for
another, and more again when the engine's cache has forgotten it.

PrefillOnly (arXiv 2505.07203) asks the cache about every waiting job before each pick. Here an item
stands under two blocks: the one whose coming and the one whose going changes what it costs.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from app.admission.lines import Lines
from app.admission.prefixes import BLOCK_TOKENS, Chain, Prefixes
from app.admission.seats import Demand, Load, Seat

# Behind one system prompt thousands may wait: the rest of them follow with the next that goes in.
_AT_ONCE = 256


@dataclass(slots=True)
class _Stands:
    """Seats by the block they stand under, in the order they came."""

    by_block: dict[bytes, dict[Seat, None]] = field(default_factory=dict)

    def add(self, block: Chain, seat: Seat) -> None:
        for digest in block:
            self.by_block.setdefault(digest, {})[seat] = None

    def discard(self, block: Chain, seat: Seat) -> None:
        for digest in block:
            if others := self.by_block.get(digest):
                others.pop(seat, None)
                if not others:
                    del self.by_block[digest]

    def under(self, blocks: Iterable[bytes]) -> Iterable[Seat]:
        return itertools.chain.from_iterable(self.by_block.get(block, ()) for block in blocks)


class Kin:
    """Seats that wait and have a chain, but for those that have begun: their parts are their own.
    `waiting`: the loads of the classes, kept true; `measure` sets size and part of a seat anew."""

    def __init__(
        self,
        prefixes: Prefixes,
        lines: Lines,
        waiting: Sequence[Load],
        measure: Callable[[Seat], None],
    ) -> None:
        self._prefixes = prefixes
        self._lines = lines
        self._waiting = waiting
        self._measure = measure
        self._known = _Stands()  # under the last block that is expected in the cache
        self._unknown = _Stands()  # under the first that is not

    def __len__(self) -> int:
        """Blocks that somebody stands under."""
        return len(self._known.by_block) + len(self._unknown.by_block)

    def add(self, seat: Seat) -> None:
        if not seat.reserved_tokens:
            known, unknown = _blocks(seat)
            self._known.add(known, seat)
            self._unknown.add(unknown, seat)

    def discard(self, seat: Seat) -> None:
        known, unknown = _blocks(seat)
        self._known.discard(known, seat)
        self._unknown.discard(unknown, seat)

    def computed(self, beginning: Chain) -> None:
        """What went in, or is done, is in the engine's cache for those who come in behind it."""
        forgotten = self._prefixes.remember(beginning)
        found = itertools.chain(self._known.under(forgotten), self._unknown.under(beginning))
        for seat in list(itertools.islice(found, _AT_ONCE)):
            self.settle(seat)

    def settle(self, seat: Seat) -> bool:
        """Whether a waiting seat costs something else than was thought: then it has another place now.
        Its request may have counted on another of its items, which has not gone in."""
        known_blocks = self._prefixes.known(seat.chain)
        if known_blocks == seat.known_blocks or seat.reserved_tokens or not seat.chain:
            return False
        before, tokens = seat.demand, seat.demand.prompt_tokens
        cached_tokens = min(known_blocks * BLOCK_TOKENS, tokens - 1)
        self.discard(seat)
        seat.demand = Demand.of(tokens, cached_tokens, before.step)
        seat.known_blocks = known_blocks
        self._measure(seat)
        self._lines.resize(seat, before)
        load = self._waiting[seat.standing.rank]
        load.remove(before)
        load.add(seat.demand)
        self.add(seat)
        return True


def _blocks(seat: Seat) -> tuple[Chain, Chain]:
    """The last that is expected in the cache, and the first that is not; either may be missing."""
    known = seat.known_blocks
    return seat.chain[max(0, known - 1) : known], seat.chain[known : known + 1]
