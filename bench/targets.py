"""The servers that `bench.soak` hurts: with a fake engine, or with vLLM and the small model."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from bench.drills import Server
from bench.paced import PacedServer

_START_S = 600
# Caches so small that they are full within minutes: what grows after that is a leak.
_SMALL = ("--memo-bytes", "1000000", "--token-memo-bytes", "4000000", "--log-level", "warning")


class FakeTarget(PacedServer):
    def __init__(self, state: Path) -> None:
        super().__init__(state, 20_000.0, *_SMALL)

    @property
    def pid(self) -> int:
        return self.process.pid

    def kill_engine(self) -> None:
        self.process.send_signal(signal.SIGUSR1)

    def freeze_engine(self) -> None:
        self.process.send_signal(signal.SIGUSR2)


class VllmTarget(Server):
    def __init__(self, state: Path) -> None:
        super().__init__(state, *_SMALL)

    @property
    def pid(self) -> int:
        return self.process.pid

    def kill_engine(self) -> None:
        os.kill(self.engine()[0], signal.SIGKILL)

    def freeze_engine(self) -> None:
        os.kill(self.engine()[0], signal.SIGSTOP)

    def ready(self) -> None:
        for _ in range(_START_S):
            try:
                if httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200:
                    return
            except httpx.TransportError:
                if self.process.poll() is not None:
                    break
            time.sleep(1)
        message = "the server did not become ready"
        raise SystemExit(message)


TARGETS: dict[str, Callable[[Path], FakeTarget | VllmTarget]] = {
    "fake": FakeTarget,
    "vllm": VllmTarget,
}
