"""`swe-rm` with a fake engine that takes vLLM's steps at PACED_TOKENS_PER_S, for `bench.overload` and
`bench.soak`: signal SIGUSR1 kills that engine, SIGUSR2 freezes it.

    python -m bench.paced serve --engine fake …
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import httpx

from app.cli import build, main
from app.engine import EngineFacts
from app.engine.stepped import SteppedEngine
from app.errors import EngineRestarting

_START_S = 120


class PacedEngine(SteppedEngine):
    """Dies as a process does: its callers end at once."""

    def die(self) -> None:
        self.dead = True
        for run in (*self._running, *(entry[-1] for entry in self._waiting)):
            if not run.done.done():
                run.done.set_exception(EngineRestarting("the engine died under the item"))

    def freeze(self) -> None:
        self.hung = True


async def _start(settings: Any, found: Any, renderer: Any) -> PacedEngine:
    facts = EngineFacts("fake", "1", "float32", "float32", renderer.allowed_tokens)
    token_s = 1 / float(os.environ["PACED_TOKENS_PER_S"])
    step_tokens = settings.batch_tokens or facts.step_tokens
    engine = PacedEngine(facts, token_s=token_s, pair_s=0.0, batch_tokens=step_tokens)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, engine.die)
    loop.add_signal_handler(signal.SIGUSR2, engine.freeze)
    return engine


class PacedServer:
    """Such a server as a process of its own, ready inside its `with`; its log lies in `state`."""

    def __init__(self, state: Path, tokens_per_s: float, *flags: str) -> None:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.log = state / "server.log"
        command = [sys.executable, "-m", "bench.paced", "serve", "--engine", "fake"]
        command += ["--port", str(port), "--state-dir", str(state), *flags]
        pace = {"PACED_TOKENS_PER_S": str(tokens_per_s)}
        with self.log.open("ab") as log:  # a file, not a pipe, which would fill up and stop it
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | pace)

    def ready(self) -> None:
        for _ in range(_START_S * 10):
            if self.process.poll() is not None:
                break
            with suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/readyz").status_code == 200:
                    return
            time.sleep(0.1)
        raise SystemExit(self.log.read_text()[-2000:])

    def __enter__(self) -> Self:
        try:
            self.ready()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


if __name__ == "__main__":
    build._start_engine = _start
    main()
