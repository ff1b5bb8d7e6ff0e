"""Steps, rewards, groups and hybrid ranking on the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
import pytest_asyncio
from houses import Built, ask, opened, renderer

from app.adapters import adapt_messages
from app.calibration import sigmoid
from app.engine.fake import FakeEngine
from app.schema import ScoreAnswer
from app.scorer.steps import prompt_of
from app.types import Verdict


@pytest_asyncio.fixture
async def house() -> AsyncIterator[tuple[Built, httpx.AsyncClient]]:
    with opened() as built:
        async with ask(built) as client:
            yield built, client


def told(turns: int, word: str = "look", **fields: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": "the bug"}]
    for turn in range(turns):
        messages.append({"role": "assistant", "content": f"{word} {turn}"})
        messages.append({"role": "user", "content": f"seen {turn}"})
    return {"messages": messages, "patch": "diff", **fields}


async def score(client: httpx.AsyncClient, *items: Any, **options: Any) -> dict[str, Any]:
    answer = await client.post("/score", json={"trajectories": list(items), **options})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    ScoreAnswer.model_validate(found)
    return found


@pytest.mark.parametrize(
    ("steps", "turns"),
    [("all", [0, 1, 2, 3, 4]), ({"every": 2}, [1, 3]), ({"last": 2}, [3, 4]),
     ({"last": 9}, [0, 1, 2, 3, 4]), ({"turns": [3, 0, 3]}, [0, 3]), ({"turns": []}, [])],
)  # fmt: skip
async def test_steps(house: tuple[Built, httpx.AsyncClient], steps: Any, turns: list[int]) -> None:
    built, client = house
    (result,) = (await score(client, told(5), steps=steps))["results"]
    assert [step["turn"] for step in result["steps"]] == turns
    assert built.engine.calls == 1 + len(turns)
    for step in result["steps"]:
        assert step["message_index"] == 1 + 2 * step["turn"]
        assert step["raw_probability"] == pytest.approx(sigmoid(step["logit"]))
        assert step["probability"] is None
    assert built.idle


def test_a_step_is_the_turns_so_far_without_the_patch() -> None:
    """Its ids are those of the trajectory cut after the turn, the patch block left out."""
    made, _, _ = renderer()
    story = adapt_messages(told(6)["messages"], patch="diff").trajectory
    whole = made.encode(story)
    for turn in range(6):
        cut = made.encode(replace(story, turns=story.turns[: turn + 1]))
        (patch,) = (segment for segment in cut.segments if segment.role == "patch")
        wanted = cut.ids[: patch.start] + cut.ids[patch.end :]
        assert prompt_of(whole, turn) == wanted


async def test_a_turn_that_is_not_there(house: tuple[Built, httpx.AsyncClient]) -> None:
    built, client = house
    one, two = (await score(client, told(2), told(5), steps={"turns": [3]}))["results"]
    assert one["error"]["code"] == "invalid"
    assert "2 turns" in one["error"]["message"]
    assert two["status"] == "scored"
    assert built.engine.calls == 2


class ThirdTimeWrong(FakeEngine):
    async def judge(self, *given: Any, **named: Any) -> Verdict:
        self.fault = "nan" if self.calls >= 2 else None
        return await super().judge(*given, **named)


async def test_a_failing_step_fails_its_item() -> None:
    with opened(engine=ThirdTimeWrong()) as built:
        async with ask(built) as client:
            (result,) = (await score(client, told(4), steps="all"))["results"]
        assert result["error"]["code"] == "engine_failed"
        assert "finite" in result["error"]["message"]
        assert "steps" not in result
        await built.settle()


async def test_rewards_and_groups(house: tuple[Built, httpx.AsyncClient]) -> None:
    built, client = house
    outcomes = ("resolved", "unresolved", "unfinished")
    items = [
        told(1, f"w{n}", group="g", execution={"outcome": outcome})
        for n, outcome in enumerate(outcomes)
    ]
    bare = told(1, "bare", group="h", group_size=2)
    answer = await score(client, *items, bare, reward={"mode": "hybrid"}, group_stats=True)
    *scored, failed = answer["results"]
    for result, constant in zip(scored, (1.0, 0.0, -0.5), strict=True):
        assert result["reward"] == pytest.approx(constant + result["probability"])
        parts = result["reward_parts"]
        assert parts == {"score": result["probability"], "execution": constant}
    assert failed["error"]["code"] == "no_execution"
    assert built.engine.calls == 3  # nothing was computed for it
    mean = sum(result["reward"] for result in scored) / 3
    group = answer["groups"]["g"]
    assert group["complete"]
    assert not group["dead"]
    assert group["mean"] == pytest.approx(mean)
    for at, result in enumerate(scored):
        assert group["advantages"][str(at)] == pytest.approx(result["reward"] - mean)
    assert answer["groups"]["h"] | {"complete": False} == {
        "n": 2, "scored": 0, "complete": False, "mean": None, "std": None, "dead": None,
        "advantages": None,
    }  # fmt: skip


async def test_the_score_meant(house: tuple[Built, httpx.AsyncClient]) -> None:
    _, client = house
    options = {"reward": {"score": "raw_probability"}, "calibration": "t-platt"}
    (result,) = (await score(client, told(1), **options))["results"]
    assert result["reward"] == result["raw_probability"] != result["probability"]


async def test_hybrid_ranking(house: tuple[Built, httpx.AsyncClient]) -> None:
    """Among the top half by probability the tests decide; a candidate without them has failed."""
    _, client = house

    def candidate(n: int, passed: int) -> dict[str, Any]:
        tests = {"passed": passed, "total": 9}
        known = {"outcome": "unresolved", "regression": tests, "reproduction": tests}
        return told(1, f"w{n}", id=str(n), execution=known)

    plain = (
        await client.post("/rerank", json={"candidates": [candidate(n, 0) for n in range(8)]})
    ).json()
    by_score = [result["index"] for result in plain["results"]]
    tests = {index: place for place, index in enumerate(by_score)}  # the worse, the more tests pass
    items = [candidate(n, tests[n]) for n in range(8)] + [told(1, "bare", id="bare")]
    body = {"candidates": items, "strategy": "hybrid"}
    found = (await client.post("/rerank", json=body)).json()
    assert [r["index"] for r in found["results"]] == by_score[3::-1] + by_score[4:]
    assert found["best"] == by_score[3]
    assert [(f["id"], f["error"]["code"]) for f in found["failed"]] == [("bare", "no_execution")]


def peeking() -> dict[str, Any]:
    call = {"name": "bash", "arguments": '{"command": "git log --all -S fix"}'}
    messages = [
        {"role": "user", "content": "the bug"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"type": "function", "function": call}],
        },
        {"role": "tool", "content": "commit abc"},
    ]
    return {"messages": messages, "patch": "diff"}


async def test_flags_are_told_and_change_no_score(house: tuple[Built, httpx.AsyncClient]) -> None:
    """Unless the request asks to fail on their kind: then before any engine work."""
    built, client = house
    info = (await client.get("/info")).json()
    assert "git_history_peek" in info["flag_kinds"]
    (seen,) = (await score(client, peeking()))["results"]
    (flag,) = [f for f in seen["flags"] if f["kind"] == "git_history_peek"]
    assert (flag["turn"], flag["message_index"]) == (0, 1)
    assert "git log --all" in flag["evidence"]
    calls = built.engine.calls
    both = await score(client, peeking(), told(1), fail_on_flags=["git_history_peek"])
    failed, fine = both["results"]
    assert (failed["error"]["code"], fine["status"]) == ("flagged", "scored")
    assert built.engine.calls == calls + 1
