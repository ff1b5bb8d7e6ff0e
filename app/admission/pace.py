"""How fast the engine has been of late: seconds = a·n + b·n² over uncached tokens.

An item that has `cached` of its `prompt` tokens in the engine's cache costs a·(prompt − cached) for the
weights and b·(prompt² − cached²) for causal attention (each uncached token looks at all before it).
a and b are fitted by least squares to this engine's own busy time, and forgotten exponentially; how far
the last few items were off moves both at once, so that an engine that slows down is soon believed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from app.admission.seats import Demand, Load

_SHAPE_MEMORY = (120.0, 32)  # seconds, but items at least: on a slow engine one may take minutes
_LEVEL_MEMORY = (10.0, 4)
_GUESS_S = 1 / 5_000  # a token, until something has finished
# b/a before sizes differ enough to tell them apart; Qwen3-30B-A3B has 393k FLOP per pair of tokens
# and 6.6 GFLOP per token: 0.6e-4. The small model on a CPU measures 2e-4.
_PAIR_SHARE = 1e-4
_RIDGE = 0.002
_ROW_S = 0.05
_SAME_STEP_S = 0.01
_MOST_SPOILT_ROWS = 8
_LEARNT_S = 1.0
_LEARNT_ITEMS = 4
_LEAST = 1e-9


class Pace:
    """What engine time was spent on, row by row: a row is the busy time between finished items."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: float | None = None
        self._row_tokens = 0
        self._row_pairs = 0
        self._row_s = 0.0
        self._row_items = 0
        self._row_spoilt = False
        self._spoilt_rows = 0  # one after another
        # Weighted sums over rows: of u², uv, v², ut, vt (see `_learn`).
        self._uu = self._uv = self._vv = self._ut = self._vt = 0.0
        self._tokens = self._busy_s = 0.0
        self._seen_s = 0.0
        self._seen_items = 0
        self._token_s = _GUESS_S
        self._pair_s = _GUESS_S * _PAIR_SHARE
        self._late_s = self._late_said_s = 0.0  # what the last items took, and what was said
        self._level = 1.0

    @property
    def learnt(self) -> bool:
        """Whether enough was seen to refuse anybody for it."""
        return self._seen_s >= _LEARNT_S and self._seen_items >= _LEARNT_ITEMS

    @property
    def tokens_per_s(self) -> float:
        """Uncached tokens finished over busy seconds; a guess until something has finished."""
        if not self._tokens or not self._busy_s:
            return 1 / _GUESS_S
        return self._tokens / self._busy_s

    @property
    def a_s(self) -> float:
        """Seconds a token."""
        return self._level * self._token_s

    @property
    def b_s(self) -> float:
        """Seconds a pair of tokens."""
        return self._level * self._pair_s

    def cost_s(self, work: Demand | Load) -> float:
        return self.seconds(work.tokens, work.pairs)

    def seconds(self, tokens: int, pairs: int) -> float:
        return self._level * (self._token_s * tokens + self._pair_s * pairs)

    def tokens_in(self, seconds: float, cached_tokens: int) -> float:
        """Uncached tokens behind `cached_tokens` that so many seconds are enough for: x of
        b·x² + (a + 2b·cached)·x = seconds."""
        a_s = self.a_s + 2 * self.b_s * cached_tokens
        return 2 * seconds / (a_s + math.sqrt(a_s * a_s + 4 * self.b_s * seconds))

    def begin(self) -> None:
        if self._since is None:
            self._since = self._clock()

    def since_row_s(self) -> float:
        """Busy time that no finished item accounts for yet."""
        return (0.0 if self._row_tokens else self._row_s) + self._gap_s()

    def spent_s(self, came_s: float) -> float:
        """On one that came then, at most: since another was last finished, or left."""
        return min(self._gap_s(), self._clock() - came_s)

    def finished(self, tokens: int, pairs: int) -> None:
        """All that one step of the engine finishes belongs to one row, with the time of that step."""
        if self._gap_s() > _SAME_STEP_S:
            self._end_row()
        self._count_time()
        self._row_tokens += tokens
        self._row_pairs += pairs
        self._row_items += 1

    def dropped(self) -> None:
        """An item left unfinished: who finishes next has not had the engine's time for himself."""
        self._end_row()
        self._count_time()
        self._row_spoilt = True

    def idle(self) -> None:
        self._count_time()
        self._end_row(least_s=0.0)
        self._clear_row()
        self._since = None

    def _end_row(self, least_s: float = _ROW_S) -> None:
        """A spoilt row teaches nothing, unless there is no other: an engine that has become so slow that
        everybody leaves would be believed to be as fast as it was."""
        if not self._row_tokens or self._row_s <= least_s:
            return
        if self._row_spoilt and self._spoilt_rows < _MOST_SPOILT_ROWS:
            self._spoilt_rows += 1
            self._clear_row()
            return
        self._spoilt_rows = 0
        self._learn()

    def _gap_s(self) -> float:
        return self._clock() - self._since if self._since is not None else 0.0

    def _count_time(self) -> None:
        self._row_s += self._gap_s()
        self._since = self._clock()

    def _learn(self) -> None:
        """Weighted least squares in t = α·u + β·v, where p = tokens + r·pairs is a row's size,
        u = tokens/p, v = r·pairs/p, t = seconds/p, weight √p, and r the share that is assumed. A
        ridge pulls α and β together, so while all items are of one size the shape stays as assumed."""
        tokens, pairs, seconds = float(self._row_tokens), self._row_pairs * _PAIR_SHARE, self._row_s
        size = tokens + pairs
        weight = size**-1.5
        keep = self._kept(_SHAPE_MEMORY)
        self._uu = self._uu * keep + weight * tokens * tokens
        self._uv = self._uv * keep + weight * tokens * pairs
        self._vv = self._vv * keep + weight * pairs * pairs
        self._ut = self._ut * keep + weight * tokens * seconds
        self._vt = self._vt * keep + weight * pairs * seconds
        self._solve()
        keep = self._kept(_LEVEL_MEMORY)
        said_s = self._token_s * tokens + self._pair_s * self._row_pairs
        self._late_s = self._late_s * keep + seconds
        self._late_said_s = self._late_said_s * keep + said_s
        self._level = self._late_s / self._late_said_s
        self._tokens = self._tokens * keep + tokens
        self._busy_s = self._busy_s * keep + seconds
        self._seen_s += seconds
        self._seen_items += self._row_items
        self._clear_row()

    def _kept(self, memory: tuple[float, int]) -> float:
        memory_s, memory_items = memory
        return math.exp(-min(self._row_s / memory_s, self._row_items / memory_items))

    def _solve(self) -> None:
        ridge = _RIDGE * (self._uu + 2 * self._uv + self._vv)
        uu, uv, vv = self._uu + ridge, self._uv - ridge, self._vv + ridge
        determinant = uu * vv - uv * uv
        token_s = (vv * self._ut - uv * self._vt) / determinant
        pair_s = (uu * self._vt - uv * self._ut) / determinant
        if pair_s < 0:
            token_s, pair_s = self._ut / self._uu, 0.0
        elif token_s < 0:
            token_s, pair_s = 0.0, self._vt / self._vv
        self._token_s = max(_LEAST, token_s)
        self._pair_s = pair_s * _PAIR_SHARE

    def _clear_row(self) -> None:
        self._row_tokens = self._row_pairs = self._row_items = 0
        self._row_s, self._row_spoilt = 0.0, False
