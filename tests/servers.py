"""`swe-rm serve` as a process of its own, on the fake engine, for the tests of its life and its end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from houses import STORE

SWE_RM = Path(sys.executable).with_name("swe-rm")
ODD = [sys.executable, str(Path(__file__).with_name("odd_serve.py"))]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


class Served:
    """One server process; `end` gives its status and all that it said.

    `odd` are the knobs of odd_serve.py; without one the real command runs.
    """

    def __init__(self, port: int, state: Path, *flags: str, **odd: float) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        store = ("--model-store", str(STORE), "--state-dir", str(state))
        knobs = {name.upper(): str(value) for name, value in odd.items()}
        program = ODD if odd else [str(SWE_RM)]
        # A file, not a pipe: nobody reads while it runs, and a full pipe stops the server's loop.
        self.said = tempfile.NamedTemporaryFile("w+")  # noqa: SIM115
        self.process = subprocess.Popen(
            [*program, "serve", "--engine", "fake", "--port", str(port), *store, *flags],
            stdout=self.said, stderr=subprocess.STDOUT, env=os.environ | knobs,
        )  # fmt: skip

    def ready(self, within_s: float = 60.0) -> None:
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            assert self.process.poll() is None, self.end()
            with suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/readyz").status_code == 200:
                    return
            time.sleep(0.1)
        pytest.fail("the server did not become ready")

    def until_state(self, text: str) -> httpx.Response:
        """The answer of /readyz once it says `text`."""
        for _ in range(200):
            answer = httpx.get(f"{self.url}/readyz")
            if answer.text.strip() == text:
                return answer
            time.sleep(0.05)
        pytest.fail(f"/readyz never said {text!r}")

    def until_said(self, text: str) -> None:
        for _ in range(600):
            if text in Path(self.said.name).read_text():
                return
            time.sleep(0.05)
        pytest.fail(f"the server never said {text!r}")

    def signal(self, number: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def end(self, *signals: signal.Signals) -> tuple[int, str]:
        for each in signals:
            self.process.send_signal(each)
        self.process.wait(timeout=60)
        with self.said:
            self.said.seek(0)
            return self.process.returncode, self.said.read()

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.said.close()
