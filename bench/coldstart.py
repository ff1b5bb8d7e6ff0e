"""How long until a server judges: from the start of its process to its first score.

    python -m bench.coldstart [--rounds 3]

Ours until `/readyz` and until the first `/score`; vLLM's own server until `/health` and until its first
`/generative_scoring`. Same model, same threads, in turn, so that files are in memory for both.
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

from app.cli.build import open_model, prompt_ids
from app.config import Settings, read_settings
from bench.load import groups
from bench.peers import server, tuned

_TIMEOUT_S = 600.0


def _start(
    command: list[str], ready: str, env: dict[str, str], first: tuple[str, Any], log: Path
) -> dict[str, float]:
    """Seconds until `ready` answers and until the first score is there."""
    started = time.perf_counter()
    with server(command, ready, env, log) as url:
        ready_s = time.perf_counter() - started
        path, body = first
        httpx.post(url + path, json=body, timeout=_TIMEOUT_S).raise_for_status()
        return {"ready_s": ready_s, "first_score_s": time.perf_counter() - started}


def _both(settings: Settings, seed: int, folder: Path) -> dict[str, dict[str, float]]:
    model, _, labels = open_model(settings)
    ((item,),) = groups(1, 1, 4_000, seed)
    (ids,) = prompt_ids(settings, [item])
    ours = [
        str(Path(sys.executable).with_name("swe-rm")),
        "serve",
        "--state-dir",
        str(folder / "s"),
    ]
    theirs = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(model.dir),
              "--served-model-name", "peer", "--dtype", model.dtype]  # fmt: skip
    body = {"model": "peer", "query": ids[:1], "items": [ids[1:]], "add_special_tokens": False,
            "label_token_ids": list(labels.ids)}  # fmt: skip
    env = tuned(settings.kv_cache_gib)
    return {
        "ours": _start(ours, "/readyz", {}, ("/score", {"trajectories": [item]}), folder / "ours"),
        "peer": _start(theirs, "/health", env, ("/generative_scoring", body), folder / "peer"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    settings = read_settings({}, {})
    with tempfile.TemporaryDirectory() as folder:
        rounds = [_both(settings, options.seed + n, Path(folder)) for n in range(options.rounds)]
    table = Table("", "ready, s", "first score, s", title="From the start of the process")
    middle = {
        side: {
            what: statistics.median(each[side][what] for each in rounds)
            for what in ("ready_s", "first_score_s")
        }
        for side in ("ours", "peer")
    }
    for side, row in middle.items():
        table.add_row(side, *(f"{value:.1f}" for value in row.values()))
    Console(stderr=True).print(table)
    ratio = middle["ours"]["first_score_s"] / middle["peer"]["first_score_s"]
    line = {"bench": "coldstart", "seed": options.seed, "of_peer": ratio, "rounds": rounds}
    sys.stdout.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
