"""Two replicas on Ray Serve and PostgreSQL: shared outcomes and calibrations, a kill under load, the spread
of an RL step, and what affinity is worth. Prints the figures of docs/ray.md."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import statistics
import threading
import time
from typing import Any

import pytest
from conftest import ROOT, Cluster
from swe_rm_client import AsyncClient, Item

WORDS = (ROOT / "docs/concepts.md").read_text().split()


def text(words: int, seed: object) -> str:
    draw = random.Random(str(seed))
    return " ".join(draw.choice(WORDS) for _ in range(words))


def chat(turns: int, words: int, seed: object) -> list[dict[str, str]]:
    said = [{"role": "user", "content": f"Issue {seed}: the sum is wrong."}]
    for turn in range(turns):
        said.append(
            {"role": "assistant", "content": f"Step {turn}: {text(words // 2, (seed, turn))}"}
        )
        said.append({"role": "user", "content": text(words // 2, (seed, turn, "seen"))})
    return said


def likely(result: dict[str, Any]) -> float:
    return 0.8 if result["logit"] > 1 else 0.2


def score(
    cluster: Cluster, session: str, items: list[dict[str, Any]], **more: Any
) -> dict[str, Any]:
    body = {"trajectories": items, **more}
    answer = cluster.http.post("/score", json=body, headers={"x-session-id": session})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_more_than_one_replica_needs_postgresql_and_keys() -> None:
    from app.errors import StartError
    from deploy.ray.app import build

    with pytest.raises(StartError, match="PostgreSQL"):
        build({"replicas": "2", "engine": "fake", "allow_anonymous": "true"})
    with pytest.raises(StartError, match="keys"):
        build({"engine": "fake"})
    build({"engine": "fake", "allow_anonymous": "true"})


def test_an_outcome_told_to_one_labels_a_score_of_the_other(cluster: Cluster) -> None:
    one, other = cluster.until_replicas().values()
    (result,) = score(cluster, one, [{"messages": chat(2, 40, "shared")}])["results"]
    time.sleep(0.5)  # scores are written behind the answer
    told = {"score_id": result["score_id"], "resolved": True, "evidence": "tests"}
    answer = cluster.http.post(
        "/outcomes", json={"outcomes": [told]}, headers={"x-session-id": other}
    )
    assert answer.json()["results"] == [{"index": 0, "status": "recorded", "matched": 1}]
    seen = cluster.http.get(f"/scores/{result['score_id']}", headers={"x-session-id": one}).json()
    assert [each["resolved"] for each in seen["outcomes"]] == [True]


async def test_streams_pages_and_big_bodies_pass_the_proxy(cluster: Cluster) -> None:
    items = [Item(messages=chat(2, 40, f"stream {n}"), id=str(n)) for n in range(8)]
    async with AsyncClient(cluster.url, cluster.key) as client:
        found = {result.id async for result in client.stream(items)}
    assert found == {item.id for item in items}
    assert "text/html" in cluster.http.get("/ui").headers["content-type"]
    big = {"messages": chat(1, 40, "big"), "patch": "+ line of a patch\n" * 600_000}
    answer = cluster.http.post("/score", json={"trajectories": [big], "on_overflow": "elide"})
    assert answer.status_code == 200
    assert answer.json()["results"][0]["error"]["code"] == "too_long"
    stranger = {"authorization": "Bearer nobody"}
    assert cluster.http.get("/info", headers=stranger).status_code == 401


def test_all_adopt_a_calibration_within_five_seconds(cluster: Cluster) -> None:
    one, other = cluster.until_replicas().values()
    draw = random.Random(1)
    items = [
        {"messages": chat(1, 30, f"labelled {n}"), "instance_id": f"task-{n}"} for n in range(120)
    ]
    results = score(cluster, one, items)["results"]
    time.sleep(0.5)
    outcomes = [
        {"score_id": r["score_id"], "resolved": draw.random() < likely(r), "evidence": "tests"}
        for r in results
    ]
    cluster.http.post("/outcomes", json={"outcomes": outcomes}).raise_for_status()
    how = {"window": "7d", "method": "platt", "activate": True}
    made = cluster.http.post("/calibrations", json=how, headers={"x-session-id": other})
    assert made.status_code == 200, made.text
    began = time.monotonic()
    active = cluster.http.get("/calibrations", headers={"x-session-id": other}).json()["active"]
    waits = {}
    for session in (one, other):
        while (
            active
            != (cluster.http.get("/info", headers={"x-session-id": session}).json()["calibration"])
        ):
            assert time.monotonic() - began < 5
            time.sleep(0.05)
        waits[session] = time.monotonic() - began
    assert active != "identity"
    print(f"\ncalibration adopted by the other replica after {max(waits.values()):.2f} s")


async def test_a_kill_under_load_loses_nothing(cluster: Cluster) -> None:
    """What the dead replica had is sent again; every item is scored, and as it would have been."""
    homes = cluster.until_replicas()
    victim = cluster.pid(next(iter(homes)))
    items = [Item(messages=chat(8, 500, f"kill {n}"), id=str(n)) for n in range(64)]
    timer = threading.Timer(1.5, os.kill, (victim, signal.SIGKILL))
    began = time.monotonic()
    async with AsyncClient(cluster.url, cluster.key) as client:
        timer.start()
        # Four items a request, so that many are under way.
        calls = [client.score(items[at : at + 4], timeout_s=300) for at in range(0, 64, 4)]
        answers = await asyncio.gather(*calls)
        took_s, retries = time.monotonic() - began, client.tally.retries
        results = [result for answer in answers for result in answer.results]
        again = await client.score(items[:16], timeout_s=300)
    timer.join()
    assert took_s > 1.5, "it ended before the kill"
    assert retries >= 1
    assert [each.id for each in results] == [each.id for each in items]
    by_id = {each.id: each for each in results}
    assert {r.id: (r.score_id, r.logit) for r in again.results} == {
        r.id: (by_id[r.id].score_id, by_id[r.id].logit) for r in again.results
    }
    back = time.monotonic()
    cluster.until_replicas()
    print(
        f"\nkilled one of two under 64 items: 64 scored in {took_s:.1f} s, {retries} requests sent again; "
        f"two replicas {time.monotonic() - back:.1f} s later"
    )


async def test_an_rl_step_is_spread_evenly(cluster: Cluster) -> None:
    """Groups of 8, log-normal lengths, one request a group, eight at a time."""
    cluster.until_replicas()
    draw = random.Random(7)
    items = []
    for group in range(32):
        for n in range(8):
            words = int(min(12_000, max(200, draw.lognormvariate(7.4, 0.8))))
            messages = chat(6, words // 6, f"step {group} {n}")
            items.append(Item(messages=messages, group=f"g{group}", group_size=8))
    before = cluster.busy_s()
    began = time.monotonic()
    async with AsyncClient(cluster.url, cluster.key) as client:
        answer = await client.score(items, timeout_s=600)
    took_s = time.monotonic() - began
    after = cluster.busy_s()
    work = sorted(after[pid] - before.get(pid, 0.0) for pid in after)[-2:]
    ideal_s = statistics.mean(work)
    tokens = [result.tokens.prompt for result in answer.results]
    print(
        f"\nRL step: {len(items)} items, {sum(tokens):,} tokens (median {statistics.median(tokens):.0f}, "
        f"longest {max(tokens)}); engines worked {work[0]:.1f} and {work[1]:.1f} s: "
        f"spread {work[1] / ideal_s:.3f} of ideal; {took_s:.1f} s in all, {took_s / ideal_s:.2f} of ideal"
    )
    assert work[1] / ideal_s <= 1.15


def test_affinity_keeps_prefixes_together(cluster: Cluster) -> None:
    """Twenty growing rollouts of six looks each, in turn; with sessions and without."""
    cluster.until_replicas()
    shares = {}
    for name in ("with", "without"):
        cached = prompt = 0
        for turn in range(1, 7):
            for rollout in range(20):
                headers = {"x-session-id": f"r{rollout}"} if name == "with" else {}
                item = {"messages": chat(turn, 240, f"{name} {rollout}")}
                answer = cluster.http.post("/score", json={"trajectories": [item]}, headers=headers)
                tokens = answer.json()["results"][0]["tokens"]
                cached, prompt = cached + tokens["cached"], prompt + tokens["prompt"]
        shares[name] = cached / prompt
    print(
        f"\nprefix-hit share of growing rollouts: {shares['with']:.2f} with sessions, "
        f"{shares['without']:.2f} without"
    )
    assert shares["with"] > shares["without"]


async def test_an_update_under_load_loses_nothing(cluster: Cluster) -> None:
    """Two replicas of the next kind take over; those that leave finish what they had."""
    before = set(cluster.until_replicas())
    items = [Item(messages=chat(8, 500, f"update {n}"), id=str(n)) for n in range(160)]
    began = time.monotonic()
    async with AsyncClient(cluster.url, cluster.key) as client:
        calls = [client.score(items[at : at + 4], timeout_s=600) for at in range(0, 160, 4)]
        scoring = asyncio.gather(*calls)
        await asyncio.sleep(1)
        await asyncio.to_thread(cluster.deploy, memo_ttl_s=7200)
        results = [result for answer in await scoring for result in answer.results]
        took_s, retries = time.monotonic() - began, client.tally.retries
    assert [each.id for each in results] == [each.id for each in items]
    assert all(each.probability is not None for each in results)
    assert not before & set(await asyncio.to_thread(cluster.until_replicas))
    assert retries == 0
    print(f"\nupdate under 160 items: all scored in {took_s:.1f} s, {retries} requests sent again")


async def test_a_backlog_brings_another_replica(cluster: Cluster) -> None:
    for most in (1, 2):  # in two steps, for a change of bounds alone keeps the replicas that run
        changed = {"replicas": 1, "max_replicas": most, "target_backlog_s": 1, "memo_ttl_s": 7300}
        await asyncio.to_thread(cluster.deploy, **changed)
        await asyncio.to_thread(cluster.until_replicas, 1)
    items = [Item(messages=chat(8, 500, f"scale {n}"), id=str(n)) for n in range(160)]
    began = time.monotonic()
    async with AsyncClient(cluster.url, cluster.key) as client:
        scoring = asyncio.create_task(client.score(items, timeout_s=600))
        await asyncio.to_thread(cluster.until_replicas, 2)
        print(f"\na second replica {time.monotonic() - began:.1f} s after the first work")
        assert not scoring.done()
        await scoring
