"""Hours of mixed load with a fault a minute: nothing wrong, nothing missing, nothing that grows.

    python -m bench.soak [--minutes 30] [--engine fake|vllm] [--seed 1] [--out bench/results]

Clients score batches (half known, half never seen before), read streams, rerank and tell outcomes, and come
again as long as they are told to. Every known item must score what it scored first, every good item must
be scored in the end. Each minute one fault of bench/faults.py; those of the engine at least four minutes
apart, for its restarts have a budget. After each, readiness and a known score must be back within 60 s,
120 s on vLLM.
Memory, descriptors, threads and tasks are looked at every five seconds, and again when all is quiet.
A run below the floor of scored items a minute has shown nothing and fails. The timeline is kept.
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
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
from rich.console import Console
from rich.table import Table

from bench.faults import ENGINE, OTHERS, Fault
from bench.soak_clients import Client, Run
from bench.targets import TARGETS

_FLOOR_PER_MINUTE = {"fake": 300, "vllm": 20}
# A frozen vLLM is found out after its patience and replaced by one that loads the model anew.
_BACK_WITHIN_S = {"fake": 60.0, "vllm": 120.0}
_APART_S = 240.0  # engine faults: three restarts in ten minutes are allowed
_LOOK_EVERY_S = 5.0
_GROWTH = {"fds": 8, "threads": 4, "tasks": 8}
_SLOPE_MIB_PER_MINUTE = 1.0


async def looking(run: Run, target: Any, client: httpx.AsyncClient) -> None:
    while True:
        run.samples.append(await look(run, target, client))
        await asyncio.sleep(_LOOK_EVERY_S)


async def look(run: Run, target: Any, client: httpx.AsyncClient) -> dict[str, float]:
    process, page = psutil.Process(target.pid), ""
    with suppress(httpx.HTTPError):
        page = (await client.get("/metrics")).text
    rows = (line.split(" ") for line in page.splitlines())
    found = {
        "rss_mib": process.memory_info().rss / 2**20,
        "fds": process.num_fds(),
        "tasks": next((float(row[1]) for row in rows if row[0] == "swe_rm_loop_tasks"), 0.0),
        "threads": process.num_threads(),
    }
    run.write("sample", **found)
    return found | {"at_s": run.at_s}


async def trouble(run: Run, target: Any, until: float, dice: random.Random) -> None:
    """One fault a minute, the first after a minute; each must be over within a minute."""
    last_engine = -_APART_S
    client = Client(run, target.url, 0)
    while time.monotonic() + 60 + _BACK_WITHIN_S[run.engine] < until:
        await asyncio.sleep(60 - run.at_s % 60)
        pool = OTHERS if run.at_s - last_engine < _APART_S else ENGINE * 3 + OTHERS
        fault: Fault = dice.choice(pool)
        if fault in ENGINE:
            last_engine = run.at_s
        run.write("fault", name=fault.__name__)
        run.seen[f"fault {fault.__name__}"] += 1
        began = time.monotonic()
        await fault(target, dice)
        await asyncio.sleep(1)
        await back(run, client, fault.__name__, began)
    await client.http.aclose()


async def back(run: Run, client: Client, name: str, began: float) -> None:
    """Ready, and a known item scores what it did, by the engine itself."""
    while True:
        try:
            ready = (await client.http.get("/readyz", timeout=5)).status_code == 200
            if ready and not await client.ask([0], "off"):
                break
        except httpx.HTTPError as cause:
            run.seen[type(cause).__name__] += 1
        if time.monotonic() - began > 2 * _BACK_WITHIN_S[run.engine]:
            break
        await asyncio.sleep(0.5)
    took_s = time.monotonic() - began
    run.slowest_recovery_s = max(run.slowest_recovery_s, took_s)
    run.write("recovered", name=name, after_s=round(took_s, 1))


async def soak(options: argparse.Namespace, run: Run, target: Any) -> dict[str, Any]:
    dice = random.Random(options.seed)
    until = time.monotonic() + options.minutes * 60
    async with httpx.AsyncClient(base_url=target.url, timeout=30) as client:
        looks = asyncio.create_task(looking(run, target, client))
        clients = [Client(run, target.url, dice.randrange(2**32)) for _ in range(options.clients)]
        work = [each.work(until) for each in clients]
        await asyncio.gather(*work, trouble(run, target, until, dice))
        looks.cancel()
        await asyncio.sleep(2 * _LOOK_EVERY_S)
        last = await look(run, target, client)
    return judged(options, run, last)


def judged(options: argparse.Namespace, run: Run, last: dict[str, float]) -> dict[str, Any]:
    """Growth is from when caches have filled (five minutes, or a third of the run) to the end."""
    warm = [each for each in run.samples if each["at_s"] > min(300, options.minutes * 20)]
    slope = statistics.linear_regression(
        [each["at_s"] / 60 for each in warm], [each["rss_mib"] for each in warm]
    ).slope
    least = min(run.scored_by_minute[at] for at in range(int(options.minutes)))
    grown = {name: last[name] - warm[0][name] for name in _GROWTH}
    checks = {
        "nothing wrong, nothing missing": not run.wrong,
        "every fault over in time": run.slowest_recovery_s <= _BACK_WITHIN_S[run.engine],
        "load above the floor": run.seen["scored"] / options.minutes >= options.floor,
        "RSS slope below 1 MiB a minute": slope < _SLOPE_MIB_PER_MINUTE,
        "descriptors, threads, tasks flat": all(grown[n] <= most for n, most in _GROWTH.items()),
    }
    return {
        "bench": "soak", "engine": options.engine, "minutes": options.minutes, "seed": options.seed,
        "scored_per_minute": run.seen["scored"] / options.minutes, "least_scored_in_a_minute": least,
        "rss_slope_mib_per_minute": slope, "rss_mib": last["rss_mib"], "grown": grown,
        "slowest_recovery_s": run.slowest_recovery_s, "wrong": run.wrong[:10], "seen": dict(run.seen),
        "load_average": os.getloadavg()[0], "checks": checks,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--engine", choices=sorted(TARGETS), default="fake")
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--floor", type=float, help="scored items a minute")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--out", type=Path, default=Path("bench/results"))
    options = parser.parse_args()
    options.floor = options.floor or _FLOOR_PER_MINUTE[options.engine]
    options.out.mkdir(parents=True, exist_ok=True)
    timeline = options.out / f"soak-{options.engine}-{options.seed}.jsonl"
    timeline.unlink(missing_ok=True)
    run = Run(options.engine, timeline)
    run.write("start", **{name: str(value) for name, value in vars(options).items()})
    with tempfile.TemporaryDirectory() as state:
        target = TARGETS[options.engine](Path(state))
        try:
            target.ready()
            run.began = time.monotonic()
            found = asyncio.run(soak(options, run, target))
        finally:
            target.end()
    run.write("end", **found)
    table = Table("", "", title=f"{options.minutes:g} minutes, seed {options.seed}: {timeline}")
    for name, value in found.items():
        table.add_row(name, f"{value:.3g}" if isinstance(value, float) else str(value))
    Console(stderr=True).print(table)
    sys.stdout.write(json.dumps(found) + "\n")
    sys.exit(0 if all(found["checks"].values()) else 1)


if __name__ == "__main__":
    main()
