"""What the order of work is worth: the same load through our door, and first come, first served.

    python -m bench.order [--seed 1] [--items 2000]

The engine is fake and takes vLLM's steps, with the costs of Qwen3-30B-A3B on an H200 (6.6 GFLOP a token,
393k FLOP a pair of tokens, 40 % of the peak); the door is the server's own; time is virtual, so the
figures are the same on every machine. `fifo` hands every item to the engine at once, without
priorities, as a stock server does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from app.admission import Admission, Demand, Limits, Standing
from app.engine.stepped import SteppedEngine
from app.errors import Deadline, Overloaded, TooLong
from app.types import Labels, Priority
from bench.virtual import run

LABELS = Labels((1,), (2,))
BUDGET_TOKENS = 600_000  # what an H200 holds beside the weights
_PATIENCE_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Request:
    """Items that come together. `gone_s`: its client leaves so long after it came."""

    at_s: float
    tokens: tuple[int, ...]
    priority: Priority = "rollout"
    key_id: str = "a"
    timeout_s: float = _PATIENCE_S
    gone_s: float | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of a request: seconds from its coming to the end of each scored item."""

    request: Request
    ends_s: tuple[float, ...]
    refused: bool = False
    failed: int = 0


class Simulation:
    """A load on one engine, with our door before it or without."""

    def __init__(self, ours: bool, slow_at_s: float | None = None) -> None:
        loop = asyncio.get_running_loop()
        self.clock = loop.time
        self.engine = SteppedEngine()
        if not ours:
            self.engine.by_priority, self.engine.long_tokens = False, self.engine.batch_tokens
        limits = Limits(BUDGET_TOKENS, 134_217_728, 16_384)
        self.door = Admission(limits, loop.time) if ours else None
        if slow_at_s is not None:
            loop.call_later(slow_at_s, setattr, self.engine, "slow", 10.0)

    async def play(self, load: Sequence[Request]) -> list[Seen]:
        """Raises when anything is left behind."""
        seen = await asyncio.gather(*(self._request(request) for request in load))
        await asyncio.sleep(60)
        left = [self.engine.running_tokens]
        if self.door:
            left += [self.door.inside_tokens, self.door.inside_items]
            left += [self.door.waiting_tokens, self.door.waiting_items]
        if any(left):
            message = f"something was left behind: {left}"
            raise RuntimeError(message)
        return seen

    async def _request(self, request: Request) -> Seen:
        await asyncio.sleep(request.at_s)
        began_s = self.clock()
        deadline = began_s + request.timeout_s
        try:
            score = self._entered(request, deadline)
        except (Overloaded, TooLong):
            return Seen(request, (), refused=True)

        async def one(number: int, tokens: int) -> float:
            async with asyncio.timeout_at(deadline):
                await score(number, array("i", [7]) * tokens)
            return self.clock() - began_s

        tasks = [asyncio.create_task(one(n, tokens)) for n, tokens in enumerate(request.tokens)]
        if request.gone_s is not None:
            await asyncio.sleep(request.gone_s)
            for task in tasks:
                task.cancel()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        bad = [e for e in found if isinstance(e, BaseException)]
        for error in bad:
            if not isinstance(error, TimeoutError | Deadline | asyncio.CancelledError):
                raise error
        return Seen(request, tuple(e for e in found if isinstance(e, float)), failed=len(bad))

    def _entered(self, request: Request, deadline: float) -> Callable[[int, array[int]], Any]:
        door, engine = self.door, self.engine
        if door is None:

            async def bare(_: int, ids: array[int]) -> None:
                await engine.judge(ids, LABELS, request.priority)

            return bare
        for tokens in request.tokens:
            door.check_size(tokens)
        demands = {n: Demand.of(tokens) for n, tokens in enumerate(request.tokens)}
        ticket = door.enter(demands, Standing(request.priority, request.key_id, deadline))

        async def through(number: int, ids: array[int]) -> None:
            seat = ticket.seat(demands[number])
            ticket.use(number)
            async with door.room(seat) as priority:
                verdict = await engine.judge(ids, LABELS, priority)
                door.finished(verdict.prompt_tokens, verdict.cached_tokens)

        return through


def play(load: Sequence[Request], ours: bool, slow_at_s: float | None = None) -> list[Seen]:
    async def scene() -> list[Seen]:
        return await Simulation(ours, slow_at_s).play(load)

    return run(scene())


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
    load, bulk = mix(items, seed), reranks_in_bulk(seed)

    def urgent(request: Request) -> bool:
        return request.priority == "interactive"

    def long(request: Request) -> bool:
        return request.tokens[0] > 200_000

    rows = {
        f"mix of {items}: mean completion": compare(load, lambda s: mean(ends(s))),
        f"mix of {items}: last item": compare(load, lambda s: max(ends(s))),
        "reranks in bulk: p95 of reranks": compare(bulk, lambda s: p95(ends(s, urgent))),
        "reranks in bulk: end of bulk": compare(
            bulk, lambda s: max(ends(s, lambda r: not urgent(r)))
        ),
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
    }  # fmt: skip
    oversize = play([Request(0.0, (BUDGET_TOKENS + 1,)), Request(0.0, (1_000,))], ours=True)
    facts = {
        "larger_than_the_budget": {"refused": oversize[0].refused, "next": not oversize[1].failed},
        "ten_times_slower_midway": forecasts(seed),
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
