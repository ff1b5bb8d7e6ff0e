"""Rate limits and retry plans; the caller passes the time in, in whole milliseconds."""

from dataclasses import dataclass

__all__ = ["RetryPlan", "SlidingWindow", "TokenBucket", "parse_rate", "strictest"]

UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}


def parse_rate(text: str) -> tuple[int, int]:
    """Return (count, milliseconds) of a rate such as "5/s" or "100/10m"; ValueError if malformed.

    Both numbers must be positive; that of the period may be left out.
    """
    count, slash, period = text.strip().partition("/")
    unit = period.lstrip("0123456789")
    amount = period[: len(period) - len(unit)] or "1"
    if not (slash and count.isdecimal() and unit in UNITS_MS):
        raise ValueError(f"bad rate: {text!r}")
    if int(count) == 0 or int(amount) == 0:
        raise ValueError(f"rate must be positive: {text!r}")
    return int(count), int(amount) * UNITS_MS[unit]


class TokenBucket:
    """Up to `capacity` tokens, of which one comes back every `refill_ms`."""

    def __init__(self, capacity: int, refill_ms: int, start_ms: int = 0) -> None:
        """Start full; ValueError unless both limits are positive."""
        if capacity < 1 or refill_ms < 1:
            raise ValueError("capacity and refill_ms must be positive")
        self.capacity = capacity
        self.refill_ms = refill_ms
        self._tokens = capacity
        self._since_ms = start_ms

    def _refill(self, now_ms: int) -> None:
        """Add the tokens that have come back; parts of an interval carry over unless full."""
        gained = (now_ms - self._since_ms) // self.refill_ms
        if gained <= 0:
            return
        self._tokens = min(self.capacity, self._tokens + gained)
        self._since_ms += gained * self.refill_ms

    def available(self, now_ms: int) -> int:
        """Return the tokens at a time; a time before the last one changes nothing."""
        self._refill(now_ms)
        return self._tokens

    def take(self, now_ms: int, tokens: int = 1) -> bool:
        """Take tokens if there are enough, else take none; a full bucket begins an interval."""
        if self.available(now_ms) < tokens:
            return False
        if self._tokens == self.capacity:
            self._since_ms = max(self._since_ms, now_ms)
        self._tokens -= tokens
        return True

    def wait_ms(self, now_ms: int, tokens: int = 1) -> int:
        """Return how long until `take` succeeds, 0 if at once; ValueError above the capacity."""
        if tokens > self.capacity:
            raise ValueError(f"{tokens} tokens never fit into {self.capacity}")
        missing = tokens - self.available(now_ms)
        if missing <= 0:
            return 0
        return self._since_ms + missing * self.refill_ms - now_ms


class SlidingWindow:
    """At most `limit` events per key within any `window_ms`."""

    def __init__(self, limit: int, window_ms: int) -> None:
        """Start without events."""
        self.limit = limit
        self.window_ms = window_ms
        self._events: dict[str, list[int]] = {}

    def count(self, key: str, now_ms: int) -> int:
        """Return a key's events within the window; one of exactly window_ms ago is out."""
        held = self._events.pop(key, [])
        events = [at_ms for at_ms in held if at_ms > now_ms - self.window_ms]
        if events:
            self._events[key] = events
        return len(events)

    def hit(self, key: str, now_ms: int) -> bool:
        """Note an event and return True, or return False if the limit is reached."""
        if self.count(key, now_ms) >= self.limit:
            return False
        self._events.setdefault(key, []).append(now_ms)
        return True

    def retry_after_ms(self, key: str, now_ms: int) -> int:
        """Return how long until `hit` succeeds, 0 if at once."""
        if self.count(key, now_ms) < self.limit:
            return 0
        return self._events[key][0] + self.window_ms - now_ms


@dataclass(frozen=True)
class RetryPlan:
    """Waits between attempts that grow by a factor up to a ceiling."""

    attempts: int = 5
    first_ms: int = 100
    factor: int = 2
    ceiling_ms: int = 10_000

    def delays(self) -> list[int]:
        """Return the waits, one fewer than attempts."""
        waits = [self.first_ms * self.factor**number for number in range(self.attempts - 1)]
        return [min(wait, self.ceiling_ms) for wait in waits]

    def next_ms(self, failed: int, elapsed_ms: int, budget_ms: int | None = None) -> int | None:
        """Return the wait after so many failures; None if no attempt is left or the wait would
        end beyond the budget."""
        delays = self.delays()
        if not 1 <= failed <= len(delays):
            return None
        wait = delays[failed - 1]
        return None if budget_ms is not None and elapsed_ms + wait > budget_ms else wait


def strictest(waits: list[int | None]) -> int | None:
    """Return the longest wait; None (never) if any of them is None, 0 for no waits."""
    if any(wait is None for wait in waits):
        return None
    return max(waits, default=0)
