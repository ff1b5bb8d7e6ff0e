"""What a curve over turns costs, and a rollout that is scored again after every turn.

    python -m bench.steps [--turns 24] [--chars 40000] [--rounds 3]

One engine, every round with texts never seen before, memo off. `steps`: a trajectory with `include_steps`
against the same-sized trajectory without. `growing`: the last turn arrives when all before it were
scored, against a fresh trajectory of the same length from scratch.
"""

from __future__ import annotations

import argparse
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

from bench.load import groups
from bench.peers import server

_TIMEOUT_S = 3600.0


def longer(chars: int, turns: int, seed: int) -> dict[str, Any]:
    """One trajectory of `turns` turns: the generated ones, six turns each, end to end."""
    (parts,) = groups(1, -(-turns // 6), chars * 6 // turns, seed)
    messages = parts[0]["messages"][:1] + [m for part in parts for m in part["messages"][1:]]
    return {"messages": messages[: 1 + 2 * turns], "patch": parts[0]["patch"]}


def timed(client: httpx.Client, item: dict[str, Any], **more: Any) -> tuple[float, dict[str, Any]]:
    started = time.perf_counter()
    body = {"trajectories": [item], "memo": "off", "timeout_s": _TIMEOUT_S, **more}
    answer = client.post("/score", json=body)
    wall_s = time.perf_counter() - started
    (result,) = answer.raise_for_status().json()["results"]
    if "probability" not in result:
        message = f"not scored: {result['error']}"
        raise RuntimeError(message)
    return wall_s, result


def measure(client: httpx.Client, chars: int, turns: int, seed: int) -> dict[str, float]:
    plain_s, plain = timed(client, longer(chars, turns, seed))
    steps_s, steps = timed(client, longer(chars, turns, seed + 100), steps="all")
    grown = longer(chars, turns, seed + 200)
    timed(client, grown | {"messages": grown["messages"][:-2]})
    growing_s, _ = timed(client, grown)
    scratch_s, _ = timed(client, longer(chars, turns, seed + 300))
    return {
        "tokens": plain["tokens"]["prompt"],
        "steps": len(steps["steps"]),
        "one_score_s": plain_s,
        "all_steps_s": steps_s,
        "steps_of_one": steps_s / plain_s,
        "growing_s": growing_s,
        "scratch_s": scratch_s,
        "growing_of_scratch": growing_s / scratch_s,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=24)
    parser.add_argument("--chars", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    command = [str(Path(sys.executable).with_name("swe-rm")), "serve"]
    with (
        tempfile.TemporaryDirectory() as folder,
        server(
            [*command, "--state-dir", f"{folder}/state"], "/readyz", {}, Path(folder) / "log"
        ) as url,
        httpx.Client(base_url=url, timeout=_TIMEOUT_S) as client,
    ):
        timed(client, longer(4_000, 6, options.seed + 999))  # warm-up
        rounds = [
            measure(client, options.chars, options.turns, options.seed + 1000 * n)
            for n in range(options.rounds)
        ]
    names = [name for name in rounds[0] if name not in ("tokens", "steps")]
    middle = {name: statistics.median(each[name] for each in rounds) for name in names}
    told = f"{rounds[0]['tokens']:,.0f} tokens, {rounds[0]['steps']:.0f} steps, seed {options.seed}"
    table = Table("", "median", title=told)
    for name, value in middle.items():
        table.add_row(name, f"{value:.3f}")
    Console(stderr=True).print(table)
    line = {"bench": "steps", "seed": options.seed, "median": middle, "rounds": rounds}
    sys.stdout.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
