"""What the Ray deployment decides by itself, without Ray: who gets a request, how many replicas, what
stands in for a dead one's answer. `make test-ray` runs the whole on Ray Serve."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
import yaml
from documents import ROOT
from hypothesis import given
from hypothesis import strategies as st

from app.config import Settings
from deploy.ray.loads import BOUND, LAG_S, UNKNOWN_PACE, Asked, Loads
from deploy.ray.proxy import AnswersForTheDead
from deploy.ray.scaling import wanted

NAMES = ["a", "b", "c"]


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def loads(**backlog_s: float) -> tuple[Loads, Clock]:
    clock = Clock()
    found = Loads(clock)
    found.keep(backlog_s)
    for name, wait_s in backlog_s.items():
        told = {"at": clock.now, "backlog_s": {"rollout": wait_s}, "tokens_per_s": 1000.0}
        found.report(name, told)
    return found, clock


def test_the_least_backlog_comes_first() -> None:
    found, _ = loads(a=30, b=10, c=20)
    assert found.order(NAMES, Asked()) == ["b", "c", "a"]


def test_what_was_sent_counts_until_it_is_finished() -> None:
    found, _ = loads(a=1.0, b=0.0)
    found.sent("r1", "b", 5_000)
    assert found.order(["a", "b"], Asked()) == ["a", "b"]
    found.finished("r1")
    assert found.order(["a", "b"], Asked()) == ["b", "a"]


def test_time_works_off_and_never_below_nothing() -> None:
    found, clock = loads(a=3, b=20)
    clock.now += 10
    assert found.seconds("rollout") == {"a": 0.0, "b": 10.0}


def test_a_report_takes_the_place_of_what_it_has_seen() -> None:
    found, clock = loads(a=0)
    found.sent("old", "a", 2_000)
    clock.now += 2 * LAG_S
    found.sent("young", "a", 3_000)
    told = {"at": clock.now, "backlog_s": {"rollout": 2.0}, "tokens_per_s": 1000.0}
    found.report("a", told)
    assert found.seconds("rollout") == {"a": 5.0}
    found.report("a", told | {"at": clock.now - 1, "backlog_s": {"rollout": 99.0}})  # late
    assert found.seconds("rollout") == {"a": 5.0}


def test_a_replica_that_told_nothing_is_judged_by_what_was_sent() -> None:
    found = Loads(Clock())
    found.keep(["a", "b"])
    found.report("a", {})
    found.sent("r", "a", UNKNOWN_PACE)
    assert found.seconds("rollout") == {"a": 1.0, "b": 0.0}


def test_a_session_stays_at_home_up_to_the_bound() -> None:
    for extra, home in ((BOUND, "a"), (BOUND + 0.1, "b")):
        found, _ = loads(a=0, b=1)
        asked = Asked(session="s")
        assert found.order(["a", "b"], asked)[0] == "a"
        found, clock = found, found._clock
        # a: x, b: y with x / mean = extra
        told = {"at": clock() + 1, "tokens_per_s": 1000.0}
        found.report("a", told | {"backlog_s": {"rollout": extra * 100}})
        found.report("b", told | {"backlog_s": {"rollout": (2 - extra) * 100}})
        assert found.order(["a", "b"], asked)[0] == home
        assert found.order(["a", "b"], asked)[0] == home  # a session that moved has a home there


def test_a_short_wait_is_cheaper_than_a_lost_prefix() -> None:
    found, _ = loads(a=0, b=1)
    assert found.order(["a", "b"], Asked(session="s"))[0] == "a"
    found.sent("other", "a", 5_000)  # five seconds; a mean of three
    assert found.order(["a", "b"], Asked(session="s", tokens=6_000))[0] == "a"
    assert found.order(["a", "b"], Asked(session="s", tokens=1_000))[0] == "b"


def test_a_home_that_is_gone_is_forgotten() -> None:
    found, _ = loads(a=0, b=1)
    assert found.order(["a", "b"], Asked(session="s"))[0] == "a"
    found.keep(["b"])
    assert found.order(["b"], Asked(session="s")) == ["b"]


@given(st.lists(st.floats(100, 50_000), min_size=20, max_size=80))
def test_a_burst_is_spread_before_any_report(sizes: list[float]) -> None:
    found = Loads(Clock())
    found.keep(NAMES)
    for number, tokens in enumerate(sizes):
        found.sent(str(number), found.order(NAMES, Asked(tokens=tokens))[0], tokens)
    work = found.seconds("rollout").values()
    assert max(work) - min(work) <= max(sizes) / UNKNOWN_PACE + 1e-6


@pytest.mark.parametrize(
    ("backlogs", "running", "count"),
    [([], 3, 3), ([0, 0], 2, 1), ([100, 20], 2, 1), ([100, 21], 2, 2), ([900, 900], 2, 8)],
)
def test_as_many_replicas_as_the_backlog_wants(
    backlogs: list[float], running: int, count: int
) -> None:
    assert wanted(backlogs, 120, running, (1, 8)) == count


async def ask(app: Any) -> httpx.Response:
    transport = httpx.ASGITransport(AnswersForTheDead(app), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://proxy") as client:
        return await client.post("/score", content=b"{}")


async def test_a_dead_replica_is_answered_for() -> None:
    async def silent(scope: Any, receive: Any, send: Any) -> None:
        await receive()

    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError

    for app in (silent, broken):
        answer = await ask(app)
        assert answer.status_code == 503
        assert answer.headers["x-should-retry"] == "true"
        assert int(answer.headers["retry-after"]) >= 1
        assert json.loads(answer.text)["code"] == "engine_restarting"


async def test_a_living_one_answers_for_itself() -> None:
    async def well(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    assert (await ask(well)).status_code == 204


def test_the_file_for_a_cluster_names_settings_that_exist() -> None:
    config = yaml.safe_load((ROOT / "deploy/ray/serve.yaml").read_text())
    (application,) = config["applications"]
    own = {"replicas", "max_replicas", "gpus", "target_backlog_s"}
    assert set(application["args"]) - own <= set(Settings.model_fields)
    assert application["args"]["store_url"].startswith("postgresql://")
    assert application["args"]["keys"]
