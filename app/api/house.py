"""What the routes are given: the corridor, the counters and the plain numbers they need."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from app.api.access import Access, NoKeys
from app.api.feedback import Feedback
from app.errors import Closing, EngineAway, Overloaded
from app.metrics import Metrics, Reading
from app.scorer import Scorer

if TYPE_CHECKING:  # an extra that need not be installed
    from app.api.traces import Traces

ENGINE_STATES = ("starting", "ready", "degraded", "restarting", "failed")
DEFAULT_TIMEOUT_S = {"interactive": 120.0, "rollout": 900.0, "backfill": 3600.0}
MAX_TIMEOUT_S = 3600.0
MAX_ID_CHARS = 256


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may be; all bytes are decoded bytes."""

    max_items: int
    max_body_bytes: int
    max_ndjson_body_bytes: int
    max_item_bytes: int
    bodies_bytes: int
    body_timeout_s: float


@dataclass(frozen=True, slots=True)
class Health:
    """`trouble` is None when ready; `canary` is what the last look found; `restarts` of the engine so
    far; `retry_after_s` when one that is being replaced should be back."""

    trouble: str | None
    canary: Mapping[str, Any]
    state: str = "ready"
    restarts: int = 0
    probe_age_s: float | None = None
    retry_after_s: float = 1.0


class Bodies:
    """Counts the bytes of all bodies that are being read or rendered."""

    def __init__(self, allowed_bytes: int) -> None:
        self._allowed_bytes = allowed_bytes
        self._lock = threading.Lock()  # decoding holds bytes from the reader threads
        self.held_bytes = 0

    def hold(self, more_bytes: int) -> None:
        """Raises `Overloaded` when the house already holds too much."""
        with self._lock:
            if self.held_bytes + more_bytes > self._allowed_bytes:
                message = "too many bytes of request bodies are being read at once"
                raise Overloaded(message, retry_after_s=random.uniform(1.0, 5.0))
            self.held_bytes += more_bytes

    @contextmanager
    def account(self) -> Iterator[Callable[[int], None]]:
        """Gives a `hold` whose bytes are given back at the end, whatever happens."""
        mine = 0

        def hold(more_bytes: int) -> None:
            nonlocal mine
            self.hold(more_bytes)
            mine += more_bytes

        try:
            yield hold
        finally:
            with self._lock:
                self.held_bytes -= mine


class House:
    """Built once by the composition root and shared by all routes."""

    def __init__(
        self,
        scorer: Scorer,
        metrics: Metrics,
        limits: Limits,
        health: Callable[[], Health],
        version: str,
        access: Access | None = None,
        feedback: Feedback | None = None,
        traces: Traces | None = None,
    ) -> None:
        self.scorer = scorer
        self.metrics = metrics
        self.limits = limits
        self._health = health
        self.feedback = feedback
        self.access = access or NoKeys()
        self.traces = traces
        self.version = version
        self.bodies = Bodies(limits.bodies_bytes)
        self.leaving = False
        self._shut = False
        self._reading: set[asyncio.Timeout] = set()
        self._readers = ThreadPoolExecutor(2, thread_name_prefix="read")
        metrics.gauges(self._gauges)

    def health(self) -> Health:
        """Of the engine, and of the calibrations that replicas share."""
        found = self._health()
        if found.trouble or not self.feedback:
            return found
        return replace(found, trouble=self.feedback.follower.trouble)

    @property
    def state(self) -> str:
        """`ready`, or why the server is not."""
        if self.leaving:
            return "draining"
        health = self.health()
        return "degraded" if health.trouble and health.state == "ready" else health.state

    def leave(self) -> None:
        """Not ready any more; still serves."""
        self.leaving = True

    def shut(self) -> None:
        """Takes nothing more."""
        self.leaving = self._shut = True

    def end_all(self) -> None:
        """Ends what is still here: items in their own places, bodies that are still arriving."""
        self.shut()
        self.scorer.drain()
        for clock in [each for each in self._reading if not each.expired()]:
            clock.reschedule(asyncio.get_running_loop().time())

    @contextmanager
    def reading(self, clock: asyncio.Timeout) -> Iterator[None]:
        """For the time that a body arrives under this clock."""
        self._reading.add(clock)
        try:
            yield
        finally:
            self._reading.discard(clock)

    def refuse_when_shut(self) -> None:
        """Before a body is read and again behind it. Raises `Closing`, `EngineAway`."""
        if self._shut:
            message = "the server is going down; another one, or this one later, takes the request"
            raise Closing(message, retry_after_s=random.uniform(1.0, 5.0))
        health = self.health()
        if health.state in ("restarting", "failed"):
            message = "the engine is being replaced; send the request again"
            raise EngineAway(message, retry_after_s=health.retry_after_s)

    async def off_loop(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Runs what would stall the event loop in the bounded reader pool."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, function, *arguments)

    def close(self) -> None:
        self._readers.shutdown(wait=False, cancel_futures=True)
        self.scorer.close()

    def _gauges(self) -> Iterator[Reading]:
        door = self.scorer.admission
        yield "swe_rm_inside_tokens", "Tokens handed to the engine", door.inside_tokens
        yield "swe_rm_inside_items", "Items handed to the engine", door.inside_items
        yield "swe_rm_waiting_tokens", "Tokens waiting at the door", door.waiting_tokens
        yield "swe_rm_waiting_items", "Items waiting at the door", door.waiting_items
        backlog = self.scorer.backlog_s()
        yield "swe_rm_backlog_seconds", "Predicted wait of a newcomer, by class", ("class", backlog)
        pace = door.pace
        yield "swe_rm_prefill_tokens_per_second", "Uncached tokens, of late", pace.tokens_per_s
        yield "swe_rm_token_seconds", "Fitted cost of a token", pace.a_s
        yield "swe_rm_token_pair_seconds", "Fitted cost of a pair of tokens", pace.b_s
        yield "swe_rm_memo_bytes", "Bytes of remembered verdicts", self.scorer.memo.held_bytes
        yield "swe_rm_memo_entries", "Remembered verdicts", len(self.scorer.memo)
        tokens = self.scorer.token_memo_bytes
        yield "swe_rm_token_memo_bytes", "Bytes of remembered token ids", tokens
        yield "swe_rm_shareable_items", "Computations others could share", self.scorer.memo.flying
        yield "swe_rm_bodies_bytes", "Bytes of request bodies held", self.bodies.held_bytes
        health = self.health()
        ready = self.state == "ready"
        yield "swe_rm_ready", "1 while the engine probe and the canary are good", ready
        states = {state: float(state == health.state) for state in ENGINE_STATES}
        yield "swe_rm_engine_state", "1 for the state that the engine is in", ("state", states)
        yield "swe_rm_engine_restarts_total", "Engines replaced", health.restarts
        if health.probe_age_s is not None:
            yield "swe_rm_probe_age_seconds", "Since the last answered probe", health.probe_age_s
        drift = health.canary.get("drift")
        if drift is not None:
            yield "swe_rm_canary_drift", "Largest canary difference, in log-odds", drift
        active = self.scorer.model.active_calibration
        yield "swe_rm_calibration_info", "The calibration in force", ("calibration", {active: 1})
        if self.feedback:
            yield from self.feedback.gauges()
