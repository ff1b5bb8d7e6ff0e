"""How long reranks wait while bulk runs: our server, and vLLM's own with and without priorities.

    python -m bench.latency [--groups 8] [--chars 20000] [--reranks 10] [--every 2] [--seed 1]

Bulk of RL groups of 8 is sent at once; meanwhile a rerank of 8 short candidates is sent every few
seconds. Each side has its own fresh engine and gets the same token ids: ours as `/score` and `/rerank`,
the peers, tuned as ours, as `/generative_scoring`: `fifo` first come first served, `priority` with vLLM's
priority scheduling and reranks more urgent.
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

from app.cli.build import open_model, prompt_ids
from app.config import read_settings
from bench.load import groups
from bench.peers import peer, server

_GROUP = 8
_TIMEOUT_S = 3600.0
Body = dict[str, Any]


async def _timed(client: httpx.AsyncClient, path: str, body: Body, after_s: float) -> float:
    await asyncio.sleep(after_s)
    started = time.perf_counter()
    (await client.post(path, json=body)).raise_for_status()
    return time.perf_counter() - started


async def _play(
    url: str, bulk: list[tuple[str, Body]], urgent: list[tuple[str, Body]], every_s: float
) -> dict[str, float]:
    limits = httpx.Limits(max_connections=len(bulk) + len(urgent))
    async with httpx.AsyncClient(base_url=url, timeout=_TIMEOUT_S, limits=limits) as client:
        await _timed(client, *bulk[0], 0)  # warm-up; the first group is no part of the load
        slow = [asyncio.create_task(_timed(client, *one, 0)) for one in bulk[1:]]
        quick = [
            asyncio.create_task(_timed(client, *one, 0.5 + n * every_s))
            for n, one in enumerate(urgent)
        ]
        waits_s = await asyncio.gather(*quick)
        return {
            "rerank_p50_s": statistics.median(waits_s),
            "rerank_p95_s": statistics.quantiles(waits_s, n=20, method="inclusive")[-1],
            "bulk_s": max(await asyncio.gather(*slow)),
        }


def _ours(bulk: list[Any], urgent: list[Any], every_s: float, log: Path) -> dict[str, float]:
    command = [str(Path(sys.executable).with_name("swe-rm")), "serve"]
    slow = [("/score", {"trajectories": g, "memo": "off", "timeout_s": 3600}) for g in bulk]
    quick = [("/rerank", {"candidates": g, "memo": "off"}) for g in urgent]
    with server(command, "/readyz", {}, log) as url:
        return asyncio.run(_play(url, slow, quick, every_s))


def _peer(
    side: str, bulk: list[Any], urgent: list[Any], every_s: float, log: Path
) -> dict[str, float]:
    settings = read_settings({}, {})
    model, _, labels = open_model(settings)
    command, env = peer(str(model.dir), model.dtype, settings, side)

    def body(group: list[Any], rank: int) -> tuple[str, Body]:
        ids = prompt_ids(settings, group)
        made: Body = {"model": "peer", "query": ids[0][:1], "items": [one[1:] for one in ids],
                      "label_token_ids": list(labels.ids), "add_special_tokens": False}  # fmt: skip
        return "/generative_scoring", made | ({"priority": rank} if side == "priority" else {})

    slow, quick = [body(g, 0) for g in bulk], [body(g, -1) for g in urgent]
    with server(command, "/health", env, log) as url:
        return asyncio.run(_play(url, slow, quick, every_s))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", type=int, default=8)
    parser.add_argument("--chars", type=int, default=20_000)
    parser.add_argument("--reranks", type=int, default=10)
    parser.add_argument("--every", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    bulk = groups(options.groups + 1, _GROUP, options.chars, options.seed)
    urgent = groups(options.reranks, _GROUP, 4_000, options.seed + 1)
    rows: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        logs = Path(folder)
        rows["ours"] = _ours(bulk, urgent, options.every, logs / "ours.log")
        for name, side in (("vLLM fifo", "tuned"), ("vLLM priority", "priority")):
            rows[name] = _peer(side, bulk, urgent, options.every, logs / "peer.log")
    table = Table("", "rerank p50, s", "p95, s", "bulk, s", title=f"Seed {options.seed}")
    for name, row in rows.items():
        table.add_row(name, *(f"{value:.2f}" for value in row.values()))
    Console(stderr=True).print(table)
    p95_s = {name: row["rerank_p95_s"] for name, row in rows.items()}
    line = {"bench": "latency", "seed": options.seed, "rows": rows,
            "p95_of_fifo": p95_s["ours"] / p95_s["vLLM fifo"],
            "p95_of_priority": p95_s["ours"] / p95_s["vLLM priority"]}  # fmt: skip
    sys.stdout.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
