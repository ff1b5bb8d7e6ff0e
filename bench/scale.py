"""What the front end does with 1 to 2,000 requests in flight.

    python -m bench.scale [--engine fake] [--most 2000] [--seconds 8]

Clients that each send the next item when they have the last one's score (closed loop), one item a
request, all different. They are aiohttp's: httpx looks through all of its connections for every request,
and with 2,000 of them is slower than the server. Items a second, waits, refusals, memory, and the slowest
`/livez` meanwhile, asked by a process of its own.
With `--engine fake` nothing but the front end is measured; with `vllm` the engine is what limits.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp
import httpx
from rich.console import Console
from rich.table import Table

from bench.load import groups
from bench.peers import server

_TIMEOUT_S = 600.0
_STEPS = (1, 8, 64, 256, 1_000, 2_000)
_MIB = 2**20


@dataclass
class Seen:
    waits_s: list[float] = field(default_factory=list)
    refused: int = 0


async def _client(
    http: aiohttp.ClientSession, items: list[Any], mark: str, end: float, seen: Seen
) -> None:
    number = 0
    while time.perf_counter() < end:
        item = items[number % len(items)] | {"id": f"{mark}-{number}"}
        item = item | {"patch": f"{item['patch']}+{mark} {number}\n"}  # never seen before
        number += 1
        started = time.perf_counter()
        async with http.post("/score", json={"trajectories": [item]}) as answer:
            found = await answer.json(content_type=None)
        if answer.status == HTTPStatus.OK and found["counts"]["scored"] == 1:
            seen.waits_s.append(time.perf_counter() - started)
        elif answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
            seen.refused += 1
            await asyncio.sleep(float(answer.headers["retry-after"]))
        else:
            message = f"{answer.status}: {str(found)[:300]}"
            raise RuntimeError(message)


def _slowest_livez_s(url: str, seconds: float) -> float:
    """Asked in a process of its own, which waits for nothing but the server."""
    slowest_s, end = 0.0, time.perf_counter() + seconds
    with httpx.Client(base_url=url, timeout=_TIMEOUT_S) as http:
        while time.perf_counter() < end:
            started = time.perf_counter()
            http.get("/livez").raise_for_status()
            slowest_s = max(slowest_s, time.perf_counter() - started)
            time.sleep(0.05)
    return slowest_s


async def _at(
    url: str, in_flight: int, items: list[Any], seconds: float, aside: Executor
) -> dict[str, float]:
    seen, started = Seen(), time.perf_counter()
    livez = asyncio.get_running_loop().run_in_executor(aside, _slowest_livez_s, url, seconds)
    async with aiohttp.ClientSession(
        url,
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(_TIMEOUT_S),
    ) as http:
        end = started + seconds
        clients = (_client(http, items, f"{in_flight}-{n}", end, seen) for n in range(in_flight))
        await asyncio.gather(*clients)
    wall_s = time.perf_counter() - started
    cuts = statistics.quantiles(seen.waits_s, n=20, method="inclusive")
    return {
        "in_flight": in_flight,
        "items_per_s": len(seen.waits_s) / wall_s,
        "p50_s": statistics.median(seen.waits_s),
        "p95_s": cuts[-1],
        "refused": seen.refused,
        "slowest_livez_s": await livez,
    }


def _rss_bytes(url: str) -> float:
    page = httpx.get(f"{url}/metrics", timeout=30).text
    (line,) = [
        each for each in page.splitlines() if each.startswith("process_resident_memory_bytes ")
    ]
    return float(line.split()[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=("fake", "vllm"), default="fake")
    parser.add_argument("--most", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--chars", type=int, default=4_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    (items,) = groups(1, 64, options.chars, options.seed)
    command = [str(Path(sys.executable).with_name("swe-rm")), "serve", "--engine", options.engine]
    rows = []
    with (
        tempfile.TemporaryDirectory() as folder,
        server(
            [*command, "--state-dir", f"{folder}/state"], "/readyz", {}, Path(folder) / "log"
        ) as url,
        ProcessPoolExecutor(1) as aside,
    ):
        for in_flight in (n for n in _STEPS if n <= options.most):
            row = asyncio.run(_at(url, in_flight, items, options.seconds, aside))
            rows.append(row | {"rss_mib": _rss_bytes(url) / _MIB})
    table = Table(*rows[0], title=f"{options.engine} engine, seed {options.seed}")
    for row in rows:
        table.add_row(*(f"{value:,.4g}" for value in row.values()))
    Console(stderr=True).print(table)
    line = {"bench": "scale", "engine": options.engine, "seed": options.seed, "rows": rows}
    sys.stdout.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
