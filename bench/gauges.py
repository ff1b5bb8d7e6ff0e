"""What the gauges of quality, and a look at `GET /quality`, cost a server that keeps many labels.

    python -m bench.gauges [--labels 150000] [--seconds 90] [--seed 1]

A SQLite store with so many labelled scores is laid in place, and a real server started on it, with a fake
engine and no load. For so many seconds its processor time is read and `/livez` is asked every 20 ms; then
`/quality` is asked once, and `/livez` meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
from rich.console import Console
from rich.table import Table

from app.outcomes import Report, ScoreFacts, open_store
from bench.paced import PacedServer

_AT_ONCE = 1000
_PROBE_EVERY_S = 0.02
_TIMEOUT_S = 300


async def fill(file: Path, labels: int, seed: int) -> None:
    dice = random.Random(seed)
    async with open_store(f"sqlite:///{file}", outcomes_a_minute=10**9) as store:
        for start in range(0, labels, _AT_ONCE):
            numbers = range(start, min(labels, start + _AT_ONCE))
            for n in numbers:
                store.put(_score(n, dice))
            told = [Report(dice.random() < 0.5, "tests", score_id=f"sc-{n}") for n in numbers]
            await store.record(told, "local")


def _score(n: int, dice: random.Random) -> ScoreFacts:
    digest = f"sha256:{n:064x}"
    return ScoreFacts(
        f"sc-{n}", digest, digest, "m", "sha256:m", "t", "fp", "identity", dice.gauss(0, 1), dice.random(),
        dice.random(), 1.0, "local", time.time(), f"task-{n // 8}", None, {"policy": f"p{n % 5}"},
    )  # fmt: skip


@asynccontextmanager
async def probed(url: str) -> AsyncIterator[list[float]]:
    """How long each `/livez` took, in ms."""
    took_ms: list[float] = []

    async def probe() -> None:
        async with httpx.AsyncClient(base_url=url, timeout=_TIMEOUT_S) as http:
            while True:
                began = time.perf_counter()
                (await http.get("/livez")).raise_for_status()
                took_ms.append(1000 * (time.perf_counter() - began))
                await asyncio.sleep(_PROBE_EVERY_S)

    probing = asyncio.create_task(probe())
    try:
        yield took_ms
    finally:
        probing.cancel()
        with suppress(asyncio.CancelledError):
            await probing


async def measure(url: str, server: psutil.Process, seconds: float) -> dict[str, Any]:
    before = sum(server.cpu_times()[:2])
    async with probed(url) as gauging_ms:
        await asyncio.sleep(seconds)
    busy = (sum(server.cpu_times()[:2]) - before) / seconds
    async with (
        probed(url) as asking_ms,
        httpx.AsyncClient(base_url=url, timeout=_TIMEOUT_S) as http,
    ):
        began = time.perf_counter()
        answer = (await http.get("/quality")).raise_for_status().json()
        took_s = time.perf_counter() - began
    return {
        "labels": sum(each["n"] for each in answer["slices"]),
        "share_of_a_core": busy,
        "slowest_livez_ms": max(gauging_ms),
        "quality_s": took_s,
        "slowest_livez_while_asked_ms": max(asking_ms),
        "rss_mib": server.memory_info().rss / 2**20,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", type=int, default=150_000)
    parser.add_argument("--seconds", type=float, default=90)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(fill(Path(folder) / "outcomes.db", options.labels, options.seed))
        with PacedServer(Path(folder), 20_000.0, "--log-level", "warning") as server:
            process = psutil.Process(server.process.pid)
            found = asyncio.run(measure(server.url, process, options.seconds))
    table = Table("", "", title=f"seed {options.seed}")
    for name, value in found.items():
        table.add_row(name, f"{value:,.2f}")
    Console(stderr=True).print(table)
    sys.stdout.write(json.dumps({"bench": "gauges", "seed": options.seed} | found) + "\n")


if __name__ == "__main__":
    main()
