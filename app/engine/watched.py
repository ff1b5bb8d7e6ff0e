"""One engine under watch, from its start to its loss: what runs in it, how it answers, why it is lost."""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from app.engine.canary import Canaries
from app.engine.protocol import Engine
from app.engine.pulse import Pulse
from app.errors import Draining, EngineRestarting, ServiceError
from app.types import Labels, Priority, Verdict

_FAILED_CANARIES = 3


@dataclass(frozen=True, slots=True)
class Watch:
    """How often to look and how long to wait, in seconds; `restarts` within `restart_window_s`,
    the first of them after `first_wait_s`."""

    probe_every_s: float = 2.0
    patience_s: float = 10.0
    canary_every_s: float = 30.0
    canary_timeout_s: float = 300.0
    restarts: int = 3
    restart_window_s: float = 600.0
    first_wait_s: float = 1.0


class Watched:
    """`lost` says why the engine is to be replaced; `on_lost` is called when that becomes known."""

    def __init__(
        self, engine: Engine, canaries: Canaries, watch: Watch, on_lost: Callable[[], None]
    ) -> None:
        self.engine = engine
        self.lost: str | None = None
        self.probed_at: float | None = None
        self._canaries = canaries
        self._watch = watch
        self._on_lost = on_lost
        self._pulse = Pulse(watch.patience_s)
        self._inside: dict[object, int] = {}  # tokens of each prompt that the engine has
        self._asked_at: float | None = None  # the first probe that was not answered yet
        self._probe_trouble: str | None = None
        self._canary_trouble: str | None = None
        self._failed_canaries = 0
        self._wake = asyncio.Event()

    @property
    def trouble(self) -> str | None:
        if self._pulse.late(self._longest_tokens()):
            return "the engine did not answer in time"
        return self._probe_trouble or self._canary_trouble or self._canaries.trouble

    async def judge(
        self, ids: array[int], labels: Labels, priority: Priority = "interactive"
    ) -> Verdict:
        mine = object()
        self._inside[mine] = len(ids) if isinstance(ids, array) else 0
        try:
            with self._death_noted():
                verdict = await self.engine.judge(ids, labels, priority)
        finally:
            del self._inside[mine]
        self._pulse.sign()
        return verdict

    async def probe(self) -> None:
        with self._death_noted():
            await self.engine.probe()

    async def look(self) -> None:
        """Judges the canaries."""
        await self._canaries.look(self.judge)

    def lose(self, reason: str) -> None:
        if self.lost is None:
            self.lost = reason
            self._wake.set()
            self._on_lost()

    async def run(self) -> None:
        """Comes back when the engine is lost."""
        probe = look = asyncio.create_task(self._probe())
        every_s = self._watch.probe_every_s
        looked = time.monotonic()
        look_at = looked + self._watch.canary_every_s
        try:
            while not self.lost:
                await self._sleep(every_s)
                now = time.monotonic()
                self._pulse.passed(min(now - looked, 2 * every_s))
                looked = now
                if self._pulse.dead(self._longest_tokens()):
                    self.lose(f"no sign of life for {self._pulse.silent_s:.1f} s")
                if self._pulse.late(self._longest_tokens()):
                    probe.cancel()  # its answer may be lost for good: ask again
                if probe.done() or probe.cancelling():
                    probe = asyncio.create_task(self._probe())
                in_trouble = self._canary_trouble or self._canaries.trouble
                if look.done() and (now >= look_at or in_trouble):
                    look_at = now + self._watch.canary_every_s
                    look = asyncio.create_task(self._look())
        finally:
            probe.cancel()
            look.cancel()
            await asyncio.gather(probe, look, return_exceptions=True)

    @contextmanager
    def _death_noted(self) -> Iterator[None]:
        try:
            yield
        except EngineRestarting as cause:
            self.lose(cause.message)
            raise

    def _longest_tokens(self) -> int:
        return max(self._inside.values(), default=0)

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _probe(self) -> None:
        """However late the answer: it is silence that the pulse measures."""
        self._asked_at = self._asked_at or time.monotonic()
        try:
            await self.probe()
        except EngineRestarting:
            return
        except Exception as cause:
            self._probe_trouble = said(cause)
            return
        now = time.monotonic()
        self._pulse.answered(now - (self._asked_at or now))
        self.probed_at, self._asked_at, self._probe_trouble = now, None, None

    async def _look(self) -> None:
        try:
            async with asyncio.timeout(self._watch.canary_timeout_s):
                await self.look()
        except TimeoutError:
            self._canary_trouble = "the engine did not judge the canary in time"
        except (EngineRestarting, Draining):
            return
        except Exception as cause:
            self._canary_trouble = said(cause)
            self._failed_canaries += 1
            if self._failed_canaries >= _FAILED_CANARIES:
                self.lose(f"canary: {self._canary_trouble}")
        else:
            self._canary_trouble, self._failed_canaries = None, 0


def said(cause: Exception) -> str:
    """Our own errors speak for themselves; of others the name alone, for they may quote an item."""
    what = cause.message if isinstance(cause, ServiceError) else type(cause).__name__
    return f"the engine failed: {what}"
