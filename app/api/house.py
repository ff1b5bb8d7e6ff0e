"""What the routes are given: the corridor, the counters and the plain numbers they need."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from app.api.feedback import Feedback
from app.errors import Overloaded
from app.metrics import Metrics
from app.scorer import Scorer

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
    """`trouble` is None when ready; `canary` is what the last look found."""

    trouble: str | None
    canary: Mapping[str, Any]


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
        trust_prompts: bool,
        version: str,
        feedback: Feedback | None = None,
    ) -> None:
        self.scorer = scorer
        self.metrics = metrics
        self.limits = limits
        self._health = health
        self.feedback = feedback
        self.trust_prompts = trust_prompts
        self.version = version
        self.bodies = Bodies(limits.bodies_bytes)
        self._readers = ThreadPoolExecutor(2, thread_name_prefix="read")
        metrics.gauges(self._gauges)

    def health(self) -> Health:
        """Of the engine, and of the calibrations that replicas share."""
        found = self._health()
        if found.trouble or not self.feedback:
            return found
        return replace(found, trouble=self.feedback.follower.trouble)

    async def off_loop(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Runs what would stall the event loop in the bounded reader pool."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, function, *arguments)

    def close(self) -> None:
        self._readers.shutdown(wait=False, cancel_futures=True)
        self.scorer.close()

    def _gauges(self) -> Iterator[tuple[str, str, float]]:
        door = self.scorer.admission
        yield "swe_rm_inside_tokens", "Tokens handed to the engine", door.inside_tokens
        yield "swe_rm_inside_items", "Items handed to the engine", door.inside_items
        yield "swe_rm_waiting_tokens", "Tokens waiting at the door", door.waiting_tokens
        yield "swe_rm_waiting_items", "Items waiting at the door", door.waiting_items
        yield "swe_rm_bodies_bytes", "Bytes of request bodies held", self.bodies.held_bytes
        health = self.health()
        yield "swe_rm_ready", "1 while the engine probe and the canary are good", not health.trouble
        drift = health.canary.get("drift")
        if drift is not None:
            yield "swe_rm_canary_drift", "Largest canary difference, in log-odds", drift
        if self.feedback:
            yield from self.feedback.gauges()
