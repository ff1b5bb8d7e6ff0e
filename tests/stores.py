"""Stores for the tests of outcomes: scores as the api would hand them over, a clock that a test sets,
and a PostgreSQL of its own where the machine has one."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.calibration import sigmoid
from app.outcomes import ScoreFacts

NOW = 1_790_000_000.0
REVISION = "sha256:weights"
_NOBODY = 65_534


@dataclass
class Clock:
    """Seconds since the epoch, as the test says."""

    now: float = NOW

    def __call__(self) -> float:
        return self.now


def facts(name: str, **over: Any) -> ScoreFacts:
    """The score `name` of the trajectory `t-name`."""
    logit = over.pop("logit", 0.5)
    known: dict[str, Any] = {
        "score_id": name, "trajectory_digest": f"t-{name}", "prompt_digest": f"p-{name}",
        "model": "swe-rm-nano", "revision": REVISION, "template": "t@1",
        "system_fingerprint": "fp_1", "calibration": "identity", "logit": logit,
        "probability": sigmoid(logit), "raw_probability": sigmoid(logit), "label_mass": 0.9,
        "key_id": "local", "created_at": NOW,
    }  # fmt: skip
    return ScoreFacts(**known | over)


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder}/outcomes.db"


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A cluster of its own in a temporary folder; skips where PostgreSQL is not installed."""
    tools = shutil.which("initdb") or next(
        map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)), None
    )
    if tools is None:
        pytest.skip("PostgreSQL (initdb, pg_ctl) is not installed here")
    folder = Path(tempfile.mkdtemp(prefix="swe-rm-pg-", dir="/tmp"))
    if os.getuid() == 0:
        os.chown(folder, _NOBODY, _NOBODY)
    cluster = Postgres(Path(tools).parent, folder)
    try:
        cluster.run(
            "initdb", "-D", str(folder / "data"), "-U", "tester", "-A", "trust", "-E", "UTF8"
        )
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


class Postgres:
    """Never as root: PostgreSQL refuses that."""

    def __init__(self, tools: Path, folder: Path) -> None:
        self._tools, self._folder = tools, folder
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self._port: int = found.getsockname()[1]
        self.url = f"postgresql://tester@127.0.0.1:{self._port}/postgres"

    def run(self, tool: str, *arguments: str) -> None:
        user = _NOBODY if os.getuid() == 0 else None
        found = subprocess.run(
            [self._tools / tool, *arguments], user=user, group=user, cwd=self._folder, text=True,
            env={"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]}, timeout=120,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert found.returncode == 0, found.stdout

    def start(self) -> None:
        how = f"-p {self._port} -k {self._folder} -c listen_addresses=127.0.0.1"
        log = str(self._folder / "log")
        self.run("pg_ctl", "-D", str(self._folder / "data"), "-l", log, "-w", "-o", how, "start")

    def stop(self) -> None:
        if (self._folder / "data" / "postmaster.pid").exists():
            self.run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "-w", "stop")
