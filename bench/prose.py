"""How far the words move a probability: the same actions, told with the other claim.

    python -m bench.prose .world [--split test] [--model swe-rm-nano]

Every trajectory of the world that has a twin (success claims exchanged for doubts, or the other way round)
is scored beside it. The mean change of the probability, its 95 % bootstrap interval over
instances, and the change in the direction of the claim: above zero means that who boasts is believed.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import mean
from typing import Any

import httpx
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.peers import server

_TIMEOUT_S = 3600.0
_DRAWS = 1_000
_SIGN = {"success": 1, "doubt": -1}


def twins(world: Path, split: str) -> list[dict[str, Any]]:
    """Rows of the split that have a twin. Raises `SystemExit` where there is none."""
    lines = (world / "labels.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if row["swapped"] and row["split"] == split]
    if not rows:
        message = f"{world}/labels.jsonl: no row of split {split!r} has a twin"
        raise SystemExit(message)
    return rows


def probabilities(client: httpx.Client, pair: list[Path]) -> list[float]:
    """Raises `RuntimeError` for what was not scored."""
    items = [{"trajectory": json.loads(gzip.decompress(path.read_bytes()))} for path in pair]
    body = {"trajectories": items, "on_overflow": "elide", "timeout_s": _TIMEOUT_S}
    results = client.post("/score", json=body).raise_for_status().json()["results"]
    for path, result in zip(pair, results, strict=True):
        if "probability" not in result:
            message = f"{path}: {result['error']['code']}"
            raise RuntimeError(message)
    return [result["probability"] for result in results]


def interval(changes: dict[str, list[float]], seed: int) -> tuple[float, float]:
    """95 % percentiles of the mean when instances are drawn anew."""
    draw, ids = random.Random(seed), list(changes)
    means = sorted(
        mean([each for one in draw.choices(ids, k=len(ids)) for each in changes[one]])
        for _ in range(_DRAWS)
    )
    return means[int(0.025 * _DRAWS)], means[int(0.975 * _DRAWS)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("world", type=Path)
    parser.add_argument("--split", default="test")
    parser.add_argument("--model", default="swe-rm-nano")
    parser.add_argument("--model-store", default="model_store")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rows = twins(options.world, options.split)
    command = [str(Path(sys.executable).with_name("swe-rm")), "serve", "--model", options.model]
    command += ["--model-store", options.model_store]
    changes: dict[str, list[float]] = defaultdict(list)
    towards: list[float] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        server([*command, "--state-dir", folder], "/readyz", {}, Path(folder) / "log") as url,
        httpx.Client(base_url=url, timeout=_TIMEOUT_S) as client,
    ):
        for row in track(rows, "pairs", console=Console(stderr=True)):
            pair = [options.world / row["file"], options.world / row["swapped"]]
            told, swapped = probabilities(client, pair)
            changes[row["instance_id"]].append(abs(told - swapped))
            if row["claim"] in _SIGN:
                towards.append((told - swapped) * _SIGN[row["claim"]])
    change = mean([each for some in changes.values() for each in some])
    low, high = interval(changes, options.seed)
    table = Table("pairs", "instances", "mean change", "95 %", "towards the claim")
    table.add_row(str(len(rows)), str(len(changes)), f"{change:.4f}", f"{low:.4f} to {high:.4f}",
                  f"{mean(towards):+.4f}")  # fmt: skip
    Console(stderr=True).print(table)
    line = {"bench": "prose", "split": options.split, "pairs": len(rows), "mean_change": change,
            "interval": [low, high], "towards_claim": mean(towards)}  # fmt: skip
    sys.stdout.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
