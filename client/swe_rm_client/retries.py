"""When a request is sent again, and for how long to wait before. Decisions only, no HTTP.

Sending again is safe: a score is named by its content, so a retry gets the same `score_id` and, from
the server's memo, the same verdict; `/outcomes` carries an `Idempotency-Key`.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from . import clock
from .errors import RESENT_STATUSES, UsageError

# Connection errors before an answer. A timeout is none of them: it means that the time is up.
_NEVER_REACHED = (httpx.ConnectError, httpx.ConnectTimeout)
_BROKE = (
    httpx.ReadError,
    httpx.WriteError,
    httpx.CloseError,
    httpx.RemoteProtocolError,
    httpx.ProxyError,
)


@dataclass(frozen=True, slots=True)
class Retries:
    """How persistent a client is. The deadline of a request bounds all of it.

    `attempts` counts the first one too; 1 means never again. The wait before attempt n + 1 is
    drawn from 0 … min(`most_s`, `first_s` · 2^(n−1)), on top of what the server asked for.
    `budget` is how many retries a client may have made that the server neither asked for nor was
    spared: each costs 1, each answered request earns 0.1 back, so that a broken server is not
    asked much more often than a whole one.

    Raises `UsageError` for values that make no sense.
    """

    attempts: int = 8
    first_s: float = 0.5
    most_s: float = 30.0
    budget: float = 64.0

    def __post_init__(self) -> None:
        numbers = (self.first_s, self.most_s, self.budget)
        if self.attempts < 1 or not all(math.isfinite(n) and n >= 0 for n in numbers):
            message = f"attempts must be 1 or more, the others finite and not negative: {self}"
            raise UsageError(message)

    def pause_s(self, attempt: int, asked_s: float | None) -> float:
        """How long to wait after attempt number `attempt` (from 1), never less than asked."""
        longest = min(self.most_s, self.first_s * 2.0 ** min(attempt - 1, 60))
        return (asked_s or 0.0) + clock.jitter_s(longest)


DEFAULT_RETRIES = Retries()
NO_RETRIES = Retries(attempts=1)


class Budget:
    """What is left of a client's retries; shared by its threads."""

    def __init__(self, size: float) -> None:
        self._size = size
        self._left = size
        self._lock = threading.Lock()

    def spend(self) -> bool:
        """Takes one; False when there is none left."""
        with self._lock:
            if self._left < 1.0:
                return False
            self._left -= 1.0
            return True

    def earn(self) -> None:
        """An answered request."""
        with self._lock:
            self._left = min(self._size, self._left + 0.1)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a client grants one call: `wait_s` for each request in all, and how often to retry."""

    wait_s: float
    retries: Retries
    budget: Budget


class Tries:
    """The attempts of one HTTP request, up to `ends_at_s` on the clock."""

    def __init__(self, retries: Retries, budget: Budget, ends_at_s: float) -> None:
        self._retries = retries
        self._budget = budget
        self._ends_at_s = ends_at_s
        self._attempt = 1

    def left_s(self) -> float:
        """Seconds until the deadline. Raises `httpx.ReadTimeout` when there are none."""
        left_s = self._ends_at_s - clock.now_s()
        if left_s <= 0:
            message = "the time for this request is up"
            raise httpx.ReadTimeout(message)
        return left_s

    def after_answer(self, status: int, headers: Mapping[str, str]) -> float | None:
        """Seconds to wait before the next attempt; None: this answer is the answer."""
        should = headers.get("x-should-retry", "").strip().lower()
        if status not in RESENT_STATUSES or should == "false":
            if status < 500:
                self._budget.earn()
            return None
        asked_s = seconds(headers.get("Retry-After"))
        return self._next(asked_s, free=asked_s is not None or should == "true")

    def after_error(self, error: httpx.TransportError) -> float | None:
        """Seconds to wait before the next attempt; None: give up."""
        if isinstance(error, _NEVER_REACHED):
            return self._next(None, free=True)
        return self._next(None, free=False) if isinstance(error, _BROKE) else None

    def _next(self, asked_s: float | None, *, free: bool) -> float | None:
        pause_s = self._retries.pause_s(self._attempt, asked_s)
        if self._attempt >= self._retries.attempts:
            return None
        if clock.now_s() + pause_s >= self._ends_at_s:
            return None
        if not free and not self._budget.spend():
            return None
        self._attempt += 1
        return pause_s


def seconds(text: str | None) -> float | None:
    """Retry-After in seconds; a date (never sent by our server) or nonsense is None."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None
