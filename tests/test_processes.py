"""No process of an engine outlives its server: the guard, the record, and what the next start clears."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.engine import processes

SERVER = """
import subprocess, sys, time
from pathlib import Path
from app.engine import processes
guard = processes.Guard(Path(sys.argv[1]))
engine = subprocess.Popen([sys.executable, "-c", "import subprocess, sys, time;"
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); time.sleep(600)"])
print(guard._program.pid, flush=True)
time.sleep(600)
"""


def until(what: object, within_s: float = 20) -> None:
    ends = time.monotonic() + within_s
    while not what():  # type: ignore[operator]
        assert time.monotonic() < ends
        time.sleep(0.05)


def noted(folder: Path) -> int:
    """How many processes stand in the record as they are: a fork is noted before it is a program."""
    found = [each for f in folder.glob("*.json") for each in json.loads(f.read_text())["engine"]]
    return sum(processes.process(pid).command == text for pid, _, text in found)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int, list[processes.Process]]]:
    """A server with an engine of two processes, all of them noted in the record."""
    program = [sys.executable, "-c", SERVER, str(tmp_path)]
    one = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)
    assert one.stdout
    guard = int(one.stdout.readline())
    until(
        lambda: [len(json.loads(f.read_text())["engine"]) for f in tmp_path.glob("*.json")] == [2]
    )
    engine = [each for each in processes.descendants(one.pid) if each.pid != guard]
    yield one, guard, engine
    for pid in (one.pid, guard, *(each.pid for each in engine)):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    one.communicate()


def test_the_guard_ends_what_a_killed_server_leaves(server: tuple, tmp_path: Path) -> None:  # type: ignore[type-arg]
    one, _, engine = server
    assert all(each.alive for each in engine)
    one.kill()
    one.wait()
    until(lambda: not any(each.alive for each in engine), within_s=5)
    until(lambda: not list(tmp_path.glob("*.json")), within_s=5)


def test_the_next_start_ends_what_both_left(server: tuple, tmp_path: Path) -> None:  # type: ignore[type-arg]
    one, guard, engine = server
    assert processes.clear_left_over(tmp_path) == 0, "the server lives: nothing of its is touched"
    assert all(each.alive for each in engine)
    os.kill(guard, signal.SIGKILL)
    one.kill()
    one.wait()
    assert processes.clear_left_over(tmp_path) == 2
    assert not any(each.alive for each in engine)
    assert not list(tmp_path.glob("*.json"))


@pytest.mark.parametrize("differs", ["started_at", "command", "world"])
def test_only_what_is_provably_ours(server: tuple, tmp_path: Path, differs: str) -> None:  # type: ignore[type-arg]
    one, guard, engine = server
    os.kill(guard, signal.SIGKILL)
    one.kill()
    one.wait()
    (record,) = tmp_path.glob("*.json")
    known = json.loads(record.read_text())
    if differs == "world":
        known["world"] = "another boot"
    for each in known["engine"]:
        if differs != "world":
            each[{"started_at": 1, "command": 2}[differs]] += "0"
    record.write_text(json.dumps(known))
    assert processes.clear_left_over(tmp_path) == 0
    assert all(each.alive for each in engine)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"world": 1, "server": 2, "engine": 3}'])
def test_a_broken_record_stops_nobody(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    assert processes.clear_left_over(tmp_path) == 0
    assert not list(tmp_path.glob("*.json"))


def test_dismissed(tmp_path: Path) -> None:
    guard = processes.Guard(tmp_path)
    guard.dismiss()
    guard.dismiss()
    assert not list(tmp_path.glob("*.json"))


def test_reap_spares_a_number_used_again() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    true = processes.process(child.pid)
    processes.reap([processes.Process(child.pid, "1")])
    assert true.alive
    processes.reap([true])
    assert not true.alive
    child.wait()


def test_a_child_that_dies_slowly_is_no_zombie_afterwards() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    found = processes.process(child.pid)
    os.kill(child.pid, signal.SIGSTOP)
    processes.reap([found])
    assert not Path(f"/proc/{child.pid}").exists()
    child.returncode = -signal.SIGKILL  # waited for behind its back
