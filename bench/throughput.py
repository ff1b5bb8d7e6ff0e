"""How much of the engine's own speed is left behind the server, and how vLLM's own server compares.

    python -m bench.throughput [--groups 12] [--size 8] [--chars 20000] [--repeats 0.2] [--scatter]
                               [--sides server,tuned]

The same token ids, in one run, one side after the other, each with its own fresh engine and a warm-up:
- `server`: ours, RL groups sent at once as `/score` requests;
- `offline`: `LLM.generate` with the same threads and engine settings, all ids in one call;
- `default`: `python -m vllm.entrypoints.openai.api_server` as it starts by default, `/generative_scoring`
  with the same ids (so it tokenizes nothing), a group a request;
- `tuned`: the same with our threads and engine settings; `priority`: and its priority scheduling.
With `--repeats`, so large a share of the groups comes once more when all are done, the oldest first, as an
RL trainer's retries do. Where the KV cache has turned over by then only a memo helps;
without repeats our memo is off. With `--scatter` each rollout is a request of its own, in an order
by chance: where more groups than the KV cache holds are on their way, it matters who goes in after whom.
Rounds never share a prefix cache.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from app.cli.build import open_model, prompt_ids
from app.config import Settings, read_settings
from bench.load import groups
from bench.peers import engine_settings, offline, peer, server, tuned

_TIMEOUT_S = 3600.0
SIDES = ("offline", "server", "default", "tuned", "priority")


@dataclass(frozen=True, slots=True)
class Work:
    """`again`: how many of the requests, from the first, come once more behind all."""

    settings: Settings
    model: Any
    labels: Any
    warm: Any
    load: list[Any]
    warm_ids: list[list[int]]
    ids: list[list[list[int]]]
    again: int


async def _send(url: str, path: str, bodies: list[dict[str, Any]]) -> tuple[float, list[Any]]:
    limits = httpx.Limits(max_connections=len(bodies))
    async with httpx.AsyncClient(base_url=url, timeout=_TIMEOUT_S, limits=limits) as client:
        started = time.perf_counter()
        answers = await asyncio.gather(*(client.post(path, json=body) for body in bodies))
        wall_s = time.perf_counter() - started
    for answer in answers:
        answer.raise_for_status()
    return wall_s, [answer.json() for answer in answers]


def _play(url: str, path: str, load: list[Any], again: int) -> tuple[float, list[Any]]:
    wall_s, answers = asyncio.run(_send(url, path, load))
    if again:
        more_s, _ = asyncio.run(_send(url, path, load[:again]))
        wall_s += more_s
    return wall_s, answers


def _ours(work: Work, log: Path) -> tuple[float, list[float]]:
    memo = "use" if work.again else "off"
    bodies = [{"trajectories": group, "memo": memo, "timeout_s": 3600} for group in work.load]
    command = [
        str(Path(sys.executable).with_name("swe-rm")),
        "serve",
        "--state-dir",
        f"{log}.state",
    ]
    command += ["--kv-cache-gib", str(work.settings.kv_cache_gib)]
    with server(command, "/readyz", {}, log) as url:
        asyncio.run(_send(url, "/score", [{"trajectories": work.warm, "memo": "off"}]))
        wall_s, answers = _play(url, "/score", bodies, work.again)
    results = [result for answer in answers for result in answer["results"]]
    return wall_s, [result["logit"] for result in results]


def _peer(work: Work, side: str, log: Path) -> float:
    model, labels = work.model, list(work.labels.ids)

    def body(group: list[list[int]]) -> dict[str, Any]:
        # Every prompt begins with the same control token, so that one id may stand as the query.
        items = [one[1:] for one in group]
        return {"model": "peer", "query": group[0][:1], "items": items, "label_token_ids": labels,
                "add_special_tokens": False}  # fmt: skip

    command, env = peer(str(model.dir), model.dtype, work.settings, side)
    with server(command, "/health", env, log) as url:
        asyncio.run(_send(url, "/generative_scoring", [body(work.warm_ids)]))
        bodies = [body(group) for group in work.ids]
        return _play(url, "/generative_scoring", bodies, work.again)[0]


def _scattered(groups: list[Any], seed: int) -> list[Any]:
    """Every item a group of its own, in an order by chance."""
    items = [[item] for group in groups for item in group]
    random.Random(seed).shuffle(items)
    return items


def prepare(options: argparse.Namespace, seed: int) -> Work:
    settings = read_settings({"kv_cache_gib": options.kv_cache_gib}, {})
    model, _, labels = open_model(settings)
    warm, *load = groups(options.groups + 1, options.size, options.chars, seed)
    ids = [prompt_ids(settings, group) for group in load]
    if options.scatter:
        load, ids = _scattered(load, seed), _scattered(ids, seed)
    again = round(options.repeats * len(load))
    return Work(settings, model, labels, warm, load, prompt_ids(settings, warm), ids, again)


def measure(work: Work, sides: Sequence[str], console: Console) -> dict[str, Any]:
    """Seconds by side."""
    flat = [one for group in work.ids for one in group]
    job = {"model": str(work.model.dir), "labels": list(work.labels.ids),
           "engine": engine_settings(work.model.dtype, work.model.context_tokens, work.settings),
           "warm_up": work.warm_ids, "prompts": flat}  # fmt: skip
    wall_s: dict[str, float] = {}
    logits: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for side in sides:
            console.print(f"{side} …")
            log = Path(folder) / f"{side}.log"
            if side == "offline":
                limit: dict[str, Any] = offline(job, tuned(work.settings.kv_cache_gib))
                wall_s[side], logits[side] = limit["wall_s"], limit["logits"]
            elif side == "server":
                wall_s[side], logits[side] = _ours(work, log)
            else:
                wall_s[side] = _peer(work, side, log)
    found = {
        "tokens": sum(map(len, flat)),
        "items": len(flat),
        "again": work.again,
        "wall_s": wall_s,
    }
    if len(logits) == 2:
        pairs = zip(logits["offline"], logits["server"], strict=True)
        found["largest_logit_difference"] = max(abs(a - b) for a, b in pairs)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--groups", type=int, default=12)
    parser.add_argument("--size", type=int, default=8, help="rollouts of a group")
    parser.add_argument("--chars", type=int, default=20_000)
    parser.add_argument("--repeats", type=float, default=0.0)
    parser.add_argument("--scatter", action="store_true")
    parser.add_argument("--kv-cache-gib", type=int, default=2)
    parser.add_argument("--sides", default="offline,server,default,tuned,priority")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    sides = options.sides.split(",")
    if set(sides) - set(SIDES) or (options.repeats and "offline" in sides):
        parser.error(f"--sides: of {', '.join(SIDES)}; offline has no repeats")
    console = Console(stderr=True)
    rounds = [
        measure(prepare(options, options.seed + at), sides, console) for at in range(options.rounds)
    ]
    tokens, count = rounds[0]["tokens"], rounds[0]["items"]
    table = Table("", "seconds", "tokens/s", "server is … times as fast",
                  title=f"{count} prompts, {tokens:,} tokens, seed {options.seed}")  # fmt: skip
    ratios = {}
    for side in sides:
        wall_s = statistics.median(each["wall_s"][side] for each in rounds)
        if "server" in sides:
            ratios[side] = statistics.median(
                each["wall_s"][side] / each["wall_s"]["server"] for each in rounds
            )
        table.add_row(
            side, f"{wall_s:.1f}", f"{tokens / wall_s:,.0f}", f"{ratios.get(side, math.nan):.3f}"
        )
    console.print(table)
    line = {"bench": "throughput", "seed": options.seed, "repeats": options.repeats,
            "scatter": options.scatter, "ratios": ratios, "rounds": rounds}  # fmt: skip
    sys.stdout.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
