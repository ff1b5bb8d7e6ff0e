"""The clients of bench.soak: they ask for batches until each item is scored, and note what is wrong.

Half of a batch is known, half never seen before. Every known item must score what it scored first, and
no number may stand beside an error.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bench.load import item

_MOVED_AT_MOST = {"fake": 1e-9, "vllm": 0.02}
_SCORED_WITHIN_S = 300.0
_KNOWN, _CHARS, _BATCH, _STREAM = 40, 1_600, 4, {"accept": "application/x-ndjson"}


@dataclass
class Run:
    """What clients saw, and what there is to be seen from outside."""

    engine: str
    timeline: Path
    began: float = field(default_factory=time.monotonic)
    known: dict[int, float] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    samples: list[dict[str, float]] = field(default_factory=list)
    scored_by_minute: Counter[int] = field(default_factory=Counter)
    slowest_recovery_s: float = 0.0

    @property
    def at_s(self) -> float:
        return time.monotonic() - self.began

    def write(self, what: str, **facts: Any) -> None:
        with self.timeline.open("a") as file:
            file.write(json.dumps({"at_s": round(self.at_s, 1), "what": what} | facts) + "\n")

    def accuse(self, text: str) -> None:
        self.wrong.append(text)
        self.write("wrong", text=text)

    def take(self, number: int, result: dict[str, Any]) -> bool:
        """True when the item needs no other attempt."""
        if result.get("status") != "scored":
            error = result.get("error") or {"code": "nothing", "retryable": False}
            self.seen[f"item {error['code']}"] += 1
            if set(result) & {"logit", "probability", "relevance_score", "reward"}:
                self.accuse(f"a number beside {error['code']}")
            if not error["retryable"]:
                self.accuse(f"item {number}: {error['code']}")
            return not error["retryable"]
        self.seen["scored"] += 1
        self.scored_by_minute[int(self.at_s // 60)] += 1
        if number < _KNOWN:
            moved = abs(result["logit"] - self.known.setdefault(number, result["logit"]))
            if moved > _MOVED_AT_MOST[self.engine]:
                self.accuse(f"item {number} moved by {moved}")
        return True


class Client:
    """Asks for batches, and again for what was not scored."""

    def __init__(self, run: Run, url: str, seed: int) -> None:
        self.run, self.dice = run, random.Random(seed)
        self.http = httpx.AsyncClient(base_url=url, timeout=60)

    async def work(self, until: float) -> None:
        async with self.http:
            while time.monotonic() < until:
                fresh = [self.dice.randrange(_KNOWN, 10**9) for _ in range(_BATCH // 2)]
                known = [self.dice.randrange(_KNOWN) for _ in range(_BATCH // 2)]
                await self.finish([*fresh, *known])
                await asyncio.sleep(self.dice.random() * 0.2)

    async def finish(self, numbers: list[int]) -> None:
        """Until each is scored; what takes too long is missing."""
        until = time.monotonic() + _SCORED_WITHIN_S
        while numbers:
            try:
                numbers = await self.ask(numbers)
            except httpx.HTTPError as cause:
                self.run.seen[type(cause).__name__] += 1
            if numbers and time.monotonic() > until:
                self.run.accuse(f"{len(numbers)} items are missing")
                return
            if numbers:
                await asyncio.sleep(0.5 + self.dice.random())

    async def ask(self, numbers: list[int], memo: str | None = None) -> list[int]:
        """Those that are to be asked for again."""
        way = self.dice.choice(("score", "stream", "rerank"))
        memo = memo or self.dice.choice(("use", "off"))
        key = "candidates" if way == "rerank" else "trajectories"
        items = [item(_CHARS, n) for n in numbers]
        answer = await self.http.post(
            f"/{'rerank' if way == 'rerank' else 'score'}",
            json={key: items, "memo": memo},
            headers=_STREAM if way == "stream" else {},
        )
        if answer.status_code != 200:
            self.run.seen[f"{answer.status_code} {answer.json().get('code')}"] += 1
            if answer.status_code != 503 or "retry-after" not in answer.headers:
                self.run.accuse(f"{way}: {answer.status_code} {answer.text[:200]}")
            return numbers
        results = _results(way, answer)
        again = [
            n for at, n in enumerate(numbers) if not self.run.take(n, results.get(at, {}))
        ] if results is not None else numbers  # fmt: skip
        if results and way == "score":
            await self.tell([r["score_id"] for r in results.values() if "score_id" in r])
        return again

    async def tell(self, ids: list[str]) -> None:
        """`unknown_score` is honest: a score is written some moments after it was answered."""
        if not ids:
            return
        told = [{"score_id": each, "resolved": True, "evidence": "tests"} for each in ids]
        key = {"Idempotency-Key": f"k-{self.dice.getrandbits(64)}"}
        answer = await self.http.post("/outcomes", json={"outcomes": told}, headers=key)
        self.run.seen[f"outcomes {answer.status_code}"] += 1
        if answer.status_code not in (200, 503):
            self.run.accuse(f"outcomes: {answer.status_code} {answer.text[:200]}")


def _results(way: str, answer: httpx.Response) -> dict[int, dict[str, Any]] | None:
    """By index; None for a stream that was cut off, of which all is asked again."""
    if way != "stream":
        found = answer.json()
        failed = [each | {"status": "failed"} for each in found.get("failed", ())]
        return {each["index"]: each for each in [*found["results"], *failed]}
    lines = [json.loads(line) for line in answer.text.splitlines()]
    if not lines or lines[-1].get("object") != "score.end":
        return None
    return {each["index"]: each for each in lines if "status" in each}
