"""Calibrations come and go while the server scores: fitted, judged, switched, adopted, rolled back."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from houses import Built, ask, check_problem, item, keeping, opened, strict
from stores import Clock, sqlite_url

from app.api.feedback import Feedback
from app.api.feedback.fitting import fit
from app.api.feedback.follower import Follower
from app.calibration import sigmoid
from app.engine.fake import FakeEngine
from app.errors import CalibrationRefused
from app.outcomes import Labelled

Kept = tuple[Built, Feedback, httpx.AsyncClient]
PLATT = {"id": "c-platt", "method": "platt", "parameters": {"slope": 0.5, "intercept": 1.0}}


@pytest_asyncio.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Kept]:
    with opened() as built:
        async with keeping(built, sqlite_url(tmp_path)) as feedback, ask(built) as client:
            yield built, feedback, client


async def score(client: httpx.AsyncClient, *items: Any, **options: Any) -> list[dict[str, Any]]:
    answer = await client.post("/score", json={"trajectories": list(items), **options})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["results"])


async def label(client: httpx.AsyncClient, count: int, slope: float, **over: Any) -> None:
    """Scores `count` items and labels them by chance, as sigmoid(slope · logit + 1) says."""
    chance = random.Random(7)
    found = await score(client, *(item(word=f"{slope}-{n}", **over) for n in range(count)))
    outcomes = [
        {"score_id": r["score_id"], "evidence": "tests",
         "resolved": chance.random() < sigmoid(slope * r["logit"] + 1)}
        for r in found
    ]  # fmt: skip
    assert (await client.post("/outcomes", json={"outcomes": outcomes})).status_code == 200


async def test_from_labels_to_an_active_calibration_and_back(kept: Kept) -> None:
    _, _, client = kept
    await label(client, 250, 0.3)
    answer = await client.post("/calibrations", json={"window": "1d", "method": "platt"})
    made = strict(answer.content)
    assert answer.status_code == 200, made
    assert made["active"] is False
    assert made["report"]["after"]["log_loss"] < made["report"]["before"]["log_loss"]
    assert made["report"]["n"] == 250
    assert (await score(client, item()))[0]["calibration"] == "identity"
    named = (await score(client, item(), calibration=made["id"]))[0]
    assert named["calibration"] == made["id"]

    switch = {"id": made["id"], "expected_generation": 0}
    assert (await client.put("/calibrations/active", json=switch)).json()["generation"] == 1
    assert (await score(client, item()))[0]["probability"] == named["probability"]
    assert (await client.get("/info")).json()["calibration"] == made["id"]
    check_problem(await client.put("/calibrations/active", json=switch), 409, "generation_conflict")

    back = {"id": "identity", "expected_generation": 1}
    assert (await client.put("/calibrations/active", json=back)).status_code == 200
    assert (await score(client, item()))[0]["calibration"] == "identity"
    known = strict((await client.get("/calibrations")).content)
    assert (known["active"], known["generation"]) == ("identity", 2)
    assert [each["id"] for each in known["history"]] == ["identity", made["id"]]
    assert {each["id"] for each in known["calibrations"]} == {"identity", "t-platt", made["id"]}


async def test_it_may_be_active_at_once(kept: Kept) -> None:
    _, feedback, client = kept
    await label(client, 250, 0.3)
    made = (
        await client.post("/calibrations", json={"activate": True, "method": "temperature"})
    ).json()
    assert (made["active"], made["generation"]) == (True, 1)
    assert (await score(client, item()))[0]["calibration"] == made["id"]
    drift = await feedback.live.drift()
    assert drift is not None
    assert drift.psi < 0.1
    shown = strict((await client.get("/quality")).content)["drift"]
    assert set(shown) == {"calibration", "psi", "floor", "n", "name"}
    assert (shown["calibration"], shown["name"]) == (made["id"], "stable")
    assert shown["psi"] < 0.1
    await feedback.live.refresh()
    page = (await client.get("/metrics")).text
    assert f'swe_rm_quality_drift_psi{{calibration="{made["id"]}"}}' in page


async def test_drift_is_told_of_a_calibration_of_the_models_own(tmp_path: Path) -> None:
    own = PLATT | {"logits": {"edges": [100.0], "counts": [1, 99]}}
    with opened(calibrations=(own,), active="c-platt") as built:
        async with keeping(built, sqlite_url(tmp_path)) as feedback, ask(built) as client:
            await score(client, *(item(word=f"w-{n}") for n in range(29)))
            assert await feedback.live.drift() is None
            await score(client, item(word="the thirtieth"))
            await feedback.store.recorder.flush()
            shown = strict((await client.get("/quality")).content)["drift"]
    assert (shown["calibration"], shown["name"], shown["n"]) == ("c-platt", "large", 30)


async def test_a_policy_with_labels_enough_has_its_own(kept: Kept) -> None:
    _, _, client = kept
    await label(client, 250, 0.3, tags={"policy": "a"})
    await label(client, 250, 1.5, tags={"policy": "b"})
    await label(client, 20, 0.5, tags={"policy": "rare"})
    asked = {"by": "policy", "method": "platt", "activate": True}
    made = (await client.post("/calibrations", json=asked)).json()
    assert made["active"] is True, made
    policies = ("a", "b", "rare", None)
    tags = [{"tags": {"policy": p}} if p else {} for p in policies]
    found = await score(client, *(item(word="same", **each) for each in tags))
    assert {each["calibration"] for each in found} == {made["id"]}
    assert found[2]["probability"] == found[3]["probability"]  # one rare, one none: that of all
    assert len({each["probability"] for each in found}) == 3
    identity = await score(client, item(tags={"policy": "a"}), calibration="identity")
    assert identity[0]["calibration"] == "identity"


async def test_too_few_labels_are_refused(kept: Kept) -> None:
    _, _, client = kept
    check_problem(await client.post("/calibrations", json={}), 409, "calibration_refused")
    await label(client, 29, 0.3)
    check_problem(await client.post("/calibrations", json={}), 409, "calibration_refused")
    for bad in ({"window": "x"}, {"method": "nonsense"}, {"by": "source"}, {"holdout": 0.01},
                {"evidence": []}, {"more": 1}):  # fmt: skip
        answer = await client.post("/calibrations", json=bad)
        assert answer.status_code in (400, 409), bad
    assert (await client.get("/calibrations")).json()["history"] == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [({"id": "nope", "expected_generation": 0}, 404, "calibration_not_found"),
     ({"id": "identity"}, 400, "invalid"),
     ({"id": "identity", "expected_generation": -1}, 400, "invalid"),
     ({"id": "identity", "expected_generation": 5}, 409, "generation_conflict")],
)  # fmt: skip
async def test_bad_switches(kept: Kept, body: Any, status: int, code: str) -> None:
    check_problem(await kept[2].put("/calibrations/active", json=body), status, code)


async def test_replicas_adopt_what_one_switches(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    with opened() as one, opened() as other:
        async with keeping(one, url) as mine, keeping(other, url) as theirs, ask(other) as client:
            revision = mine.follower.revision
            await mine.store.calibrations.add(revision, PLATT, {})
            await mine.store.calibrations.switch(revision, "c-platt", 0, "local")
            await theirs.follower.follow()
            assert (await score(client, item()))[0]["calibration"] == "c-platt"
            assert theirs.follower.generation == 1


async def test_a_replica_that_cannot_follow_is_not_ready(kept: Kept) -> None:
    built, feedback, client = kept
    clock = Clock()
    follower = Follower(feedback.store, built.house.scorer, clock)
    broken = {"id": "c-broken", "method": "of the future"}
    await feedback.store.calibrations.add(follower.revision, broken, {})
    await feedback.store.calibrations.switch(follower.revision, "c-broken", 0, "local")
    await follower.follow()
    assert follower.trouble is None
    clock.now += 6
    assert "c-broken" in str(follower.trouble)
    assert follower.generation == 0
    object.__setattr__(feedback, "follower", follower)
    assert (await client.get("/readyz")).status_code == 503
    assert (await score(client, item()))[0]["calibration"] == "identity"
    await feedback.store.calibrations.switch(follower.revision, "identity", 1, "local")


async def test_what_nobody_thought_of_does_not_end_the_following(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    built, feedback, _ = kept
    clock, asked = Clock(), asyncio.Event()

    async def count(revision: str) -> int:
        asked.set()
        raise ValueError(revision)

    monkeypatch.setattr(feedback.store.calibrations, "count", count)
    follower = Follower(feedback.store, built.house.scorer, clock)
    running = asyncio.create_task(follower.run())
    await asked.wait()
    await asyncio.sleep(0)
    assert not running.done()
    clock.now += 6
    assert "ValueError" in str(follower.trouble)
    running.cancel()
    monkeypatch.undo()
    await follower.follow()
    assert follower.trouble is None


async def test_what_nobody_thought_of_does_not_stop_the_gauges(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    built, feedback, _ = kept
    asked = asyncio.Event()

    async def broken() -> None:
        asked.set()
        raise ValueError

    monkeypatch.setattr(feedback.live, "refresh", broken)
    running = asyncio.create_task(feedback.live.run())
    await asked.wait()
    await asyncio.sleep(0)
    assert not running.done()
    running.cancel()
    value = built.house.metrics.registry.get_sample_value
    assert value("swe_rm_defects_total", {"where": "quality"}) == 1


async def test_a_request_never_mixes_two(tmp_path: Path) -> None:
    engine = FakeEngine(delay_s=0.05)
    with opened(engine=engine) as built:
        async with keeping(built, sqlite_url(tmp_path)) as feedback, ask(built) as client:
            follower = feedback.follower
            await feedback.store.calibrations.add(follower.revision, PLATT, {})
            running = asyncio.create_task(score(client, *(item(word=str(n)) for n in range(64))))
            await built.settle(lambda: engine.calls > 0)
            await feedback.store.calibrations.switch(follower.revision, "c-platt", 0, "local")
            await follower.follow()
            assert {each["calibration"] for each in await running} == {"identity"}
            assert (await score(client, item()))[0]["calibration"] == "c-platt"


def rows(count: int, slope: float, seed: int = 3) -> list[Labelled]:
    chance = random.Random(seed)
    found = []
    for n in range(count):
        logit = chance.uniform(-4, 4)
        found.append(
            Labelled(
                f"t{n}", None, "m", "r", "identity", None, None, logit, sigmoid(logit),
                chance.random() < sigmoid(slope * logit), "tests", False,
            )
        )  # fmt: skip
    return found


def test_what_would_make_things_worse_is_refused() -> None:
    labelled = rows(400, 1.0)
    fitted: dict[str, Any] = {"method": "platt", "by_policy": False, "holdout": 0.3, "facts": {}}
    oracle = {id(row): float(row.resolved) * 0.98 + 0.01 for row in labelled}
    with pytest.raises(CalibrationRefused, match="worse than what is served"):
        fit(labelled, lambda row: oracle[id(row)], **fitted)
    made = fit(labelled, lambda row: sigmoid(5 * row.logit + 3), **fitted)
    assert made.report["after"]["brier"] < made.report["before"]["brier"]
