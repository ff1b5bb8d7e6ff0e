"""A policy comes to a running server that its calibration does not know: seen, recalibrated, rolled back.

    python -m bench.drift [--usual 1000] [--shifted 2400] [--after 2400]

Runs of policy-a are resolved as often as the server says; then policy-b comes, which is resolved less
often. Every run is scored and its outcome told at once; two senders never pause. The gauge of the ECE
must pass the alert's threshold (deploy/prometheus/rules/alerts.yml); then POST /calibrations, the
switch, and on runs scored since, ECE - floor must be below 0.02. A second server on the same store
must adopt each switch within 5 s. No request may fail and no answer may name two calibrations.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import math
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from bench.server import Server

_RULES = Path(__file__).parents[1] / "deploy" / "prometheus" / "rules" / "alerts.yml"
_ABOVE_FLOOR = 0.02
_ADOPTED_S = 5.0
_WAIT_S = 600.0
_SENDERS = 2
_AT_ONCE = 32
# P(resolved) of a run that the verifier gives the log-odds z.
_TRUTH: dict[str, Callable[[float], float]] = {
    "policy-a": lambda z: 1 / (1 + math.exp(-z)),
    "policy-b": lambda z: 1 / (1 + math.exp(1.5 - 0.6 * z)),
}
_CARD = """\
alert's threshold                  {threshold}
ECE before the shift               {ece_usual}
ECE of the gauge after it          {ece_shifted}
fitted on                          {fitted_on} outcomes, {method}, a curve a policy
ECE after the switch               {ece_after}, floor {floor_after}, {n_after} runs
second server adopts after         {adopted_s} s
rolled back to                     {rolled_back_to}
requests, failed                   {requests}, {failed}
results, by calibration            {results}
answers that name two              {mixed}"""


class Traffic:
    """Scores runs and tells what became of them. `labelled` counts by (policy, calibration)."""

    def __init__(self, client: httpx.AsyncClient, seed: int) -> None:
        self._client = client
        self._chance = random.Random(seed)
        self._number = itertools.count()
        self.policies: tuple[str, ...] = ("policy-a",)
        self.labelled: Counter[tuple[str, str]] = Counter()
        self.results: Counter[str] = Counter()
        self.requests = self.failed = self.mixed = 0

    async def send(self) -> None:
        """Until cancelled."""
        while True:
            await self.batch()

    async def batch(self) -> None:
        policies = [self._chance.choice(self.policies) for _ in range(_AT_ONCE)]
        items = [run(next(self._number), policy) for policy in policies]
        results = (await self._asked("/score", {"trajectories": items})).get("results", [])
        self.failed += sum(each["status"] != "scored" for each in results)
        named = [each["calibration"] for each in results if each["status"] == "scored"]
        self.results.update(named)
        self.mixed += len(set(named)) > 1
        told = [
            {"score_id": each["score_id"], "evidence": "tests",
             "resolved": self._chance.random() < _TRUTH[policy](each["logit"])}
            for policy, each in zip(policies, results, strict=True)
        ]  # fmt: skip
        answers = (await self._asked("/outcomes", {"outcomes": told})).get("results", [])
        self.failed += sum(each["status"] != "recorded" for each in answers)
        self.labelled.update(zip(policies, named, strict=True))

    async def _asked(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.requests += 1
        answer = await self._client.post(path, json=body)
        if answer.status_code != 200:
            self.failed += 1
            return {}
        found: dict[str, Any] = answer.json()
        return found


def run(number: int, policy: str) -> dict[str, Any]:
    said = [{"role": "user", "content": "fix"}, {"role": "assistant", "content": f"run {number}"}]
    return {"messages": said, "tags": {"policy": policy}}


def threshold() -> float:
    """Of the alert that watches the ECE."""
    found = re.search(
        r"swe_rm_quality_ece_ratio\{by=\"calibration\"\} > ([\d.]+)", _RULES.read_text()
    )
    assert found, "the alert is not among the rules"
    return float(found[1])


async def gauge(client: httpx.AsyncClient, calibration: str) -> float | None:
    """The ECE of a calibration as Prometheus would read it."""
    name = f'swe_rm_quality_ece_ratio{{by="calibration",value="{calibration}"}} '
    lines = (await client.get("/metrics")).text.splitlines()
    return next((float(line.removeprefix(name)) for line in lines if line.startswith(name)), None)


async def until(what: str, reached: Callable[[], Awaitable[Any]]) -> Any:
    """What `reached` gives as soon as it gives something."""
    started = time.monotonic()
    while not (found := await reached()):
        if time.monotonic() - started > _WAIT_S:
            message = f"not within {_WAIT_S:.0f} s: {what}"
            raise SystemExit(message)
        await asyncio.sleep(0.25)
    return found


class Drill:
    def __init__(self, client: httpx.AsyncClient, other: httpx.AsyncClient, seed: int) -> None:
        self.client, self.other = client, other
        self.traffic = Traffic(client, seed)
        self.found: dict[str, Any] = {"threshold": threshold(), "seed": seed}

    async def labels(self, policy: str, calibration: str, count: int) -> None:
        async def enough() -> bool:
            return self.traffic.labelled[policy, calibration] >= count

        await until(f"{count} labels of {policy} under {calibration}", enough)

    async def shift(self, usual: int, shifted: int) -> None:
        await self.labels("policy-a", "identity", usual)
        first = await until("a gauge", lambda: gauge(self.client, "identity"))
        self.traffic.policies = ("policy-a", "policy-b", "policy-b", "policy-b")
        await self.labels("policy-b", "identity", shifted)

        async def above() -> float | None:
            now = await gauge(self.client, "identity")
            return now if now is not None and now > self.found["threshold"] else None

        found = await until("the gauge passes the threshold", above)
        self.found |= {"ece_usual": round(first, 4), "ece_shifted": round(found, 4)}

    async def recalibrate(self) -> str:
        asked = {"window": "1d", "method": "auto", "by": "policy"}
        answer = await self.client.post("/calibrations", json=asked)
        if answer.status_code != 200:
            raise SystemExit(answer.text)
        made = answer.json()
        self.found |= {
            "fitted_on": made["report"]["n"],
            "method": made["method"],
            "curves": sorted(made["document"]["slices"]["policy"]),
        }
        await self.switch(made["id"], 0)
        return str(made["id"])

    async def switch(self, name: str, generation: int) -> None:
        """And holds the other server to adopting it."""
        body = {"id": name, "expected_generation": generation}
        answer = await self.client.put("/calibrations/active", json=body)
        assert answer.status_code == 200, answer.text
        started = time.monotonic()

        async def adopted() -> bool:
            return await self.named(self.other) == name

        await until("the other server adopts the switch", adopted)
        took = round(time.monotonic() - started, 2)
        self.found["adopted_s"] = max(took, self.found.get("adopted_s", 0.0))

    async def named(self, client: httpx.AsyncClient) -> str:
        answer = await client.get("/info")
        return str(answer.json()["calibration"])

    async def judge(self, name: str, after: int) -> None:
        await self.labels("policy-b", name, after)
        await until("a gauge of the switch", lambda: gauge(self.client, name))
        answer = await self.client.get("/quality", params={"by": "calibration", "window": "1d"})
        mine = next(each for each in answer.json()["slices"] if each["value"] == name)
        ece = mine["ece"]
        self.found |= {
            "n_after": mine["n"],
            "ece_after": round(ece["value"], 4),
            "floor_after": round(ece["floor"], 4),
            "above_floor": round(ece["value"] - ece["floor"], 4),
        }

    async def roll_back(self) -> None:
        """A known run must have the probability again that it had before the switch."""
        await self.switch("identity", 1)
        answer = await self.client.post("/score", json={"trajectories": [run(0, "policy-a")]})
        one = answer.json()["results"][0]
        assert one["probability"] == one["raw_probability"], one
        self.found["rolled_back_to"] = one["calibration"]


@asynccontextmanager
async def replicas() -> AsyncIterator[list[httpx.AsyncClient]]:
    """Two servers on one store."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        url = f"sqlite:///{one}/outcomes.db"
        servers = [Server(Path(folder), url) for folder in (one, other)]
        clients = [httpx.AsyncClient(base_url=each.url, timeout=300) for each in servers]
        try:
            for each in servers:
                await each.ready()
            yield clients
        finally:
            for client in clients:
                await client.aclose()
            for each in servers:
                each.end()


async def drill(usual: int, shifted: int, after: int, seed: int) -> dict[str, Any]:
    async with replicas() as (client, other):
        made = Drill(client, other, seed)
        traffic = made.traffic
        senders = [asyncio.create_task(traffic.send()) for _ in range(_SENDERS)]
        await made.shift(usual, shifted)
        name = await made.recalibrate()
        await made.judge(name, after)
        await made.roll_back()
        await traffic.batch()
        for each in senders:
            each.cancel()
        await asyncio.gather(*senders, return_exceptions=True)
        return made.found | {
            "requests": traffic.requests,
            "failed": traffic.failed,
            "results": dict(traffic.results),
            "mixed": traffic.mixed,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--usual", type=int, default=1000)
    parser.add_argument("--shifted", type=int, default=2400)
    parser.add_argument("--after", type=int, default=2400)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    found = asyncio.run(drill(options.usual, options.shifted, options.after, options.seed))
    print(_CARD.format(**found))
    print(json.dumps(found))
    good = found["above_floor"] < _ABOVE_FLOOR and found["adopted_s"] <= _ADOPTED_S
    sys.exit(0 if good and not found["failed"] and not found["mixed"] else 1)


if __name__ == "__main__":
    main()
