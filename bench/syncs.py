"""Traces the server's system calls, and holds each acknowledged outcome to a sync that came before it.

    python -m bench.syncs [--requests 50] [--postgres]

Needs strace. Requests come one after another. Between the moment at which the server has read `POST
/outcomes` and the moment at which it begins to send `200`, the log (SQLite: the WAL; PostgreSQL:
pg_wal) must be written, and after the last write a sync (fdatasync or fsync) of it must have returned.
One acknowledgement that was sent earlier fails the run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bench.postgres import Postgres, postgres
from bench.server import Server

_CALLS = "fsync,fdatasync,write,writev,pwrite64,pwritev,sendto,sendmsg,read,recvfrom,recvmsg"
_STRACE = ("strace", "-f", "-ttt", "-T", "-y", "-s", "32", "-e", _CALLS)
_ATTACH_S = 60.0
_LINE = re.compile(r"(\d+) +(\d+\.\d+) (.*)")
_NAME = re.compile(r"(?:<\.\.\. )?(\w+)")
_DONE = re.compile(r"= (-?\d+)(?: .*?)?(?:<([\d.]+)>)?$")
_ASKED = re.compile(
    r'<(?:socket|TCP).*?>, "POST /outcomes'
)  # on a socket, not in a file of the program
_LOG = ("outcomes.db-wal>", "/pg_wal/")
_CARD = """\
{acknowledged} acknowledged outcomes, traced on {store}
synced before      {synced:6d}
syncs each         {syncs_each}
sync, median       {sync_ms_median} ms"""


class CannotTrace(Exception):
    """strace may not, or does not, attach to the server."""


@dataclass(frozen=True, slots=True)
class Call:
    """A system call: seconds since the epoch at which it was made and had returned."""

    name: str
    text: str
    began: float
    ended: float
    returned: int


def read_trace(lines: Iterable[str]) -> list[Call]:
    """Calls that returned, out of what `strace -f -ttt -T -y` writes."""
    open_calls: dict[str, tuple[str, float]] = {}
    found = []
    for line in lines:
        if not (parts := _LINE.match(line.rstrip("\n"))):
            continue
        pid, at, said = parts[1], float(parts[2]), parts[3]
        if said.endswith("<unfinished ...>"):
            open_calls[pid] = (said, at)
            continue
        if not (done := _DONE.search(said)):
            continue
        resumed = said.startswith("<...")
        text, began = open_calls.pop(pid, (said, at)) if resumed else (said, at)
        ended = at if resumed else at + float(done[2] or 0)
        whole = text + said if resumed else text
        name = _NAME.match(said)
        found.append(Call(name[1] if name else "", whole, began, ended, int(done[1])))
    return found


@dataclass(slots=True)
class Found:
    """`unsynced`: acknowledgements that were sent before a sync of their rows had returned."""

    acknowledged: int = 0
    unsynced: int = 0
    syncs: list[int] = field(default_factory=list)
    sync_s: list[float] = field(default_factory=list)


def judge(calls: Iterable[Call]) -> Found:
    """Of requests that came one after another."""
    found = Found()
    asked_at: float | None = None
    written = [c for c in calls if _LOG[0] in c.text or _LOG[1] in c.text]
    for call in sorted(calls, key=lambda c: c.began):
        if call.name in ("read", "recvfrom", "recvmsg") and _ASKED.search(call.text):
            asked_at = call.ended
        elif asked_at is not None and "HTTP/1.1 200" in call.text and _sends(call):
            within = [c for c in written if asked_at <= c.began and c.ended <= call.began]
            writes = [c for c in within if c.name.startswith(("write", "pwrite"))]
            last = max((c.ended for c in writes), default=None)
            syncs = [c for c in within if c.name in ("fsync", "fdatasync") and c.returned == 0]
            found.acknowledged += 1
            found.unsynced += last is None or not any(c.began >= last for c in syncs)
            found.syncs.append(len(syncs))
            found.sync_s += [c.ended - c.began for c in syncs]
            asked_at = None
    return found


def _sends(call: Call) -> bool:
    return call.name in ("write", "writev", "sendto", "sendmsg")


async def _tell(server: Server, requests: int) -> None:
    """Scores, and when they are written, tells of them one by one."""
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        items = [
            {"messages": [{"role": "user", "content": "fix"},
                          {"role": "assistant", "content": f"run {n}"}]}
            for n in range(requests)
        ]  # fmt: skip
        answer = await client.post("/score", json={"trajectories": items})
        ids = [each["score_id"] for each in answer.json()["results"]]
        (await client.get(f"/scores/{ids[-1]}")).raise_for_status()  # which writes what waits
        for score_id in ids:
            told = {"score_id": score_id, "resolved": True, "evidence": "tests"}
            answer = await client.post("/outcomes", json={"outcomes": [told]})
            assert answer.json()["results"][0]["status"] == "recorded", answer.text


def trace(requests: int, own_postgres: bool) -> list[Call]:
    """Runs the server, and traces it; PostgreSQL's processes too."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        cluster = stack.enter_context(postgres()) if own_postgres else None
        server = Server(folder, cluster.url if cluster else None)
        stack.callback(server.end)
        asyncio.run(server.ready())
        with ExitStack() as traced:
            for name, pid in _processes(server, cluster):
                traced.enter_context(_attached(pid, folder / f"{name}.trace"))
            asyncio.run(_tell(server, requests))
        return [c for file in folder.glob("*.trace") for c in read_trace(_lines(file))]


def _lines(file: Path) -> list[str]:
    return file.read_text(errors="replace").splitlines()


def _processes(server: Server, cluster: Postgres | None) -> Iterator[tuple[str, int]]:
    yield "server", server.pid
    if cluster:
        for pid in cluster.pids():
            yield f"postgres-{pid}", pid


@contextmanager
def _attached(pid: int, file: Path) -> Iterator[None]:
    """strace on a process, and on what it starts."""
    said = file.with_suffix(".log")
    with said.open("wb") as log:
        tracer = subprocess.Popen([*_STRACE, "-o", str(file), "-p", str(pid)], stderr=log)
    try:
        until = time.monotonic() + _ATTACH_S
        while "attached" not in said.read_text():
            if tracer.poll() is not None or time.monotonic() > until:
                raise CannotTrace(said.read_text() or "strace does not attach")
            time.sleep(0.05)
        yield
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.wait()


def measure(requests: int, own_postgres: bool) -> dict[str, Any]:
    found = judge(trace(requests, own_postgres))
    return {
        "store": "postgresql" if own_postgres else "sqlite",
        "requests": requests,
        "acknowledged": found.acknowledged,
        "synced": found.acknowledged - found.unsynced,
        "syncs_each": round(statistics.mean(found.syncs), 2) if found.syncs else 0,
        "sync_ms_median": round(1000 * statistics.median(found.sync_s), 2) if found.sync_s else 0,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=50)
    parser.add_argument("--postgres", action="store_true")
    options = parser.parse_args()
    found = measure(options.requests, options.postgres)
    print(_CARD.format(**found))
    print(json.dumps(found))
    sys.exit(0 if found["synced"] == found["acknowledged"] == options.requests else 1)


if __name__ == "__main__":
    main()
