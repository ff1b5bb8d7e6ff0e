"""Owns the engine, and replaces one that is dead or stuck.

    starting → ready ⇄ degraded → restarting → ready …
                                      └→ failed

Itself an `Engine`: the rooms above never see one replaced, only `EngineRestarting`. Degraded is an
engine that answers late, or a canary that moved or failed; such a server is not ready and goes on.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from array import array
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, get_args

from app.engine.canary import Canaries, Canary, CanaryState
from app.engine.protocol import Engine, EngineFacts
from app.engine.pulse import Budget
from app.engine.watched import Watch, Watched, said
from app.errors import Draining, EngineRestarting, ServiceError, StartError
from app.types import Labels, Priority, Verdict

State = Literal["starting", "ready", "degraded", "restarting", "failed"]
STATES: tuple[State, ...] = get_args(State)
StartEngine = Callable[[], Awaitable[Engine]]

_LOG = logging.getLogger("swe_rm.engine")
_CLOSED_WITHIN_S = 30.0
_LIKELY_START_S = 20.0


class Supervisor:
    """See `Engine`. `start()` once, then `run()` until cancelled; `on_failed` is called when the
    budget of restarts is spent."""

    def __init__(
        self,
        engine: Engine,
        start_engine: StartEngine,
        labels: Labels,
        canaries: Sequence[Canary],
        read_logit: Callable[[Verdict], float],
        watch: Watch | None = None,
        on_failed: Callable[[], None] = lambda: None,
    ) -> None:
        self._facts = engine.facts
        self._start_engine = start_engine
        self._canaries = Canaries(canaries, labels, read_logit)
        self._watch = watch or Watch()
        limits = self._watch
        self._budget = Budget(limits.restarts, limits.restart_window_s, limits.first_wait_s)
        self._on_failed = on_failed
        self._phase: State = "starting"
        self._now: Watched | None = self._under_watch(engine)
        self._back_at = 0.0
        self._closing = False
        self.restarts = 0

    @property
    def facts(self) -> EngineFacts:
        return self._facts

    @property
    def state(self) -> State:
        return "degraded" if self._phase == "ready" and self.trouble else self._phase

    @property
    def trouble(self) -> str | None:
        """Why the server is not ready; None when it is."""
        if self._phase != "ready" or not self._now:
            return self._phase
        return self._now.trouble

    @property
    def ready(self) -> bool:
        return self.trouble is None

    @property
    def canary(self) -> CanaryState:
        return self._canaries.state

    @property
    def probe_age_s(self) -> float | None:
        """Since the last answered probe of the engine in place."""
        probed_at = self._now.probed_at if self._now else None
        return None if probed_at is None else time.monotonic() - probed_at

    def retry_after_s(self) -> float:
        """When a new engine is likely to be ready, jittered by a quarter."""
        left_s = max(2.0, self._back_at - time.monotonic())
        return round(left_s * random.uniform(0.75, 1.25), 1)

    async def start(self) -> dict[str, float]:
        """First look; returns logits recorded because no value was known for this dtype.

        Raises `StartError` when a canary's logit is not what it was recorded to be.
        """
        watched = self._current()
        try:
            async with asyncio.timeout(self._watch.canary_timeout_s):
                recorded = await self._canaries.record(watched.judge)
                await watched.look()
        except (ServiceError, TimeoutError) as cause:
            message = f"the engine did not judge the canary: {str(cause) or 'no answer in time'}"
            raise StartError(message) from cause
        if self._canaries.trouble:
            message = (
                f"{self._canaries.trouble}; the weights, the template or the engine changed. "
                "Rebuild the model's manifest if that is meant"
            )
            raise StartError(message)
        self._phase = "ready"
        return recorded

    async def judge(
        self, ids: array[int], labels: Labels, priority: Priority = "rollout"
    ) -> Verdict:
        watched = self._current()
        with self._told():
            return await watched.judge(ids, labels, priority)

    async def probe(self) -> None:
        watched = self._current()
        with self._told():
            await watched.probe()

    async def close(self) -> None:
        self._closing = True
        if self._now:
            await self._now.engine.close()

    async def run(self) -> None:
        """Watches, and replaces what was lost, until cancelled or out of restarts."""
        while watched := self._now:
            try:
                await watched.run()
            except Exception as defect:  # the watch must not end: a dead engine would look ready
                watched.lose(f"the watch failed: {type(defect).__name__}")
            _LOG.error("the engine is lost (%s); it is replaced", watched.lost)
            await _end(watched.engine)
            self._now = None
            self._now = await self._replacement()
        self._phase = "failed"
        _LOG.critical("no engine after %d restarts; giving up", self.restarts)
        self._on_failed()

    def _current(self) -> Watched:
        if self._closing:
            message = "the server is going down"
            raise Draining(message)
        if self._now is None or self._now.lost:
            raise self._away()
        return self._now

    def _away(self) -> EngineRestarting:
        message = "the engine is being replaced; send the item again"
        return EngineRestarting(message, retry_after_s=self.retry_after_s())

    @contextmanager
    def _told(self) -> Iterator[None]:
        """A call that the engine's death ends, or our closing of a stuck one, is `EngineRestarting`."""
        try:
            yield
        except (EngineRestarting, Draining) as cause:
            if self._closing:
                message = "the server went down under the item"
                raise Draining(message) from cause
            raise self._away() from cause

    def _under_watch(self, engine: Engine) -> Watched:
        return Watched(engine, self._canaries, self._watch, self._lost)

    def _lost(self) -> None:
        self._phase = "restarting"
        self._back_at = time.monotonic() + _LIKELY_START_S

    async def _replacement(self) -> Watched | None:
        """Another engine that judges the canary; None when the budget is spent."""
        while (wait_s := self._budget.spend(time.monotonic())) is not None:
            await asyncio.sleep(wait_s)
            self.restarts += 1
            started = time.monotonic()
            try:
                engine = await self._start_engine()
            except Exception as cause:
                _LOG.error("the engine did not start again: %s", said(cause))
                continue
            if watched := await self._greeted(engine):
                self._phase = "ready"
                _LOG.warning("an engine is back after %.1f s", time.monotonic() - started)
                return watched
        return None

    async def _greeted(self, engine: Engine) -> Watched | None:
        """The engine under watch once it judged the canary; one that does not is closed."""
        watched, well = self._under_watch(engine), False
        try:
            async with asyncio.timeout(self._watch.canary_timeout_s):
                await watched.look()
            well = True
        except (ServiceError, TimeoutError) as cause:
            _LOG.error("a started engine did not judge the canary: %s", said(cause))
        finally:
            if not well:
                await _end(engine)
        return watched if well else None


async def _end(engine: Engine) -> None:
    try:
        async with asyncio.timeout(_CLOSED_WITHIN_S):
            await engine.close()
    except Exception as cause:
        _LOG.error("a lost engine did not close: %s", said(cause))
