"""What a server does with ten times more than it can, and how soon it is itself again.

    python -m bench.overload [--seconds 60] [--times 10] [--seed 1]

A real server, in a process of its own, on a fake engine that takes 5,000 tokens a second. The plateau
is the goodput (items scored in time, a second) of as many clients as keep it busy; then requests come at
`times` the plateau, at random moments, whether or not earlier ones were answered; then twice the plateau
for 30 s from clients that retry three times at once, whatever Retry-After says, and half of it afterwards.
The thresholds are those of checks 29 and 30 of docs/reliability.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
from rich.console import Console
from rich.table import Table

from bench.paced import PacedServer

_TOKENS_PER_S = 5_000.0
_ITEMS = 2
_WORDS = 110  # an item has about 500 tokens
_TIMEOUT_S = 4.0
_CLIENTS = 8
_PLATEAU_S = 20.0
_STORM_S, _CALM_S, _RETRIES = 30.0, 20.0, 3
_PROBE_EVERY_S = 0.1


@dataclass
class Seen:
    """What clients saw: when a request began (seconds from the start of its phase), and what came of it.

    `good`: every item scored in time. Times are the clients' own, sending and reading included.
    """

    ends: list[tuple[float, bool]] = field(default_factory=list)
    good_items: int = 0
    late_items: int = 0  # taken, and not scored in time
    taken_s: list[float] = field(default_factory=list)
    refused_s: list[float] = field(default_factory=list)
    retry_after_s: list[float] = field(default_factory=list)
    unnamed: int = 0  # refusals without a Retry-After of 1 to 60 s
    other: dict[str, int] = field(default_factory=dict)

    def note(self, answer: httpx.Response, took_s: float) -> bool:
        if answer.status_code == 200:
            scored = sum(each["status"] == "scored" for each in answer.json()["results"])
            self.good_items += scored
            self.late_items += _ITEMS - scored
            self.taken_s.append(took_s)
            return bool(scored == _ITEMS)
        if answer.status_code != 503:
            self.other[str(answer.status_code)] = self.other.get(str(answer.status_code), 0) + 1
            return False
        self.refused_s.append(took_s)
        wait_s = int(answer.headers.get("retry-after", 0))
        self.retry_after_s.append(wait_s)
        self.unnamed += not 1 <= wait_s <= 60
        return False


class Clients:
    def __init__(self, url: str, seed: int) -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=200)
        self.http = httpx.AsyncClient(base_url=url, timeout=60, limits=limits)
        self.dice = random.Random(seed)

    def body(self) -> bytes:
        """Items that were never seen before."""
        words = [f"w{self.dice.randrange(100)}" for _ in range(_WORDS)]
        at = self.dice.randrange(len(words))
        items = [
            {"messages": [{"role": "user", "content": f"Fix {self.dice.random()}"},
                          {"role": "assistant", "content": " ".join(words[at:] + words[:at])}]}
            for _ in range(_ITEMS)
        ]  # fmt: skip
        return json.dumps({"trajectories": items, "timeout_s": _TIMEOUT_S, "memo": "off"}).encode()

    async def once(self, seen: Seen) -> bool:
        content = self.body()
        began_s = time.perf_counter()
        headers = {"content-type": "application/json"}
        answer = await self.http.post("/score", content=content, headers=headers)
        return seen.note(answer, time.perf_counter() - began_s)

    async def plateau(self, seconds: float) -> float:
        """Items a second of clients that always wait for their answer."""
        seen, until = Seen(), time.monotonic() + seconds

        async def client() -> None:
            while time.monotonic() < until:
                await self.once(seen)

        began = time.monotonic()
        await asyncio.gather(*(client() for _ in range(_CLIENTS)))
        return seen.good_items / (time.monotonic() - began)

    async def offer(self, per_s: float, seconds: float, seen: Seen, retries: int = 0) -> float:
        """Requests at random moments; the seconds until the last of them was answered."""
        began, at_s, calls = time.monotonic(), 0.0, []

        async def call(at_s: float) -> None:
            good = False
            for _ in range(1 + retries):
                good = good or await self.once(seen)
            seen.ends.append((at_s, good))

        while (at_s := at_s + self.dice.expovariate(per_s)) < seconds:
            await asyncio.sleep(max(0.0, began + at_s - time.monotonic()))
            calls.append(asyncio.create_task(call(at_s)))
        await asyncio.gather(*calls)
        return time.monotonic() - began


async def probing(http: httpx.AsyncClient, waits_s: list[float]) -> None:
    """How long /livez takes: how long the server's loop and the machine make anybody wait."""
    while True:
        began_s = time.perf_counter()
        await http.get("/livez")
        waits_s.append(time.perf_counter() - began_s)
        await asyncio.sleep(_PROBE_EVERY_S)


def p99(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[-1] if len(values) > 1 else 0.0


async def flood(
    clients: Clients, server: psutil.Process, times: float, seconds: float
) -> dict[str, Any]:
    plateau = await clients.plateau(_PLATEAU_S)
    before, waits_s, seen = server.memory_info().rss, list[float](), Seen()
    probe = asyncio.create_task(probing(clients.http, waits_s))
    took_s = await clients.offer(times * plateau / _ITEMS, seconds, seen)
    probe.cancel()
    with suppress(asyncio.CancelledError):
        await probe
    goodput = seen.good_items / took_s
    return {
        "plateau_items_per_s": plateau,
        "offered_items_per_s": _ITEMS * len(seen.ends) / seconds,
        "goodput_items_per_s": goodput,
        "goodput_of_plateau": goodput / plateau,
        "accepted": len(seen.taken_s),
        "late_items": seen.late_items,
        "accepted_p99_s": p99(seen.taken_s),
        "refused": len(seen.refused_s),
        "refused_p50_ms": 1000 * statistics.median(seen.refused_s or [0.0]),
        "refused_p99_ms": 1000 * p99(seen.refused_s),
        "without_retry_after": seen.unnamed,
        "retry_after_values": len(set(seen.retry_after_s)),
        "other_answers": seen.other,
        "livez_p99_ms": 1000 * p99(waits_s),
        "rss_growth_mib": (server.memory_info().rss - before) / 2**20,
    }


async def storm(clients: Clients, plateau: float) -> dict[str, Any]:
    per_s, hard, calm = plateau / _ITEMS, Seen(), Seen()
    load = asyncio.create_task(clients.offer(2 * per_s, _STORM_S, hard, _RETRIES))
    await asyncio.sleep(_STORM_S)
    await clients.offer(per_s / 2, _CALM_S, calm)
    await load
    bad_s = [at_s for at_s, good in calm.ends if not good]
    return {
        "storm_refused": len(hard.refused_s),
        "calm_requests": len(calm.ends),
        "recovered_after_s": max(bad_s, default=0.0),
    }


async def measure(url: str, pid: int, options: argparse.Namespace) -> dict[str, Any]:
    clients = Clients(url, options.seed)
    async with clients.http:
        flooded = await flood(clients, psutil.Process(pid), options.times, options.seconds)
        await asyncio.sleep(_TIMEOUT_S)
        return flooded | await storm(clients, flooded["plateau_items_per_s"])


def verdicts(found: dict[str, Any]) -> dict[str, bool]:
    return {
        "goodput at least 90 % of the plateau": found["goodput_of_plateau"] >= 0.9,
        "accepted p99 within the timeout": found["accepted_p99_s"] <= _TIMEOUT_S,
        "refusals p99 under 50 ms": found["refused_p99_ms"] < 50,
        "every refusal has Retry-After of 1 to 60 s": not found["without_retry_after"],
        "nothing but 200 and 503": not found["other_answers"],
        "recovered within 10 s of the storm": found["recovered_after_s"] <= 10,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--times", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as state,
        PacedServer(Path(state), _TOKENS_PER_S, "--log-level", "warning") as server,
    ):
        found = asyncio.run(measure(server.url, server.process.pid, options))
    checks = verdicts(found)
    table = Table("", "", title=f"{options.times:g} times the plateau, seed {options.seed}")
    for name, value in (found | checks).items():
        table.add_row(name, f"{value:.3g}" if isinstance(value, float) else str(value))
    Console(stderr=True).print(table)
    line = {"bench": "overload", "seed": options.seed, "load_average": os.getloadavg()[0]}
    sys.stdout.write(json.dumps(line | found) + "\n")
    sys.exit(0 if all(checks.values()) else 1)


if __name__ == "__main__":
    main()
