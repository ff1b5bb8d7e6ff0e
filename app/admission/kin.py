"""Who waits for what others compute: a waiting item costs less once its beginning was computed for
another, and more again when the engine's cache has forgotten it.

PrefillOnly (arXiv 2505.07203) asks the cache about every waiting job before each pick. Here each item
stands under the one block whose coming, and the one whose going, changes what it costs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.admission.lines import Lines
from app.admission.prefixes import BLOCK_TOKENS, Chain, Prefixes
from app.admission.seats import Demand, Load, Seat


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
        self._under: dict[bytes, set[Seat]] = {}

    def __len__(self) -> int:
        return len(self._under)

    def add(self, seat: Seat) -> None:
        for block in _blocks(seat):
            self._under.setdefault(block, set()).add(seat)

    def discard(self, seat: Seat) -> None:
        for block in _blocks(seat):
            if others := self._under.get(block):
                others.discard(seat)
                if not others:
                    del self._under[block]

    def computed(self, beginning: Chain) -> None:
        """What went in, or is done, is in the engine's cache for those who come in behind it."""
        forgotten = self._prefixes.remember(beginning)
        found = {
            seat
            for blocks in (beginning, forgotten)
            for block in blocks
            for seat in self._under.get(block, ())
        }
        for seat in sorted(found, key=_number):
            known_blocks = self._prefixes.known(seat.chain)
            if known_blocks != seat.known_blocks:
                self._refit(seat, known_blocks)

    def _refit(self, seat: Seat, known_blocks: int) -> None:
        tokens, load = seat.demand.prompt_tokens, self._waiting[seat.standing.rank]
        cached_tokens = min(known_blocks * BLOCK_TOKENS, tokens - 1)
        self.discard(seat)
        load.remove(seat.demand)
        with self._lines.aside(seat):
            seat.demand = Demand.of(tokens, cached_tokens, seat.demand.step)
            seat.known_blocks = known_blocks
            self._measure(seat)
        load.add(seat.demand)
        self.add(seat)


def _blocks(seat: Seat) -> Sequence[bytes]:
    """The last that is expected in the cache, and the first that is not."""
    if seat.reserved_tokens:
        return ()
    return seat.chain[max(0, seat.known_blocks - 1) : seat.known_blocks + 1]


def _number(seat: Seat) -> int:
    return seat.number or 0
