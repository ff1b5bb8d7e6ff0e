"""The processes of an engine: whose they are, and how none outlives its server.

An engine's child processes do not see that their parent is gone and keep their memory. So every engine
that has some gets a guard: this file run as a small program of its own. It notes the engine's processes
in a record; when the server vanishes it ends them. A record that is still there when the next server
starts (the guard was killed too) is cleared then. A process is ended only when its number, its start
time and, for a record of an earlier run, its command line are the noted ones.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_GONE_WITHIN_S = 10.0
_LOOK_EVERY_S = 0.2


@dataclass(frozen=True, slots=True)
class Process:
    """`started_at` in clock ticks since boot: a number alone may be used again."""

    pid: int
    started_at: str

    @property
    def alive(self) -> bool:
        """False for a zombie: it holds nothing any more."""
        stat = _stat(self.pid)
        return stat[19:20] == [self.started_at] and stat[0] != "Z"

    @property
    def command(self) -> str:
        with contextlib.suppress(OSError):
            return Path(f"/proc/{self.pid}/cmdline").read_bytes().decode("latin-1")
        return ""


def process(pid: int) -> Process:
    return Process(pid, "".join(_stat(pid)[19:20]))


def descendants(pid: int) -> Iterator[Process]:
    """All living ones of a process, but for the trackers of Python's multiprocessing."""
    tasks = Path(f"/proc/{pid}/task")
    with contextlib.suppress(OSError):
        for task in list(tasks.iterdir()):
            with contextlib.suppress(OSError):
                for child in map(int, (task / "children").read_text().split()):
                    found = process(child)
                    if found.started_at and "resource_tracker" not in found.command:
                        yield found
                        yield from descendants(child)


@contextlib.contextmanager
def terminal_signals_kept_away() -> Iterator[None]:
    """Ctrl-C goes to every process of a terminal, and would take the engine from under the items that
    the server still wants to finish. Children inherit the mask of the thread that starts them."""
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # which lifts the mask when it is the first to start
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def reap(found: Iterable[Process]) -> None:
    """Ends these processes, and only these; comes back when they are gone, or after 10 s."""
    left = [each for each in found if each.started_at and process(each.pid) == each]
    for each in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(each.pid, signal.SIGKILL)
    until = time.monotonic() + _GONE_WITHIN_S
    for each in left:
        while not _gone(each) and time.monotonic() < until:
            time.sleep(0.02)


def _gone(ended: Process) -> bool:
    """Whether it left the table of processes; a child of ours leaves when it is waited for."""
    try:
        return os.waitpid(ended.pid, os.WNOHANG)[0] == ended.pid
    except ChildProcessError:  # a child of a child, which init reaps, or one waited for already
        return not ended.alive


class Guard:
    """Ends the descendants that this process gains from now on, should it vanish without a word."""

    def __init__(self, folder: Path) -> None:
        me = process(os.getpid())
        folder.mkdir(parents=True, exist_ok=True)
        self._record = folder / f"{me.pid}-{me.started_at}-{time.monotonic_ns()}.json"
        strangers = [str(each.pid) for each in descendants(me.pid)]
        program = [sys.executable, "-I", "-S", __file__, str(me.pid), str(self._record), *strangers]
        # A session of its own: Ctrl-C in a terminal is meant for the server.
        self._program = subprocess.Popen(
            program, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
        )

    def dismiss(self) -> None:
        """Its engine is gone. Safe to call twice."""
        self._program.kill()
        self._program.wait()
        self._record.unlink(missing_ok=True)


def clear_left_over(folder: Path) -> int:
    """Ends what servers that are gone left running; how many processes that were."""
    ended = 0
    for record in sorted(folder.glob("*.json")):
        try:
            noted = json.loads(record.read_text())
            here = noted["world"] == _world()
            server = Process(*noted["server"])
            engine = [(Process(pid, started_at), text) for pid, started_at, text in noted["engine"]]
        except FileNotFoundError:
            continue
        except (ValueError, KeyError, TypeError):
            record.unlink(missing_ok=True)
            continue
        if not here or server.alive:
            continue
        left = [each for each, text in engine if each.alive and each.command == text]
        reap(left)
        ended += len(left)
        record.unlink(missing_ok=True)
    return ended


def _stat(pid: int) -> list[str]:
    """/proc/<pid>/stat from its third field, the state, on; empty when there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _world() -> str:
    """Where process numbers mean what they meant: this boot, and this namespace of numbers."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot}/{Path('/proc/self/ns/pid').stat().st_ino}"


def _watch_over(server_pid: int, record: Path, strangers: set[int]) -> None:
    """The guard's whole life. Its own number is among what it must not end."""
    server, mine = process(server_pid), strangers | {os.getpid()}
    noted: dict[Process, str] = {}
    while os.getppid() == server_pid:
        now = {each: each.command for each in descendants(server_pid) if each.pid not in mine}
        if now != noted:
            noted = now
            _write(record, server, noted)
        time.sleep(_LOOK_EVERY_S)
    reap(noted)
    record.unlink(missing_ok=True)


def _write(record: Path, server: Process, noted: dict[Process, str]) -> None:
    text = {
        "world": _world(),
        "server": [server.pid, server.started_at],
        "engine": [[each.pid, each.started_at, text] for each, text in noted.items()],
    }
    fresh = record.with_suffix(".new")
    fresh.write_text(json.dumps(text))
    fresh.replace(record)


if __name__ == "__main__":
    _watch_over(int(sys.argv[1]), Path(sys.argv[2]), set(map(int, sys.argv[3:])))
