"""What recording scores costs: CPU seconds of `/score` with the fake engine, recorded and not.

    python -m bench.recording [--rounds 16] [--chars 20000]

Both houses live in one process and take turns (ABBA), so that what else the machine does weighs on
both. CPU time of all threads counts, that of the writer too, until every score is on the disk. Each
ABBA is one ratio; the median of them and its 95 % bootstrap interval are told. The difference is small
beside the noise of a shared machine, so the store's part is also measured by itself: CPU seconds of
handing over and writing groups of scores, over those of scoring them unrecorded.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
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
from app.outcomes import ScoreFacts, open_store
from bench.load import groups

_GROUP = 32
_ALONE = 40
_DRAWS = 2000
_MOST = 0.02
_CARD = """\
{items} items of {chars} characters on each side
CPU an item, not recorded   {cpu_ms_per_item} ms
CPU an item, recorded       {recorded_cpu_ms_per_item} ms
overhead, median            {overhead_ratio:.2%}   ({low:.2%} … {high:.2%})
the store by itself         {store_alone_ratio:.2%}"""


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
    ratios = [a / b - 1 for a, b in zip(_blocks(spent[True]), _blocks(spent[False]), strict=True)]
    low, high = _interval(ratios, seed)
    plain_s = statistics.median(spent[False]) / _GROUP
    return {
        "rounds": rounds,
        "items": rounds * 2 * _GROUP,
        "chars": chars,
        "cpu_ms_per_item": round(1000 * statistics.median(spent[False]) / _GROUP, 3),
        "recorded_cpu_ms_per_item": round(1000 * statistics.median(spent[True]) / _GROUP, 3),
        "overhead_ratio": round(statistics.median(ratios), 4),
        "store_alone_ratio": round(await _alone_cpu_s() / plain_s, 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "seed": seed,
    }


async def _alone_cpu_s() -> float:
    """Of handing one score over and writing it, in groups."""
    with tempfile.TemporaryDirectory() as folder:
        async with open_store(f"sqlite:///{folder}/outcomes.db") as store:
            spent = []
            for group in range(_ALONE):
                started = time.process_time()
                for n in range(_GROUP):
                    store.put(_facts(f"{group:032d}-{n:032d}"))
                await store.recorder.flush()
                spent.append(time.process_time() - started)
    return statistics.median(spent) / _GROUP


def _facts(name: str) -> ScoreFacts:
    return ScoreFacts(
        f"sc-{name}", f"sha256:{name}", f"sha256:{name}", "swe-rm-nano", f"sha256:{name}", "t@1",
        "fp", "identity", 0.5, 0.6, 0.6, 0.9, "local", time.time(), tags={"policy": "a"},
    )  # fmt: skip


def _blocks(spent: list[float]) -> list[float]:
    """The two turns that a side has in one ABBA."""
    return [one + other for one, other in zip(spent[::2], spent[1::2], strict=True)]


def _interval(ratios: list[float], seed: int) -> tuple[float, float]:
    """Of the median: 95 % of the medians of resamples."""
    chance = random.Random(seed)
    medians = sorted(
        statistics.median(chance.choices(ratios, k=len(ratios))) for _ in range(_DRAWS)
    )
    return medians[int(0.025 * _DRAWS)], medians[int(0.975 * _DRAWS)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=16)
    parser.add_argument("--chars", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    found = asyncio.run(measure(options.rounds, options.chars, options.seed))
    print(_CARD.format(**found))
    print(json.dumps(found))
    sys.exit(0 if found["overhead_ratio"] < _MOST else 1)


if __name__ == "__main__":
    main()
