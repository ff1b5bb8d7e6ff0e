"""`swe-rm serve --engine fake` on a free port, for drills that kill, trace and watch it.

Servers are forked from a process that has imported the program already, so that two hundred of them
cost two hundred starts of the house, not of the interpreter.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import socket
import sys
from pathlib import Path

import httpx

_START_S = 300.0
_END_S = 60.0
_WAYS = multiprocessing.get_context("forkserver")
_WAYS.set_forkserver_preload(["app.cli", "app.quality", "aiosqlite", "asyncpg"])


class Server:
    """`folder` holds its state and its log."""

    def __init__(self, folder: Path, store_url: str | None, *flags: str) -> None:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        command = ["swe-rm", "serve", "--engine", "fake", "--port", str(port)]
        command += ["--state-dir", str(folder), "--outcomes-per-minute", "10000000", *flags]
        command += ["--store-url", store_url] if store_url else []
        self.log = folder / "server.log"
        self._process = _WAYS.Process(target=_serve, args=(command, self.log), daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        found = self._process.pid
        assert found is not None
        return found

    async def ready(self) -> None:
        """Raises `SystemExit` with the end of the log where it does not become ready."""
        async with asyncio.timeout(_START_S), httpx.AsyncClient() as client:
            while self._process.is_alive():
                try:
                    if (await client.get(f"{self.url}/readyz")).status_code == 200:
                        return
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
        raise SystemExit(self.log.read_text()[-2000:])

    def kill(self) -> None:
        self._process.kill()
        self._process.join()

    def end(self) -> int | None:
        """Its exit status after SIGTERM."""
        self._process.terminate()
        self._process.join(_END_S)
        return self._process.exitcode


def _serve(command: list[str], log: Path) -> None:
    from app.cli import main

    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # multiprocessing turned it off
    sys.argv = command
    main()
