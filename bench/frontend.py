"""What it costs to turn trajectories into token ids, and what the token memo saves.

    python -m bench.frontend [--seed 1] [--most 262144]

CPU-seconds per million tokens: a chat template's text encoded whole by the tokenizer, ours without and
with the token memo, and once more with all of it known; for prompts of 1k tokens and more, a growing
rollout (each of its turns rendered as it comes), a group of 8 that shares 40 % and one that shares 7.6 %
(the median of real trajectories). Then how exact tokenizer paths compare, and how long the event loop
stands still while two threads render. One process, no engine, no HTTP.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from tokenizers import Tokenizer

from app import adapters
from app.cli.build import open_model
from app.config import Settings, read_settings
from app.render import Renderer
from app.render.quick import quick
from app.types import Trajectory
from bench.load import groups

_CHARS_A_TOKEN = 5.2
_MIB = 2**20


def renderer(memo_bytes: int) -> Renderer:
    settings = read_settings({"token_memo_bytes": memo_bytes}, {})
    return open_model(settings)[1]


def story(tokens: int, seed: int) -> Trajectory:
    """One long trajectory: the items of a group, one after the other."""
    chars = int(tokens * _CHARS_A_TOKEN)
    count = max(1, chars // 20_000)
    (group,) = groups(1, count, chars // count, seed)
    parts = [adapters.adapt_messages(item["messages"]).trajectory for item in group]
    return replace(parts[0], turns=tuple(turn for part in parts for turn in part.turns))


def cpu(work: Callable[[], int]) -> tuple[float, int]:
    """CPU-seconds of all threads, and the tokens that came of them."""
    started = time.process_time()
    tokens = work()
    return time.process_time() - started, tokens


def render_all(made: Renderer, load: Sequence[Trajectory]) -> Callable[[], int]:
    return lambda: sum(len(made.encode(one).ids) for one in load)


def growing(whole: Trajectory) -> list[Trajectory]:
    return [replace(whole, turns=whole.turns[: n + 1]) for n in range(len(whole.turns))]


def group_of(size: int, shared: float, tokens: int, seed: int) -> list[Trajectory]:
    """Trajectories that begin alike: the first `shared` of their turns are the same."""
    stories = [story(tokens, seed + n) for n in range(size)]
    first, count = stories[0], int(len(stories[0].turns) * shared)
    return [
        replace(s, issue=first.issue, turns=first.turns[:count] + s.turns[count:]) for s in stories
    ]


def chat_template_s(made: Renderer, load: Sequence[Trajectory]) -> float:
    """CPU-seconds to encode the prompts' texts one by one, whole, as `apply_chat_template` does once its
    template is filled in."""
    tokenizer = Tokenizer.from_file(str(open_model(read_settings({}, {}))[0].tokenizer_path))
    texts = [
        "".join(piece.text for segment in made.pieces(made.encode(one)) for piece in segment)
        for one in load
    ]
    started = time.process_time()
    for text in texts:
        tokenizer.encode(text, add_special_tokens=False)
    return time.process_time() - started


def three_ways(load: Sequence[Trajectory]) -> dict[str, float]:
    """Raises when any id differs."""
    plain, memo = renderer(0), renderer(256 * _MIB)
    plain_s, tokens = cpu(render_all(plain, load))
    memo_s, _ = cpu(render_all(memo, load))
    again_s, _ = cpu(render_all(memo, load))
    if any(plain.encode(one) != memo.encode(one) for one in load):
        message = "the memo gave other ids"
        raise RuntimeError(message)
    template_s = chat_template_s(plain, load)
    million = tokens / 1e6
    return {
        "tokens": tokens,
        "chat_template_s_per_million": template_s / million,
        "ours_s_per_million": plain_s / million,
        "memo_s_per_million": memo_s / million,
        "again_s_per_million": again_s / million,
        "times_faster": template_s / memo_s,
    }


def paths(settings: Settings, texts: Sequence[str]) -> dict[str, float]:
    """CPU-seconds per million tokens of the exact ways to encode. Raises when they disagree."""
    model = open_model(settings)[0]
    document = json.loads(Path(model.tokenizer_path).read_text()) | {"added_tokens": []}
    tokenizer = Tokenizer.from_str(json.dumps(document))
    ways: dict[str, Callable[[], list[list[int]]]] = {
        "encode": lambda: [tokenizer.encode(t, add_special_tokens=False).ids for t in texts],
        "encode_batch": lambda: [
            e.ids for e in tokenizer.encode_batch(list(texts), add_special_tokens=False)
        ],
        "encode_batch_fast": lambda: [
            e.ids for e in tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        ],
    }
    if fast := quick(document):
        ways["tiktoken"] = lambda: [list(fast.encode(text)) for text in texts]
    found, expected = {}, ways["encode"]()
    for name, way in ways.items():
        started = time.process_time()
        if way() != expected:
            message = f"{name} gave other ids"
            raise RuntimeError(message)
        found[name] = (time.process_time() - started) / sum(map(len, expected)) * 1e6
    return found


async def lag_s(made: Renderer, whole: Trajectory) -> float:
    """The longest that the event loop stood still while two threads rendered."""
    worst, loop = 0.0, asyncio.get_running_loop()
    with ThreadPoolExecutor(2) as pool:
        jobs = [loop.run_in_executor(pool, made.encode, whole) for _ in range(2)]
        while not all(job.done() for job in jobs):
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            worst = max(worst, time.perf_counter() - before - 0.001)
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--most", type=int, default=262_144)
    options = parser.parse_args()
    console, seed = Console(stderr=True), options.seed
    sizes = [n for n in (1_024, 8_192, 32_768, 131_072, 262_144) if n <= options.most]
    rows = {f"one of {n} tokens": three_ways([story(n, seed)]) for n in sizes}
    rows["growing rollout to 32k"] = three_ways(growing(story(32_768, seed)))
    rows["group of 8, 16k, 40 % shared"] = three_ways(group_of(8, 0.4, 16_384, seed))
    rows["group of 8, 16k, 7.6 % shared"] = three_ways(group_of(8, 0.076, 16_384, seed))
    table = Table(
        "",
        "chat template",
        "ours, no memo",
        "memo",
        "again",
        "memo is faster",
        title=f"seed {seed}",
    )
    for name, row in rows.items():
        table.add_row(name, *(f"{row[key]:.3g}" for key in row if key != "tokens"))
    console.print(table)
    texts = [turn.observations[0].text for turn in story(131_072, seed).turns]
    ways = paths(read_settings({}, {}), texts)
    console.print("tokenizer paths, CPU-s per 1M tokens:", ways)
    made, whole = renderer(0), story(sizes[-1], seed)
    loop_lag_s = asyncio.run(lag_s(made, whole))
    console.print(f"event loop stood still for {loop_lag_s * 1000:.0f} ms at most")
    line: dict[str, Any] = {"bench": "frontend", "seed": seed, "rows": rows, "paths": ways,
                            "loop_lag_s": loop_lag_s}  # fmt: skip
    sys.stdout.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
