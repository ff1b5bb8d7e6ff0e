"""What the order of work is worth: the same load through our door, and first come, first served.

    python -m bench.order [--seed 1] [--items 2000]

The engine is fake and takes vLLM's steps, with the costs of Qwen3-30B-A3B on an H200 (6.6 GFLOP a token,
393k FLOP a pair of tokens, 40 % of the peak); the door is the server's own; time is virtual, so the
figures are the same on every machine. `fifo` hands every item to the engine at once, without
priorities, as a stock server does.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.simulation import BUDGET_TOKENS, Request, Seen, computed_tokens, play

_SIDES = ("fifo", "ours")


def mix(count: int, seed: int) -> list[Request]:
    """80 % of 1k tokens and 20 % of 32k, in a random order, all at once."""
    sizes = [1_000] * (count * 4 // 5) + [32_000] * (count - count * 4 // 5)
    random.Random(seed).shuffle(sizes)
    return [Request(0.0, (size,)) for size in sizes]


def reranks_in_bulk(seed: int) -> list[Request]:
    """64 groups of 8 rollouts of 4k to 120k tokens at once, and for ten minutes a rerank of 8 candidates
    of 2k every 5 s on average."""
    chance = random.Random(seed)
    load = [
        Request(0.0, tuple(int(4_000 * 30 ** chance.random()) for _ in range(8))) for _ in range(64)
    ]
    at_s = 0.0
    while (at_s := at_s + chance.expovariate(1 / 5.0)) < 600:
        load.append(Request(at_s, (2_000,) * 8, "interactive"))
    return load


def scattered(seed: int) -> list[Request]:
    """64 groups of 8 rollouts of 16k to 64k tokens, of which 12k are the group's: one request each, all at
    once, in an order by chance."""
    chance = random.Random(seed)
    load = [
        Request(0.0, (int(16_000 * 4 ** chance.random()),), issue=issue, shared_tokens=12_000)
        for issue in range(64)
        for _ in range(8)
    ]
    chance.shuffle(load)
    return load


def together(load: Sequence[Request]) -> list[Request]:
    """The same groups, each in one request."""
    groups: dict[int, tuple[int, ...]] = {}
    for one in load:
        groups[one.issue] = (*groups.get(one.issue, ()), *one.tokens)
    shared = {one.issue: one.shared_tokens for one in load}
    return [
        Request(0.0, n, issue=issue, shared_tokens=shared[issue]) for issue, n in groups.items()
    ]


def item_ends(seen: Sequence[Seen]) -> list[float]:
    return [end_s for one in seen for end_s in one.ends_s]


def unlike_tokens(load: Sequence[Request]) -> int:
    """What is to be computed when nothing is computed twice."""
    own = sum(tokens - one.shared_tokens for one in load for tokens in one.tokens)
    return own + sum({one.issue: one.shared_tokens for one in load}.values())


def flood(seed: int) -> list[Request]:
    """One key brings 1,500 items at once, another 16 a minute later."""
    chance = random.Random(seed)
    load = [Request(0.0, (chance.randint(4_000, 16_000),), key_id="flood") for _ in range(1_500)]
    return [*load, *(Request(60.0, (8_000,), key_id="few") for _ in range(16))]


def storms(seed: int) -> list[Request]:
    """Five times 300 requests whose clients leave within two seconds, and 50 among them who stay."""
    chance = random.Random(seed)
    load = [Request(chance.random() * 15, (8_000,)) for _ in range(50)]
    for storm in range(5):
        for _ in range(300):
            size = chance.randint(1_000, 60_000)
            load.append(Request(storm * 3.0, (size,), gone_s=chance.random() * 2))
    return load


def steady(seed: int) -> list[Request]:
    """Short items for ten minutes, at 80 % of what the engine can do, and one of 256k at the start."""
    chance = random.Random(seed)
    load, at_s = [Request(1.0, (256_000,), key_id="b")], 0.0
    while (at_s := at_s + chance.expovariate(0.8 / 0.0177)) < 600:
        load.append(Request(at_s, (1_000,), key_id="b"))
    return load


def late_crowd() -> list[Request]:
    """One of 200k, and 200 of 1k five seconds later."""
    return [Request(0.0, (200_000,)), *(Request(5.0, (1_000,)) for _ in range(200))]


def mean(values: Sequence[float]) -> float:
    return statistics.fmean(values) if values else float("nan")


def p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def ends(seen: Sequence[Seen], wanted: Callable[[Request], bool] = lambda _: True) -> list[float]:
    """When each request of interest was wholly done."""
    return [max(one.ends_s) for one in seen if one.ends_s and wanted(one.request)]


def compare(
    load: Sequence[Request], measure: Callable[[Sequence[Seen]], float]
) -> dict[str, float]:
    fifo, ours = measure(play(load, ours=False)), measure(play(load, ours=True))
    return {"fifo_s": round(fifo, 3), "ours_s": round(ours, 3), "ratio": round(ours / fifo, 4)}


def forecasts(seed: int) -> dict[str, float]:
    """Bulk that would fit its timeout on the engine as it was, and new requests every 10 s after it
    has become ten times slower: how many are refused at the door, how many taken and then late."""
    bulk = mix(1_000, seed)
    later = [Request(120.0 + 10 * n, (8_000,) * 8, timeout_s=900.0) for n in range(120)]
    seen = play([*bulk, *later], ours=True, slow_at_s=100.0)
    asked = [one for one in seen if one.request.at_s]
    return {
        "asked": len(asked),
        "refused": sum(one.refused for one in asked),
        "finished": sum(not one.refused and not one.failed for one in asked),
        "taken_but_late": sum(bool(one.failed) for one in asked),
    }


def measure(items: int, seed: int) -> tuple[dict[str, dict[str, float]], dict[str, Any]]:
    load, bulk, groups = mix(items, seed), reranks_in_bulk(seed), scattered(seed)

    def urgent(request: Request) -> bool:
        return request.priority == "interactive"

    def long(request: Request) -> bool:
        return request.tokens[0] >= 200_000

    rows = {
        f"mix of {items}: mean completion": compare(load, lambda s: mean(ends(s))),
        f"mix of {items}: last item": compare(load, lambda s: max(ends(s))),
        "reranks in bulk: p95 of reranks": compare(bulk, lambda s: p95(ends(s, urgent))),
        "reranks in bulk: end of bulk": compare(
            bulk, lambda s: max(ends(s, lambda r: not urgent(r)))
        ),
        "scattered groups: mean completion": compare(groups, lambda s: mean(ends(s))),
        "scattered groups: last item": compare(groups, lambda s: max(ends(s))),
        "groups in one request: mean of items": compare(together(groups), lambda s: mean(item_ends(s))),
        "groups in one request: last item": compare(together(groups), lambda s: max(ends(s))),
        "one key floods: mean of the other": compare(
            flood(seed), lambda s: mean(ends(s, lambda r: r.key_id == "few"))
        ),
        "all of one size: mean completion": compare(
            [Request(0.0, (8_000,)) for _ in range(1_000)], lambda s: mean(ends(s))
        ),
        "cancel storms 5 × 300: mean of who stays": compare(
            storms(seed), lambda s: mean(ends(s, lambda r: r.gone_s is None))
        ),
        "256k among steady short work: its own": compare(
            steady(seed), lambda s: max(ends(s, long))
        ),
        "256k among steady short work: p95 of the short": compare(
            steady(seed), lambda s: p95(ends(s, lambda r: not long(r)))
        ),
        "200 of 1k while one of 200k is computed: the long one": compare(
            late_crowd(), lambda s: max(ends(s, long))
        ),
        "200 of 1k while one of 200k is computed: p95 of the short": compare(
            late_crowd(), lambda s: p95(ends(s, lambda r: not long(r)))
        ),
    }  # fmt: skip
    oversize = play([Request(0.0, (BUDGET_TOKENS + 1,)), Request(0.0, (1_000,))], ours=True)
    facts = {
        "larger_than_the_budget": {"refused": oversize[0].refused, "next": not oversize[1].failed},
        "ten_times_slower_midway": forecasts(seed),
        "computed_of_unlike_tokens": {
            name: {
                who: round(computed_tokens(how, who == "ours") / unlike_tokens(how), 3)
                for who in _SIDES
            }
            for name, how in (("scattered", groups), ("in_one_request", together(groups)))
        },
    }
    return rows, facts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--items", type=int, default=2_000)
    options = parser.parse_args()
    rows, facts = measure(options.items, options.seed)
    console = Console(stderr=True)
    table = Table("", "FIFO, s", "ours, s", "ratio", title=f"Order of work, seed {options.seed}")
    for name, row in rows.items():
        table.add_row(name, *(f"{row[k]:.4g}" for k in ("fifo_s", "ours_s", "ratio")))
    console.print(table)
    console.print(facts)
    sys.stdout.write(
        json.dumps({"bench": "order", "seed": options.seed, "rows": rows} | facts) + "\n"
    )


if __name__ == "__main__":
    main()
