"""Outcomes, scores looked up and rewards made later, on the wire."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from houses import STREAM, Built, ask, check_problem, item, keeping, lines, opened, strict
from sqlalchemy import text
from stores import sqlite_url
from swe_rm_client import AsyncClient, Failed, Rewarded

from app.api import create_app
from app.api.feedback import Feedback
from app.errors import StoreFull, StoreUnavailable
from app.outcomes import Report
from app.schema import ScoreAnswer
from app.schema.feedback import OutcomesAnswer, QualityAnswer, RewardsAnswer, ScoreRecord

Kept = tuple[Built, Feedback, httpx.AsyncClient]


@asynccontextmanager
async def a_house(folder: Path, **how: Any) -> AsyncIterator[Kept]:
    with opened() as built:
        async with keeping(built, sqlite_url(folder), **how) as feedback, ask(built) as client:
            yield built, feedback, client


@pytest_asyncio.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Kept]:
    async with a_house(tmp_path) as found:
        yield found


async def score(client: httpx.AsyncClient, *items: Any, **options: Any) -> list[dict[str, Any]]:
    answer = await client.post("/score", json={"trajectories": list(items), **options})
    assert answer.status_code == 200, answer.text
    ScoreAnswer.model_validate(answer.json())
    return list(answer.json()["results"])


async def tell(client: httpx.AsyncClient, *told: Any, key: str | None = None) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key is not None else {}
    return await client.post("/outcomes", json={"outcomes": list(told)}, headers=headers)


def told(score_id: str, resolved: bool = True, **over: Any) -> dict[str, Any]:
    return {"score_id": score_id, "resolved": resolved, "evidence": "tests"} | over


async def test_an_outcome_comes_back(kept: Kept) -> None:
    _, _, client = kept
    one, two = await score(
        client, item(word="a", tags={"policy": "p", "run": "r"}, group="g"), item(word="b")
    )
    sent = [told(one["score_id"]), told("nope"),
            {"trajectory_digest": two["trajectory_digest"], "resolved": False, "evidence": "human",
             "selected": True, "observed_at": "2026-11-20T10:00:00+00:00"}]  # fmt: skip
    first = await tell(client, *sent, key="k")
    OutcomesAnswer.model_validate(strict(first.content))
    assert first.json() == {
        "object": "outcome.list",
        "results": [
            {"index": 0, "status": "recorded", "matched": 1},
            {"index": 1, "status": "unknown_score", "matched": 0},
            {"index": 2, "status": "recorded", "matched": 1},
        ],
    }
    assert (await tell(client, *sent, key="k")).content == first.content
    again = (await tell(client, *sent, key="k2")).json()["results"]
    assert [each["status"] for each in again] == ["duplicate", "unknown_score", "duplicate"]
    check_problem(await tell(client, sent[0], key="k"), 422, "idempotency_mismatch")
    page = (await client.get("/metrics")).text
    assert 'swe_rm_quality_outcomes_total{evidence="tests",status="recorded"} 1.0' in page
    assert 'swe_rm_quality_outcomes_total{evidence="tests",status="duplicate"} 1.0' in page


async def test_a_score_is_found_with_all_that_was_told(kept: Kept) -> None:
    _, _, client = kept
    (one,) = await score(client, item(tags={"policy": "p"}, instance_id="a__b-1", group="g"))
    await tell(client, told(one["score_id"]), told(one["score_id"], False, evidence="human"))
    found = strict((await client.get(f"/scores/{one['score_id']}")).content)
    ScoreRecord.model_validate(found)
    same = ("score_id", "trajectory_digest", "probability", "logit", "model", "calibration")
    assert {name: found[name] for name in same} == {name: one[name] for name in same}
    assert (found["tags"], found["instance_id"], found["group"]) == ({"policy": "p"}, "a__b-1", "g")
    assert [each["quarantine"] for each in found["outcomes"]] == [None, "contradicts_tests"]
    assert "document" not in found
    check_problem(await client.get("/scores/nope"), 404, "not_found")


async def test_what_was_first_answered_stands(kept: Kept) -> None:
    _, _, client = kept
    (one,) = await score(client, item())
    (two,) = await score(client, item(), calibration="t-platt")
    assert one["score_id"] == two["score_id"]
    found = (await client.get(f"/scores/{one['score_id']}")).json()
    assert (found["calibration"], found["probability"]) == ("identity", one["probability"])


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "invalid"), ({"outcomes": []}, 400, "invalid"), ([], 400, "invalid"),
        ({"outcomes": [told("a", evidence="rumour")]}, 400, "invalid"),
        ({"outcomes": [told("a", resolved=1)]}, 400, "invalid"),
        ({"outcomes": [told("a", more=1)]}, 400, "invalid"),
        ({"outcomes": [told("a", trajectory_digest="b")]}, 400, "invalid"),
        ({"outcomes": [{"resolved": True, "evidence": "tests"}]}, 400, "invalid"),
        ({"outcomes": [told("a", observed_at="yesterday")]}, 400, "invalid"),
        ({"outcomes": [told("a", observed_at="2026-01-01T00:00:00")]}, 400, "invalid"),
        ({"outcomes": [told("a" * 257)]}, 400, "invalid"),
        ({"outcomes": [told("a\ud800")]}, 400, "invalid"),
        ({"outcomes": [told("a")] * 10_001}, 413, "too_many_items"),
    ],
)  # fmt: skip
async def test_bad_outcomes_are_refused_whole(
    kept: Kept, body: Any, status: int, code: str
) -> None:
    answer = await kept[2].post("/outcomes", content=json.dumps(body))
    check_problem(answer, status, code)


@pytest.mark.parametrize("key", ["", "x" * 257, "a\tb"])
async def test_bad_idempotency_keys(kept: Kept, key: str) -> None:
    check_problem(await tell(kept[2], told("a"), key=key), 400, "invalid")


async def test_10_000_outcomes_on_the_wire(kept: Kept) -> None:
    _, _, client = kept
    (one,) = await score(client, item())
    answer = await tell(client, *[told(one["score_id"], n % 2 == 0) for n in range(10_000)])
    assert answer.status_code == 200, answer.text[:300]
    assert {each["status"] for each in answer.json()["results"]} == {"recorded"}


async def test_equal_keys_at_once(kept: Kept) -> None:
    _, feedback, client = kept
    (one,) = await score(client, item())
    found = await asyncio.gather(*(tell(client, told(one["score_id"]), key="k") for _ in range(16)))
    assert {each.status_code for each in found} <= {200, 409}
    assert len({each.content for each in found if each.status_code == 200}) == 1
    assert {each.json()["code"] for each in found if each.status_code == 409} <= {
        "idempotency_in_progress"
    }
    async with feedback.store.database.reading() as connection:
        rows = await connection.execute(text("select count(*) from outcomes"))
        assert rows.scalar_one() == 1


async def test_executions_become_outcomes(kept: Kept) -> None:
    _, _, client = kept
    items = [item(word=word, execution={"outcome": word}) for word in ("resolved", "unfinished")]
    items += [item(word="none"), {"bad": 1}]
    body = {"trajectories": items, "record_execution": True}
    answer = (await client.post("/score", json=body)).json()
    assert answer["execution"] == {"recorded": 2}
    kept_outcomes = [
        (await client.get(f"/scores/{each['score_id']}")).json()["outcomes"]
        for each in answer["results"][:3]
    ]
    assert [[o["resolved"] for o in each] for each in kept_outcomes] == [[True], [False], []]
    streamed = await client.post("/score", json=body, headers=STREAM)
    assert lines(streamed.text)[-1]["execution"] == {"duplicate": 2}


async def test_rewards_later_are_those_of_then(kept: Kept) -> None:
    _, _, client = kept
    policy = {"mode": "hybrid", "resolved": 2.0}
    done = {"outcome": "resolved"}
    then = await score(
        client, item(word="a", execution=done), item(word="b", execution=done), reward=policy
    )
    items = [{"score_id": each["score_id"], "execution": done} for each in then]
    items += [{"score_id": "nope", "execution": done}, {"score_id": then[0]["score_id"]}, 7]
    answer = await client.post("/rewards", json={"items": items, "reward": policy})
    found = RewardsAnswer.model_validate(strict(answer.content)).results
    for old, later in zip(then, found, strict=False):
        assert (later["status"], later["score_id"]) == ("scored", old["score_id"])
        assert (later["reward"], later["reward_parts"]) == (old["reward"], old["reward_parts"])
    codes = [each["error"]["code"] for each in found[2:]]
    assert codes == ["invalid", "no_execution", "invalid"]
    assert all("reward" not in each for each in found[2:])
    for bad in ({"items": []}, {"items": items, "reward": {"mode": "no"}}, {"items": 7}):
        check_problem(await client.post("/rewards", json=bad), 400, "invalid")
    many = {"items": [items[0]] * 257}
    check_problem(await client.post("/rewards", json=many), 413, "too_many_items")


async def test_our_own_client_speaks_it(kept: Kept) -> None:
    built, _, _ = kept
    transport = httpx.ASGITransport(create_app(built.house))
    async with AsyncClient("http://house", transport=transport) as client:
        answer = await client.score([{"messages": item()["messages"]}])
        (one,) = [each.score_id for each in answer.results]
        (record,) = await client.outcomes([told(one)])
        assert (record.status, record.matched) == ("recorded", 1)
        made = await client.rewards(
            [{"score_id": one, "execution": {"outcome": "resolved"}}, {"score_id": "nope"}],
            reward={"mode": "hybrid"},
        )
        assert isinstance(made[0], Rewarded)
        assert made[0].reward > 1
        assert isinstance(made[1], Failed)


async def test_a_store_that_fails_never_hurts_scoring(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, feedback, client = kept
    (one,) = await score(client, item())
    await feedback.store.recorder.flush()
    for error, status in ((StoreFull("full"), 507), (StoreUnavailable("gone"), 503)):

        async def failing(_: Any, error: Exception = error) -> None:
            raise error

        with monkeypatch.context() as broken:
            broken.setattr(feedback.store.recorder, "_write", failing)
            body = {"trajectories": [item(word=error.code, execution={"outcome": "resolved"})],
                    "record_execution": True}  # fmt: skip
            answer = (await client.post("/score", json=body)).json()
            assert answer["results"][0]["status"] == "scored"
            assert answer["execution"] == {error.code: 1}
            check_problem(await tell(client, told(one["score_id"])), status, error.code)
            page = (await client.get("/metrics")).text
            assert "swe_rm_store_waiting_scores 1.0" in page
        later = answer["results"][0]["score_id"]
        assert (await client.get(f"/scores/{later}")).status_code == 200


async def test_texts_are_kept_only_where_asked_for(tmp_path: Path) -> None:
    for wanted in (False, True):
        folder = tmp_path / str(wanted)
        folder.mkdir()
        async with a_house(folder, keeps_documents=wanted) as (_, feedback, client):
            await score(client, item(word="zxmarkerzx"), {"bad": 1})
            await feedback.store.recorder.flush()
        raw = b"".join(file.read_bytes() for file in folder.iterdir())
        assert (b"zxmarkerzx" in raw) is wanted


async def test_scores_are_recorded_only_where_asked_for(tmp_path: Path) -> None:
    async with a_house(tmp_path, records=False) as (_, _, client):
        (one,) = await score(client, item())
        found = (await tell(client, told(one["score_id"]))).json()["results"]
        assert [each["status"] for each in found] == ["unknown_score"]


async def test_rerank_and_dialects_are_recorded_too(kept: Kept) -> None:
    _, feedback, client = kept
    ranked = (await client.post("/rerank", json={"candidates": [item(word="r")]})).json()
    assert (await client.get(f"/scores/{ranked['results'][0]['score_id']}")).status_code == 200
    body = {"query": ["<|im_start|>user\nfix<|im_end|>\n<|im_start|>assistant\ndone<|im_end|>\n"]}
    assert (await client.post("/get_reward", json=body)).status_code == 200
    await feedback.store.recorder.flush()
    assert feedback.store.counts.written == 2


async def test_a_house_without_a_store_says_so() -> None:
    with opened() as built:
        async with ask(built) as client:
            asked = [
                client.post("/outcomes", json={"outcomes": [told("a")]}),
                client.post("/rewards", json={"items": [{"score_id": "a"}]}),
                client.get("/scores/a"), client.get("/quality"), client.get("/calibrations"),
                client.post("/calibrations", json={}), client.post("/receipts/verify", json={}),
                client.put("/calibrations/active", json={}),
            ]  # fmt: skip
            for answer in await asyncio.gather(*asked):
                check_problem(answer, 404, "not_found")
            features = (await client.get("/info")).json()["features"]
            assert "outcomes" not in features
            body = {"trajectories": [item()], "record_execution": True}
            check_problem(await client.post("/score", json=body), 400, "invalid")


async def test_features_are_told(kept: Kept) -> None:
    info = (await kept[2].get("/info")).json()
    assert {"outcomes", "quality", "calibrations", "record_execution"} <= set(info["features"])
    assert "receipts" not in info["features"]
    assert info["limits"]["max_outcomes"] == 10_000


async def labelled(client: httpx.AsyncClient, count: int, **over: Any) -> list[dict[str, Any]]:
    """Scores of `count` items, labelled by whether the verifier leant towards yes."""
    found = await score(client, *(item(word=f"w{n}", **over) for n in range(count)))
    await tell(client, *(told(r["score_id"], r["logit"] > 0.3) for r in found))
    return found


async def test_quality_needs_enough_labels(kept: Kept) -> None:
    _, _, client = kept
    found = await labelled(client, 29, tags={"policy": "p"})
    answer = strict((await client.get("/quality?by=policy")).content)
    QualityAnswer.model_validate(answer)
    (only,) = answer["slices"]
    assert (only["n"], only["enough"], only["value"]) == (29, False, "p")
    assert not {"auc", "ece", "brier", "log_loss", "reliability", "ece_equal_mass"} & set(only)
    await score(client, *(item(word=f"more{n}", tags={"policy": "p"}) for n in range(11)))
    await tell(client, told(found[0]["score_id"], found[0]["logit"] > 0.3))
    (only,) = (await client.get("/quality?by=policy")).json()["slices"]
    assert (only["n"], only["scored"], only["label_coverage"]) == (29, 40, 29 / 40)
    assert only["enough"] is False


async def test_quality_of_enough_labels(kept: Kept) -> None:
    _, feedback, client = kept
    found = await labelled(client, 60, tags={"policy": "p", "source": "s"})
    positives = sum(r["logit"] > 0.3 for r in found)
    for by, value in (("policy", "p"), ("source", "s"), ("model", "swe-rm-nano"),
                      ("calibration", "identity")):  # fmt: skip
        answer = strict((await client.get(f"/quality?by={by}&window=1d")).content)
        (only,) = answer["slices"]
        assert (only["value"], only["n"], only["positives"]) == (value, 60, positives)
        assert only["enough"] is True
        assert only["auc"]["value"] == 1.0
        assert set(only["ece"]) == {"value", "low", "high", "floor"}
        assert 0 <= only["brier"] <= 1
        assert sum(each["n"] for each in only["reliability"]) == 60
    await feedback.live.refresh()
    page = (await client.get("/metrics")).text
    assert 'swe_rm_quality_auc{by="model",value="swe-rm-nano"} 1.0' in page
    assert 'swe_rm_quality_ece_ratio{by="policy",value="other"}' in page
    for query in ("by=nonsense", "window=1y", "window=0d", "window=9999d", "window="):
        check_problem(await client.get(f"/quality?{query}"), 400, "invalid")


async def test_what_two_keys_dispute_is_counted_apart(kept: Kept) -> None:
    _, feedback, client = kept
    first, *_ = await labelled(client, 60)
    (mine,) = (await feedback.store.find([first["score_id"]], "local")).values()
    feedback.store.put(replace(mine, score_id="theirs", key_id="other"))
    contrary = Report(not first["logit"] > 0.3, "tests", "theirs")
    await feedback.store.record([contrary], "other")
    answer = strict((await client.get("/quality")).content)
    assert (answer["disputed"], answer["slices"][0]["n"]) == (1, 59)
    await feedback.live.refresh()
    assert "swe_rm_quality_disputed_trajectories 1.0" in (await client.get("/metrics")).text


async def test_rm_at_k_of_instances_with_several_candidates(kept: Kept) -> None:
    """The score orders these labels without fault, so picking is as good as knowing."""
    _, _, client = kept
    items = [item(word=f"w{n}", instance_id=f"task-{n % 15}") for n in range(60)]
    found = await score(client, *items)
    await tell(client, *(told(r["score_id"], r["logit"] > 0.3) for r in found))
    answer = strict((await client.get("/quality")).content)
    (only,) = answer["slices"]
    assert [point["k"] for point in only["rm_at_k"]] == [1, 2, 3, 4]
    assert {point["instances"] for point in only["rm_at_k"]} == {15}
    for point in only["rm_at_k"]:
        assert point["picked"] == point["oracle"]
        assert point["random"]["value"] == pytest.approx(only["positives"] / 60)
    assert answer["drift"] is None  # identity was fitted on nothing


async def test_no_rm_at_k_without_instances(kept: Kept) -> None:
    _, _, client = kept
    await labelled(client, 60)
    (only,) = strict((await client.get("/quality")).content)["slices"]
    assert only["enough"] is True
    assert only["rm_at_k"] is None


async def test_selected_candidates_and_single_classes_make_no_number(kept: Kept) -> None:
    _, _, client = kept
    found = await score(client, *(item(word=f"w{n}") for n in range(80)))
    await tell(client, *(told(r["score_id"], selected=True) for r in found[:40]))
    await tell(client, *(told(r["score_id"]) for r in found[40:]))
    (only,) = (await client.get("/quality")).json()["slices"]
    assert (only["n"], only["positives"], only["enough"]) == (40, 40, False)


async def test_metric_labels_cannot_explode(tmp_path: Path) -> None:
    async with a_house(tmp_path, named=frozenset({"known"})) as (_, feedback, _):
        live = feedback.live
        named = [live.label("policy", each) for each in ("known", "x1", "x2", None)]
        assert named == ["known", "other", "other", "none"]
