"""What recording scores costs: CPU seconds of `/score` with the fake engine, recorded and not.

    python -m bench.recording [--rounds 12] [--chars 20000]

Both houses live in one process and take turns (ABBA), so that what else the machine does weighs on
both. CPU time of all threads counts, that of the writer too, until every score is on the disk.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx

from app.api import create_app
from app.api.house import House
from app.cli.build import open_house
from app.config import Settings
from bench.load import groups

_GROUP = 32


async def _cpu_s(client: httpx.AsyncClient, house: House, items: list[dict[str, Any]]) -> float:
    started = time.process_time()
    answer = await client.post("/score", json={"trajectories": items})
    answer.raise_for_status()
    assert house.feedback is not None
    await house.feedback.store.recorder.flush()
    return time.process_time() - started


async def measure(rounds: int, chars: int, seed: int) -> dict[str, Any]:
    load = groups(4 * rounds + 2, _GROUP, chars, seed)
    spent: dict[bool, list[float]] = {True: [], False: []}
    async with AsyncExitStack() as stack:
        sides = {}
        for records in (True, False):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            settings = Settings(engine="fake", state_dir=folder, record_scores=records)
            house = await stack.enter_async_context(open_house(settings, None, lambda _: None))
            client = httpx.AsyncClient(
                transport=httpx.ASGITransport(create_app(house)),
                base_url="http://house",
                timeout=600,
            )
            sides[records] = (await stack.enter_async_context(client), house)
            await _cpu_s(*sides[records], load.pop())
        for _ in range(rounds):
            for records in (True, False, False, True):
                spent[records].append(await _cpu_s(*sides[records], load.pop()))
        written = sides[True][1].feedback
        assert written is not None
        assert written.store.counts.lost == 0
    pairs = zip(spent[True], spent[False], strict=True)
    return {
        "items": rounds * 2 * _GROUP,
        "chars": chars,
        "cpu_ms_per_item": round(1000 * statistics.median(spent[False]) / _GROUP, 3),
        "recorded_cpu_ms_per_item": round(1000 * statistics.median(spent[True]) / _GROUP, 3),
        "overhead_ratio": round(sum(spent[True]) / sum(spent[False]) - 1, 4),
        "overhead_ratio_median_of_pairs": round(statistics.median(a / b - 1 for a, b in pairs), 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--chars", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(json.dumps(asyncio.run(measure(options.rounds, options.chars, options.seed))))


if __name__ == "__main__":
    main()
