"""A PostgreSQL of its own in a temporary folder, for drills and tests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NOBODY = 65_534


class NotInstalled(Exception):
    """There is no PostgreSQL on this machine."""


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A cluster that runs, with the settings that PostgreSQL has by itself. Raises `NotInstalled`."""
    tools = shutil.which("initdb") or next(
        map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)), None
    )
    if tools is None:
        message = "PostgreSQL (initdb, pg_ctl) is not installed here"
        raise NotInstalled(message)
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

    def pids(self) -> list[int]:
        """The postmaster, and all that it has started."""
        first = int(self._pid_file.read_text().split()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text()
        return [first, *map(int, children.split())]

    @property
    def _pid_file(self) -> Path:
        return self._folder / "data" / "postmaster.pid"

    def stop(self) -> None:
        if self._pid_file.exists():
            self.run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "-w", "stop")
