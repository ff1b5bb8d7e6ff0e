"""What short items wait beside a long one on vLLM: as it goes in whole, and by parts.

    python -m bench.beside [--chars 26000] [--max-tokens N] [--batch-tokens 2048] [--rounds 6] [--seed 1]

Each side is our server with a fresh engine. A long item is scored alone; then four short ones are sent
while it is inside, round by round. The short ones alone are the limit.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from bench.load import item
from bench.peers import server

_SHORT_CHARS, _SHORT = 1_500, 4
_WARM_UP = 4  # the door has to learn the pace
_INSIDE_S = 0.15
_TIMEOUT_S = 3600.0


async def _seconds(client: httpx.AsyncClient, chars: int, seed: int) -> float:
    """Until it has an answer; a prompt this model has no answer to costs the engine the same."""
    body: dict[str, Any] = {"trajectories": [item(chars, seed)], "memo": "off", "timeout_s": 3600}
    began = time.perf_counter()
    answer = (await client.post("/score", json=body)).raise_for_status().json()
    took_s = time.perf_counter() - began
    (result,) = answer["results"]
    if result["status"] != "scored" and result["error"]["code"] != "no_answer":
        raise SystemExit(str(result))
    return took_s


async def _play(url: str, chars: int, rounds: int, seed: int) -> dict[str, float]:
    async with httpx.AsyncClient(base_url=url, timeout=_TIMEOUT_S) as client:
        for n in range(_WARM_UP):
            await _seconds(client, chars, seed + n)
        seed += _WARM_UP
        alone = [await _seconds(client, chars, seed + n) for n in range(rounds)]
        seed += rounds
        short = [await _seconds(client, _SHORT_CHARS, seed + n) for n in range(2 * rounds)]
        seed += 2 * rounds
        beside, slowed = list[float](), list[float]()
        for _ in range(rounds):
            long = asyncio.create_task(_seconds(client, chars, seed))
            await asyncio.sleep(_INSIDE_S)
            beside += await asyncio.gather(
                *(_seconds(client, _SHORT_CHARS, seed + 1 + n) for n in range(_SHORT))
            )
            slowed.append(await long)
            seed += 1 + _SHORT
    return {
        "short_alone_s": statistics.median(short),
        "short_beside_s": statistics.median(beside),
        "slowest_beside_s": max(beside),
        "long_alone_s": statistics.median(alone),
        "long_beside_s": statistics.median(slowed),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chars", type=int, default=26_000)
    parser.add_argument("--max-tokens", type=int)
    parser.add_argument("--batch-tokens", type=int, default=2_048)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    command = [str(Path(sys.executable).with_name("swe-rm")), "serve"]
    command += ["--batch-tokens", str(options.batch_tokens)]
    command += ["--max-tokens", str(options.max_tokens)] if options.max_tokens else []
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, steps in (("whole", "0"), ("by parts", "2")):
            state = ["--state-dir", folder, "--part-steps", steps]
            log = Path(folder) / "server.log"
            with server([*command, *state], "/readyz", {}, log) as url:
                played = _play(url, options.chars, options.rounds, options.seed)
                rows[name] = asyncio.run(played)
    title = f"{options.chars:,} characters, seed {options.seed}"
    names = [name.replace("_", " ") for name in next(iter(rows.values()))]
    table = Table("", *names, title=title)
    for name, row in rows.items():
        table.add_row(name, *(f"{value:.3f}" for value in row.values()))
    Console(stderr=True).print(table)
    whole, parts = rows["whole"], rows["by parts"]
    line = {"bench": "beside", "seed": options.seed, "rows": rows} | {
        f"{name}_ratio": parts[name] / whole[name] for name in whole
    }
    sys.stdout.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
