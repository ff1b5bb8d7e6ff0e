"""POST /score: what becomes of items and of the options."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from houses import Built, ask, chat, check_problem, item, opened, strict

from app.admission import Limits as DoorLimits
from app.schema import ScoreAnswer

NUMBERS = {
    "probability",
    "raw_probability",
    "logit",
    "label_mass",
    "reward",
    "interval",
    "score_id",
}


@pytest.fixture
async def house() -> AsyncIterator[tuple[Built, httpx.AsyncClient]]:
    with opened() as built:
        async with ask(built) as client:
            yield built, client


async def score(
    client: httpx.AsyncClient, *items: object, headers: dict[str, str] | None = None, **options: Any
) -> dict[str, Any]:
    answer = await client.post(
        "/score", json={"trajectories": list(items)} | options, headers=headers
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    document: dict[str, Any] = strict(answer.content)
    ScoreAnswer.model_validate(document)
    return document


def failure(result: dict[str, Any], code: str) -> dict[str, Any]:
    """Holds a failed item to the contract: a code, and no number that could pass for a score."""
    assert result["status"] == "failed"
    assert result["error"]["code"] == code, result
    assert not NUMBERS & set(result)
    error: dict[str, Any] = result["error"]
    return error


async def test_a_scored_answer_says_everything(house: tuple[Built, httpx.AsyncClient]) -> None:
    built, client = house
    answer = await score(
        client, item(id="a", instance_id="task-1"), headers={"x-request-id": "run-7"}
    )
    assert answer["id"] == "score-run-7"
    assert answer["object"] == "score.list"
    assert answer["counts"] == {"scored": 1, "failed": 0, "retryable": 0}
    (one,) = answer["results"]
    assert (one["index"], one["id"], one["instance_id"]) == (0, "a", "task-1")
    assert one["calibration"] == "identity"
    assert one["probability"] == one["raw_probability"] == one["reward"]
    assert one["label_mass"] == pytest.approx(0.5)
    assert one["tokens"]["prompt"] == one["tokens"]["computed"] == answer["usage"]["prompt_tokens"]
    assert one["format"] == "openai-chat"
    assert one["model"] == answer["model"] == "swe-rm-nano"
    assert one["system_fingerprint"] == "fp_test"
    assert built.idle


async def test_ids_are_echoed_by_index(house: tuple[Built, httpx.AsyncClient]) -> None:
    _, client = house
    ids = ["é" * 256, "", None, "x\u0000y", "same", "same"]
    answer = await score(client, *(item(word=str(n), id=name) for n, name in enumerate(ids)))
    assert [r["id"] for r in answer["results"]] == ids
    assert [r["index"] for r in answer["results"]] == list(range(len(ids)))


async def test_an_invalid_item_still_has_its_id(house: tuple[Built, httpx.AsyncClient]) -> None:
    _, client = house
    bad = [item(id="a", instance_id="t", color="red"), item(id="x" * 257), item(id=5)]
    results = (await score(client, *bad, item(id="d")))["results"]
    assert [r["id"] for r in results] == ["a", None, None, "d"]
    assert results[0]["instance_id"] == "t"
    assert "color" in failure(results[0], "invalid")["message"]


BROKEN: list[tuple[str, dict[str, Any]]] = [
    ("invalid", item(color="red")),
    ("invalid", {}),
    ("invalid", item(prompt="x")),
    ("invalid", item(group_size=0)),
    ("invalid", item(group_size=True)),
    ("invalid", item(tags={str(n): "x" for n in range(9)})),
    ("invalid", {"prompt": "<|im_start|>"}),
    ("invalid", {"messages": [{"role": "wizard", "content": ""}]}),
    ("invalid", {"trajectory": [{"messages": chat()}, {"messages": chat()}]}),
    ("invalid", item(execution={"outcome": "great"})),
    ("empty", {"messages": [{"role": "user", "content": "only this"}]}),
    ("empty", {"trajectory": []}),
    ("unreadable", {"trajectory": '{"messages": ['}),
    ("unknown_format", {"trajectory": {"steps": 1}}),
    ("no_issue", {"messages": [{"role": "assistant", "content": "x"}]}),
    ("too_long", item(word="long words here " * 3000)),
]


@pytest.mark.parametrize(("code", "broken"), BROKEN)
async def test_a_broken_item_fails_alone(code: str, broken: dict[str, Any]) -> None:
    with opened(allowed_tokens=4000) as built:
        async with ask(built) as client:
            answer = await score(client, item(), broken, item(word="other"))
            first, second, third = answer["results"]
            error = failure(second, code)
            assert first["status"] == third["status"] == "scored"
            assert answer["counts"] == {"scored": 2, "failed": 1, "retryable": 0}
            assert not error["retryable"]
            assert error["message"]
            assert built.idle


@pytest.mark.parametrize(
    "fault", ["abort", "no_logprobs", "one_label_missing", "nan", "infinite", "crash"]
)
async def test_what_the_engine_does_wrong_is_no_score(fault: Any) -> None:
    with opened() as built:
        built.engine.fault = fault
        async with ask(built) as client:
            answer = await score(client, item())
            code = "engine_restarting" if fault == "crash" else "engine_failed"
            error = failure(answer["results"][0], code)
            assert error["retryable"]
            assert error["retry_after_s"] >= 1
            assert answer["counts"] == {"scored": 0, "failed": 1, "retryable": 1}
            assert answer["usage"]["total_tokens"] == 0


async def test_no_answer_draining_and_deadline() -> None:
    with opened(label_mass_floor=0.9) as built:
        async with ask(built) as client:
            error = failure((await score(client, item()))["results"][0], "no_answer")
            assert error["limits"]["allowed"] == 0.9
            built.engine.hung = True
            late = await score(client, item(), timeout_s=0.2)
            assert failure(late["results"][0], "deadline")["retryable"]
            waiting = asyncio.create_task(score(client, item()))
            await built.settle(lambda: built.engine.running_tokens > 0)
            await built.engine.close()
            failure((await waiting)["results"][0], "draining")
            assert built.idle


async def test_too_long_names_measured_and_allowed() -> None:
    with opened(door=DoorLimits(50, 1_000_000, 300), allowed_tokens=4000) as built:
        async with ask(built) as client:
            answer = await score(client, item(n=40), item(word="long words here " * 3000))
            budget, model = (failure(r, "too_long")["limits"] for r in answer["results"])
            assert budget["allowed"] == 50 < budget["measured"] < 4000
            assert model["allowed"] == 4000 < model["measured"]


async def test_a_request_is_refused_whole_when_the_house_is_full() -> None:
    with opened(door=DoorLimits(100_000, 100_000, 2)) as built:
        async with ask(built) as client:
            body = {"trajectories": [item(), item(), item()]}
            check_problem(await client.post("/score", json=body), 503, "overloaded")
            assert built.engine.calls == 0
            assert built.idle


async def test_calibrations(house: tuple[Built, httpx.AsyncClient]) -> None:
    _, client = house
    plain = (await score(client, item(), calibration="identity"))["results"][0]
    active = (await score(client, item()))["results"][0]
    platt = (await score(client, item(), calibration="t-platt"))["results"][0]
    raw = await score(client, item(), calibration="t-platt", reward={"score": "raw_probability"})
    assert plain["probability"] == active["probability"] != platt["probability"]
    assert platt["calibration"] == "t-platt"
    assert platt["logit"] == plain["logit"]
    assert raw["results"][0]["reward"] == plain["raw_probability"]
    assert platt["score_id"] == plain["score_id"]
    answer = await client.post("/score", json={"trajectories": [item()], "calibration": "moon"})
    assert "t-platt" in check_problem(answer, 404, "calibration_not_found")["detail"]


async def test_the_active_calibration_is_the_models() -> None:
    with opened(active="t-platt") as built:
        async with ask(built) as client:
            assert (await score(client, item()))["results"][0]["calibration"] == "t-platt"


async def test_models_by_name_and_revision(house: tuple[Built, httpx.AsyncClient]) -> None:
    built, client = house
    revision = built.house.scorer.model.identity.revision
    for name in ("swe-rm-nano", f"swe-rm-nano@{revision}"):
        assert (await score(client, item(), model=name))["results"][0]["revision"] == revision
    for name, status, code in (
        ("swe-rm-nano@sha256:00", 409, "revision_unavailable"),
        ("gpt", 404, "model_not_found"),
        ("", 404, "model_not_found"),
    ):
        answer = await client.post("/score", json={"trajectories": [item()], "model": name})
        assert check_problem(answer, status, code)["error"]["param"] == "model"


REFUSED: list[tuple[str, Any]] = [
    ("steps", "some"), ("steps", {"every": 0}), ("steps", {"turns": [-1]}),
    ("reward", {"mode": "best"}), ("reward", {"resolved": "1"}),
    ("group_stats", 1), ("record_execution", True), ("fail_on_flags", ["no such kind"]),
    ("timeout_s", 0), ("timeout_s", -1), ("timeout_s", 3600.1), ("timeout_s", "5"),
    ("timeout_s", True), ("timeout_s", 10**4000), ("on_overflow", "cut"), ("priority", "urgent"),
    ("memo", "maybe"), ("calibration", None), ("temperature", 0.5), ("logit_bias", {"1": 5}),
    ("model", 5), ("trajectories", 5), ("trajectories", {}), ("trajectories", []),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), REFUSED)
async def test_what_is_not_offered_is_refused_by_name(
    house: tuple[Built, httpx.AsyncClient], name: str, value: Any
) -> None:
    built, client = house
    answer = await client.post("/score", json={"trajectories": [item()]} | {name: value})
    document = check_problem(answer, 400, "invalid")
    assert document["detail"].startswith(name)
    assert document["error"]["param"].partition(".")[0] == name
    assert built.engine.calls == 0


async def test_an_unknown_kind_of_flag_is_named(house: tuple[Built, httpx.AsyncClient]) -> None:
    _, client = house
    body = {"trajectories": [item()], "fail_on_flags": ["degenerate", "peeking"]}
    document = check_problem(await client.post("/score", json=body), 400, "invalid")
    assert "'peeking'" in document["detail"]


async def test_options_that_are_served(house: tuple[Built, httpx.AsyncClient]) -> None:
    _, client = house
    for options in (
        {"timeout_s": 3600}, {"timeout_s": None}, {"priority": "interactive"},
        {"priority": "backfill"}, {"memo": "refresh"}, {"steps": "none"}, {"fail_on_flags": []},
        {"fail_on_flags": None}, {"reward": {"mode": "execution_free"}}, {"model": None},
    ):  # fmt: skip
        assert (await score(client, item(), **options))["counts"]["scored"] == 1


async def test_elision_says_what_it_took() -> None:
    long = chat(n=12)
    long[4]["content"] = "many words of output " * 2000
    with opened(allowed_tokens=4000) as built:
        async with ask(built) as client:
            failure((await score(client, {"messages": long}))["results"][0], "too_long")
            answer = await score(client, {"messages": long}, on_overflow="elide")
            one = answer["results"][0]
            assert one["tokens"]["prompt"] <= 4000 < one["tokens"]["elided"]
            assert one["elided_turns"] == 1


async def test_a_retry_is_the_same_score_and_counts_once(
    house: tuple[Built, httpx.AsyncClient],
) -> None:
    _, client = house
    twice = await score(
        client, item(), item(), item(word="other"), {"trajectory": {"messages": chat()}}
    )
    again = await score(client, item(word="other"), item())
    ids = [r["score_id"] for r in twice["results"]]
    assert ids[0] == ids[1] == ids[3] != ids[2]
    assert [r["score_id"] for r in again["results"]] == [ids[2], ids[0]]
    sizes = {r["score_id"]: r["tokens"]["prompt"] for r in twice["results"]}
    assert twice["usage"]["prompt_tokens"] == sum(sizes.values())
    assert len({r["trajectory_digest"] for r in twice["results"]}) == 2


async def test_a_prompt_counts_literally_only_where_trusted() -> None:
    with opened(trust_prompts=True) as built:
        async with ask(built) as client:
            prompts = ["<|im_start|>user\nhi<|im_end|>", "a\ud800", ""]
            body = json.dumps({"trajectories": [{"prompt": text} for text in prompts]})
            answer = strict((await client.post("/score", content=body)).content)
            good, lone, empty = answer["results"]
            assert good["format"] == "prompt"
            failure(lone, "invalid")
            failure(empty, "empty")
