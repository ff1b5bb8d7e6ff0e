"""What a waiting item of 256k tokens costs in memory.

    python -m bench.waiting [--items 16] [--tokens 256000] [--seed 1]

A real server, in a process of its own, on a fake engine of 20,000 tokens a second. First one such item is
rendered and scored, so that all that is made once is made. Then so many different ones come, each in a
request of its own; when all are inside, the server's resident memory is read, and its growth is shared
among those that have not been judged yet.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import psutil
from rich.console import Console
from rich.table import Table

from bench.load import groups
from bench.paced import PacedServer

_TOKENS_PER_S = 20_000.0
_CHARS_A_TOKEN = 5.2
_TIMEOUT_S = 600.0
_SETTLE_S = 2.0
_MIB = 2**20


def bodies(count: int, tokens: int, seed: int) -> list[bytes]:
    chars = int(tokens * _CHARS_A_TOKEN)
    parts = max(1, chars // 200_000)
    made = []
    for at in range(count):
        (group,) = groups(1, parts, chars // parts, seed + at)
        messages = [message for item in group for message in item["messages"]]
        item = {"messages": messages, "patch": "diff --git a/a.py b/a.py\n"}
        body = {"trajectories": [item], "on_overflow": "elide", "priority": "backfill",
                "timeout_s": 3600}  # fmt: skip
        made.append(json.dumps(body).encode())
    return made


async def _post(client: httpx.AsyncClient, body: bytes) -> int:
    """Tokens of the one item's prompt. Raises `RuntimeError` when it was not scored."""
    answer = await client.post("/score", content=body, headers={"content-type": "application/json"})
    (result,) = answer.raise_for_status().json()["results"]
    if result["status"] != "scored":
        message = f"an item was not scored: {result['error']}"
        raise RuntimeError(message)
    found: int = result["tokens"]["prompt"]
    return found


async def measure(server: PacedServer, first: bytes, load: list[bytes]) -> dict[str, Any]:
    process = psutil.Process(server.process.pid)
    limits = httpx.Limits(max_connections=len(load) + 2)
    async with httpx.AsyncClient(base_url=server.url, timeout=_TIMEOUT_S, limits=limits) as client:
        tokens = await _post(client, first)
        await asyncio.sleep(_SETTLE_S)
        before = process.memory_info().rss
        sent = [asyncio.create_task(_post(client, body)) for body in load]
        end, waiting, peak = time.monotonic() + _TIMEOUT_S, 0, before
        while waiting < len(load) - 2 and time.monotonic() < end:
            waiting = (await client.get("/load")).json()["waiting_items"]
            peak = max(peak, process.memory_info().rss)
            if any(task.done() for task in sent):
                await asyncio.gather(*(task for task in sent if task.done()))
            await asyncio.sleep(0.1)
        await asyncio.sleep(_SETTLE_S)
        waiting = (await client.get("/load")).json()["waiting_items"]
        after = process.memory_info().rss
        for task in sent:
            task.cancel()
        await asyncio.gather(*sent, return_exceptions=True)
    return {"prompt_tokens": tokens, "waiting": waiting, "before_mib": before / _MIB,
            "after_mib": after / _MIB, "peak_mib": peak / _MIB,
            "mib_per_item": (after - before) / _MIB / max(1, waiting)}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=256_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    first, *load = bodies(options.items + 1, options.tokens, options.seed)
    with (
        tempfile.TemporaryDirectory() as folder,
        PacedServer(Path(folder), _TOKENS_PER_S) as server,
    ):
        found = asyncio.run(measure(server, first, load))
    table = Table("", "value", title=f"{options.items} items, seed {options.seed}")
    for name, value in found.items():
        table.add_row(name, f"{value:,.1f}")
    Console(stderr=True).print(table)
    sys.stdout.write(json.dumps({"bench": "waiting", "seed": options.seed} | found) + "\n")


if __name__ == "__main__":
    main()
