"""When an engine is late, when it is dead, and how often a dead one may be replaced. Pure: no clock."""

from __future__ import annotations

import random
from collections import deque

_FADES = 0.99  # per answered probe: one slow step is remembered for some minutes
_TOKENS_PER_S = 4096
_DEAD_AFTER = 3
_WAIT_GROWS, _WAITS = 4.0, 3


class Pulse:
    """The signs of life of one engine: answered probes and finished items. All in seconds.

    A probe is answered between two steps of the engine, so a slow step is a late answer. `patience_s`
    is three times the slowest answer of late, and a second for every 4,096 tokens of the longest
    prompt inside, for one step over a long context takes a minute on a CPU; never less than the floor.
    """

    def __init__(self, floor_s: float) -> None:
        self._floor_s = floor_s
        self._slowest_s = 0.0
        self.silent_s = 0.0

    def passed(self, seconds: float) -> None:
        """Time went by in which an answer could have been heard: not what this process itself slept
        through, stopped, starved or suspended with its machine."""
        self.silent_s += seconds

    def sign(self) -> None:
        """An item was finished."""
        self.silent_s = 0.0

    def answered(self, took_s: float) -> None:
        """A probe was."""
        self._slowest_s = max(took_s, self._slowest_s * _FADES)
        self.silent_s = 0.0

    def patience_s(self, longest_tokens: int) -> float:
        return max(self._floor_s, 3 * self._slowest_s, longest_tokens / _TOKENS_PER_S)

    def late(self, longest_tokens: int) -> bool:
        return self.silent_s > self.patience_s(longest_tokens)

    def dead(self, longest_tokens: int) -> bool:
        return self.silent_s > _DEAD_AFTER * self.patience_s(longest_tokens)


class Budget:
    """`most` replacements within any `window_s`. The second of them waits four times as long as the
    first, the third and those after it sixteen times."""

    def __init__(self, most: int, window_s: float, first_wait_s: float) -> None:
        self._most = most
        self._window_s = window_s
        self._first_wait_s = first_wait_s
        self._spent: deque[float] = deque()

    def spend(self, now: float) -> float | None:
        """Seconds to wait before the next replacement; None when there is none left."""
        while self._spent and now - self._spent[0] > self._window_s:
            self._spent.popleft()
        if len(self._spent) >= self._most:
            return None
        wait_s = self._first_wait_s * _WAIT_GROWS ** min(len(self._spent), _WAITS - 1)
        self._spent.append(now)
        return wait_s * random.uniform(0.75, 1.25)
