"""Checks 1 to 13 of docs/reliability.md that need no model: faults of the engine, seen from outside.

Each is a whole server around a fake engine: routes, corridor, supervisor.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import signal
import time
from array import array
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
from engine_contract import BAD_IDS, prompt
from houses import STREAM, Built, ask, build, check_problem, item, lines, renderer, strict
from servers import Served, free_port

from app import calibration
from app.api.house import Health
from app.engine import Engine
from app.engine.canary import Canary
from app.engine.fake import FakeEngine, Fault
from app.engine.supervisor import Supervisor
from app.engine.watched import Watch
from app.types import Labels, Priority, Verdict

WATCH = Watch(
    probe_every_s=0.01, patience_s=0.1, canary_every_s=0.02, canary_timeout_s=5, restarts=1000,
    first_wait_s=0.0001,
)  # fmt: skip
UNWATCHED = Watch(probe_every_s=60, canary_every_s=60, first_wait_s=0.0001)  # items find it out
LABELS = renderer()[1]
CANARY = prompt(40)
LOG = logging.getLogger("acceptance")


@dataclass
class Supervised:
    """A house whose engine is supervised; `engines` are those that were started, oldest first."""

    supervisor: Supervisor
    built: Built
    client: httpx.AsyncClient
    engines: list[FakeEngine] = field(default_factory=list)
    lost: int = 0

    @property
    def engine(self) -> FakeEngine:
        return self.engines[-1]

    async def score(self, count: int = 8, **over: Any) -> dict[str, Any]:
        items = [item(word=str(at)) for at in range(count)]
        answer = await self.client.post("/score", json={"trajectories": items} | over)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = strict(answer.content)
        return found

    async def ready(self) -> bool:
        return (await self.client.get("/readyz")).status_code == 200


@asynccontextmanager
async def supervised(
    watch: Watch = WATCH, make: Callable[[], FakeEngine] = FakeEngine
) -> AsyncIterator[Supervised]:
    engines = [make()]

    async def start() -> Engine:
        engines.append(make())
        return engines[-1]

    def lose() -> None:
        one.lost += 1

    def logit(verdict: Verdict) -> float:
        return calibration.margin(verdict, LABELS).logit

    canary = Canary("c", CANARY, engines[0].logit_of(CANARY), 1e-6)
    supervisor = Supervisor(engines[0], start, LABELS, [canary], logit, watch, lose)
    built = build(engine=supervisor)  # type: ignore[arg-type]
    built.house.health = lambda: Health(
        supervisor.trouble, asdict(supervisor.canary), supervisor.state, supervisor.restarts,
        supervisor.probe_age_s, supervisor.retry_after_s(),
    )  # fmt: skip
    await supervisor.start()
    running = asyncio.create_task(supervisor.run())
    async with ask(built) as client:
        one = Supervised(supervisor, built, client, engines)
        yield one
    running.cancel()
    await asyncio.wait({running})
    built.house.close()
    await supervisor.close()
    door = built.house.scorer.admission
    assert (door.inside_tokens, door.waiting_tokens, door.waiting_items) == (0, 0, 0)


async def until(what: Callable[[], bool], within_s: float = 10) -> None:
    async with asyncio.timeout(within_s):
        while not what():
            await asyncio.sleep(0.005)


def no_number(result: dict[str, Any]) -> bool:
    names = {"probability", "raw_probability", "logit", "reward", "relevance_score", "label_mass"}
    return not names & set(result)


async def test_c01_a_killed_engine() -> None:
    async with supervised() as one:
        before = await one.score(1)
        for at in range(5):
            one.engine.delay_s = 30
            dying = one.engine
            asked = asyncio.create_task(one.score(8, memo="off"))
            await until(lambda dying=dying: dying.running_tokens > 0)
            dying.dead = True
            dying._inside.end()  # what a dead process does to its callers: they end at once
            answer = await asyncio.wait_for(asked, 2)
            found = answer["results"]
            assert {r["error"]["code"] for r in found} == {"engine_restarting"}
            assert all(r["error"]["retryable"] and r["error"]["retry_after_s"] >= 1 for r in found)
            assert all(map(no_number, found))
            await until(lambda at=at: one.supervisor.ready and len(one.engines) == at + 2)
        after = await one.score(1)
        assert after["results"][0]["logit"] == before["results"][0]["logit"]
        assert one.supervisor.restarts == 5


async def test_c01_while_it_is_away() -> None:
    gate = asyncio.Event()

    async with supervised() as one:
        start = one.supervisor._start_engine

        async def gated() -> Engine:
            await gate.wait()
            return await start()

        one.supervisor._start_engine = gated
        one.engine.dead = True
        await until(lambda: one.supervisor.state == "restarting")
        for route in ("/score", "/rerank"):
            check_problem(await one.client.post(route, json={}), 503, "engine_restarting")
        assert not await one.ready()
        assert (await one.client.get("/readyz")).text == "restarting\n"
        assert (await one.client.get("/livez")).status_code == 200
        gate.set()
        await until(lambda: one.supervisor.ready)
        assert await one.ready()


async def test_c02_kills_until_the_budget_is_spent() -> None:
    watch = Watch(probe_every_s=0.01, canary_every_s=60, restarts=3, first_wait_s=0.0001)
    async with supervised(watch) as one:
        for kill in range(4):
            await until(lambda kill=kill: len(one.engines) == kill + 1 and one.supervisor.ready)
            one.engine.dead = True
        await until(lambda: one.lost == 1)
        assert one.supervisor.restarts == 3
        answer = await one.client.post("/score", json={"trajectories": [item()]})
        check_problem(answer, 503, "engine_restarting")
        assert (await one.client.get("/readyz")).text == "failed\n"


async def test_c03_a_frozen_engine_is_replaced_and_a_busy_one_is_not() -> None:
    async with supervised() as one:
        one.engine.hung = True
        answer = await asyncio.wait_for(one.score(4), 10)
        # One that was rendered late may have met the next engine.
        codes = {r.get("error", {"code": "scored"})["code"] for r in answer["results"]}
        assert {"engine_restarting"} <= codes <= {"engine_restarting", "scored"}
        await until(lambda: one.supervisor.ready)
        one.engine.token_s = 2e-6  # 0.4 s for the long one, four times the patience for a short one
        long = {"messages": item(word="long " * 100_000)["messages"]}
        answer = (await one.client.post("/score", json={"trajectories": [long]})).json()
        assert answer["results"][0]["status"] == "scored"
        assert one.supervisor.restarts == 1


async def test_c04_whoever_sees_the_death_first_tells_the_supervisor() -> None:
    """vLLM's reader of outputs ends and the flag stays green: a call is what finds it out."""
    async with supervised(UNWATCHED) as one:
        await until(lambda: one.supervisor.probe_age_s is not None)
        one.engine.dead = True
        answer = await one.score(1)
        assert answer["results"][0]["error"]["code"] == "engine_restarting"
        await until(lambda: one.supervisor.ready and one.supervisor.restarts == 1)


@pytest.mark.parametrize("name", BAD_IDS)
async def test_c05_bad_ids_behind_the_api(name: str) -> None:
    async with supervised() as one:
        with pytest.raises(Exception, match="."):
            await one.supervisor.judge(BAD_IDS[name], LABELS)
        await one.supervisor.probe()
        assert (await one.score(1))["counts"]["scored"] == 1
        assert one.supervisor.restarts == 0


async def test_c05_a_bricked_engine_is_found() -> None:
    async with supervised() as one:
        one.engine.hung = True
        await until(lambda: one.supervisor.restarts == 1 and one.supervisor.ready, within_s=20)


def test_c07_sigterm_with_16_in_flight(tmp_path: Path) -> None:
    served = Served(free_port(), tmp_path, "--drain-s", "2", delay_s=60)
    try:
        served.ready()
        body = {"trajectories": [item(word=str(at)) for at in range(16)]}
        with httpx.stream("POST", f"{served.url}/score", json=body, headers=STREAM) as answer:
            first = answer.iter_lines()
            next(first)
            started = time.monotonic()
            served.signal()
            found = [*lines("\n".join(first))]
        assert time.monotonic() - started < 10
        assert [r["error"]["code"] for r in found if "status" in r] == ["draining"] * 16
        assert found[-1]["object"] == "score.end"
        assert served.end()[0] == 0
    finally:
        served.kill()


def test_c07_the_second_sigterm(tmp_path: Path) -> None:
    served = Served(free_port(), tmp_path, "--propagate-s", "60")
    try:
        served.ready()
        served.signal()
        served.until_state("draining")
        assert served.end(signal.SIGTERM)[0] == 128 + signal.SIGTERM
    finally:
        served.kill()


@pytest.mark.parametrize("count", [1, 64])
@pytest.mark.parametrize("fault", get_args(Fault))
async def test_c08_c09_what_is_no_verdict_is_no_score(fault: Fault, count: int) -> None:
    """Aborted, empty, one label missing, NaN, infinite, dead: an error each, never 0, never 0.5."""
    async with supervised(UNWATCHED) as one:
        one.engine.fault = fault
        answer = await one.score(count)
        assert {r["status"] for r in answer["results"]} == {"failed"}
        codes = {r["error"]["code"] for r in answer["results"]}
        assert codes <= {"engine_failed", "engine_restarting"}
        assert all(map(no_number, answer["results"]))


async def test_c10_a_storm_of_aborts() -> None:
    seed = random.randrange(2**32)
    LOG.info("seed %d", seed)
    chance = random.Random(seed)
    async with supervised() as one:
        one.engine.delay_s = 0.05
        for _ in range(5):
            calls = [asyncio.create_task(one.score(1)) for _ in range(60)]
            for call in chance.sample(calls, len(calls)):
                await asyncio.sleep(chance.random() * 0.001)
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
        await until(lambda: one.engine.running_tokens == 0)
        assert (await one.score(1))["counts"]["scored"] == 1
        assert (one.supervisor.restarts, one.supervisor.canary.drift) == (0, 0)


@dataclass(slots=True)
class Leaky(FakeEngine):
    """Fails after it has taken the item on, with what nobody foresaw."""

    async def judge(
        self, ids: array[int], labels: Labels, priority: Priority = "rollout"
    ) -> Verdict:
        if ids == CANARY:
            return await FakeEngine.judge(self, ids, labels, priority)
        raise OverflowError


async def test_c11_a_thousand_failed_submits_leak_no_seat() -> None:
    async with supervised(make=Leaky) as one:
        for _ in range(4):
            answer = await one.score(250)
            assert {r["error"]["code"] for r in answer["results"]} == {"engine_failed"}
        door = one.built.house.scorer.admission
        assert (door.inside_items, door.inside_tokens, door.waiting_items) == (0, 0, 0)
        page = (await one.client.get("/metrics")).text
        assert 'swe_rm_defects_total{where="/score"} 1000.0' in page


async def test_c13_drift_takes_the_server_out_of_readiness() -> None:
    async with supervised() as one:
        busy = [asyncio.create_task(one.score(16)) for _ in range(4)]
        truth = one.engine.logit_of(CANARY)
        moved = Canary("c", CANARY, truth + 0.5, 1e-6)
        steady = one.supervisor._canaries._canaries[0]
        one.supervisor._canaries._canaries[0] = moved
        await until(lambda: math.isclose(one.supervisor.canary.drift or 0, 0.5, abs_tol=1e-9))
        assert (await one.client.get("/readyz")).text == "degraded\n"
        drift = (await one.client.get("/info")).json()["canary"]["drift"]
        assert math.isclose(drift, 0.5, abs_tol=1e-9)
        one.supervisor._canaries._canaries[0] = steady
        await until(lambda: one.supervisor.ready)
        answers = await asyncio.gather(*busy)
        assert {answer["counts"]["scored"] for answer in answers} == {16}
