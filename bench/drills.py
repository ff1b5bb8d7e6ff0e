"""Kills and freezes the engine of a real server under load, again and again, and looks at what clients saw.

    python -m bench.drills --kills 20 --freezes 3

Each drill: load runs; a process of the engine, the core and the worker in turns, is killed or stopped;
readiness must go and come back, a fixed item must score what it scored before, no process of the old
engine may be left. Then, with the budget of restarts that serve has by default, kills until the server
gives up (status 70); and the server itself is killed, after which none of its processes may be left. One
line a drill, one JSON line at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from bench.load import item

MOVED_AT_MOST = 0.02  # logit, bfloat16
BACK_WITHIN_S = 600
GONE_WITHIN_S = 5


class Server:
    """`swe-rm serve` with the small model, and what the system knows of its processes."""

    def __init__(self, state: Path, *flags: str) -> None:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        small = ("--max-tokens", "16384", "--kv-cache-gib", "1", "--log-level", "warning")
        self.process = subprocess.Popen(
            [Path(sys.executable).with_name("swe-rm"), "serve", "--port", str(port), *small,
             "--state-dir", str(state), *flags],
        )  # fmt: skip

    def engine(self) -> list[int]:
        """Its living descendants but for the guard and Python's trackers, the core first."""
        parents = {pid: parent for pid, parent, state in processes() if state != "Z"}
        mine = [self.process.pid]
        for pid in mine:
            mine += [child for child, parent in parents.items() if parent == pid]
        return [pid for pid in mine[1:] if "VLLM" in command(pid)]

    def end(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def processes() -> list[tuple[int, int, str]]:
    """(pid, parent, state) of all."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            found.append((int(folder.name), int(parent), state))
    return found


def command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode("latin-1")
    return ""


def alive(pids: list[int]) -> list[int]:
    states = {pid: state for pid, _, state in processes()}
    return [pid for pid in pids if states.get(pid, "Z") != "Z" and "VLLM" in command(pid)]


class Clients:
    """Load, and what it was answered."""

    def __init__(self, url: str) -> None:
        self.http = httpx.AsyncClient(base_url=url, timeout=120)
        self.seen: Counter[str] = Counter()
        self.known: dict[int, float] = {}
        self.worst = 0.0

    async def score(self, first: int, count: int, chars: int) -> httpx.Response:
        items = [item(chars, first + at) for at in range(count)]
        return await self.http.post("/score", json={"trajectories": items})

    async def load(self, first: int) -> None:
        """Small batches of ever the same prompts, so that each logit can be held to its first one."""
        while True:
            try:
                self.note(first, await self.score(first, 4, 8_000))
            except httpx.HTTPError as cause:
                self.seen[type(cause).__name__] += 1
            await asyncio.sleep(0.2)

    def note(self, first: int, answer: httpx.Response) -> None:
        if answer.status_code != 200:
            self.seen[f"{answer.status_code} {answer.json()['code']}"] += 1
            return
        for result in answer.json()["results"]:
            if result["status"] == "failed":
                self.seen[f"item {result['error']['code']}"] += 1
                assert "logit" not in result
                continue
            self.seen["scored"] += 1
            at = first + result["index"]
            moved = abs(result["logit"] - self.known.setdefault(at, result["logit"]))
            self.worst = max(self.worst, moved)

    async def state(self) -> str:
        with contextlib.suppress(httpx.HTTPError):
            answer = await self.http.get("/readyz", timeout=5)
            return answer.text.strip()
        return "away"

    async def until(self, ready: bool, within_s: float) -> float:
        started = time.monotonic()
        while (await self.state() == "ok") != ready:
            if time.monotonic() - started > within_s:
                message = f"not {'ready' if ready else 'unready'} within {within_s:.0f} s"
                raise SystemExit(message)
            await asyncio.sleep(0.05)
        return time.monotonic() - started


@asynccontextmanager
async def serving(*flags: str) -> AsyncIterator[tuple[Server, Clients]]:
    with tempfile.TemporaryDirectory() as state:
        server = Server(Path(state), *flags)
        clients = Clients(server.url)
        try:
            await clients.until(True, BACK_WITHIN_S)
            yield server, clients
        finally:
            await clients.http.aclose()
            status = server.end()
            print(f"server ended with {status}; left behind: {alive(server.engine())}")


async def drill(
    server: Server, clients: Clients, number: signal.Signals, turn: int
) -> dict[str, float]:
    old = server.engine()
    target = old[turn % len(old)]
    name = command(target).rstrip("\0")
    os.kill(target, number)
    unready_s = await clients.until(False, BACK_WITHIN_S)
    back_s = await clients.until(True, BACK_WITHIN_S)
    left = alive(old)
    answer = (await clients.score(0, 1, 2_100)).json()["results"][0]
    clients.note(0, await clients.score(0, 4, 8_000))
    found = {"unready_s": unready_s, "back_s": unready_s + back_s, "left": len(left)}
    print(
        f"{number.name} {name}: {found} fixed item {answer['status']}; so far {dict(clients.seen)}"
    )
    if left or answer["status"] != "scored":
        raise SystemExit(1)
    return found


async def drills(kills: int, freezes: int) -> dict[str, Any]:
    figures: dict[str, Any] = {"kills": [], "freezes": []}
    async with serving("--restarts", "1000") as (server, clients):
        load = [asyncio.create_task(clients.load(first)) for first in (0, 100)]
        await asyncio.sleep(5)
        for kind, number, times in (
            ("kills", signal.SIGKILL, kills),
            ("freezes", signal.SIGSTOP, freezes),
        ):
            for turn in range(times):
                figures[kind].append(await drill(server, clients, number, turn))
        for task in load:
            task.cancel()
        figures |= {"seen": dict(clients.seen), "worst_logit_move": clients.worst}
        figures["server_mib"] = round(
            psutil.Process(server.process.pid).memory_info().rss / 2**20, 1
        )
    if clients.worst > MOVED_AT_MOST:
        message = f"a logit moved by {clients.worst}"
        raise SystemExit(message)
    return figures


async def out_of_restarts() -> dict[str, int]:
    """Kills until the server gives up."""
    kills = 0
    async with serving() as (server, clients):
        while server.process.poll() is None:
            if await clients.state() == "ok" and (engine := server.engine()):
                os.kill(engine[0], signal.SIGKILL)
                kills += 1
                await asyncio.sleep(1)
            await asyncio.sleep(0.2)
        return {"kills": kills, "status": server.process.returncode}


async def server_killed() -> dict[str, float]:
    async with serving() as (server, _):
        engine = server.engine()
        server.process.kill()
        server.process.wait()
        started = time.monotonic()
        while alive(engine) and time.monotonic() - started < 60:
            await asyncio.sleep(0.05)
        return {"processes": len(engine), "gone_after_s": round(time.monotonic() - started, 2)}


async def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--kills", type=int, default=20)
    asked.add_argument("--freezes", type=int, default=3)
    given = asked.parse_args()
    figures = await drills(given.kills, given.freezes)
    figures["server_killed"] = await server_killed()
    figures["out_of_restarts"] = await out_of_restarts()
    print(json.dumps(figures))
    if (
        figures["out_of_restarts"]["status"] != 70
        or figures["server_killed"]["gone_after_s"] > GONE_WITHIN_S
    ):
        raise SystemExit(1)


if __name__ == "__main__":
    asyncio.run(main())
