"""POST /rerank: order, ties, failures and what may be called best."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from houses import NDJSON, STREAM, Built, ask, check_problem, item, lines, ndjson, opened, strict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.schema import RerankAnswer

BAD = {"messages": []}


@pytest.fixture
async def house() -> AsyncIterator[tuple[Built, httpx.AsyncClient]]:
    with opened() as built:
        async with ask(built) as client:
            yield built, client


async def rerank(client: httpx.AsyncClient, *items: object, **options: Any) -> dict[str, Any]:
    answer = await client.post("/rerank", json={"candidates": list(items)} | options)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = strict(answer.content)
    RerankAnswer.model_validate(document)
    return document


async def test_best_first(house: tuple[Built, httpx.AsyncClient]) -> None:
    built, client = house
    answer = await rerank(client, *(item(word=f"w{n}", id=f"c{n}") for n in range(20)))
    results = answer["results"]
    logits = [r["logit"] for r in results]
    assert logits == sorted(logits, reverse=True)
    assert [r["rank"] for r in results] == list(range(1, 21))
    assert [r["id"] for r in results] == [f"c{r['index']}" for r in results]
    assert all(r["relevance_score"] == r["probability"] and not r["tied"] for r in results)
    assert answer["best"] == results[0]["index"]
    assert answer["complete"]
    assert answer["object"] == "rerank"
    assert answer["failed"] == []
    assert built.idle


async def test_ties_are_said_and_broken_by_index(house: tuple[Built, httpx.AsyncClient]) -> None:
    _, client = house
    answer = await rerank(client, item(), item(word="other"), item())
    same = [r for r in answer["results"] if r["tied"]]
    assert [r["index"] for r in same] == [0, 2]
    assert same[0]["logit"] == same[1]["logit"]


async def test_failures_have_no_place(house: tuple[Built, httpx.AsyncClient]) -> None:
    _, client = house
    answer = await rerank(client, BAD, item(id="x"), item(nonsense=1, id="y"))
    assert answer["best"] == 1
    assert not answer["complete"]
    assert answer["counts"] == {"scored": 1, "failed": 2, "retryable": 0}
    failed = {f["index"]: f for f in answer["failed"]}
    assert failed[0]["error"]["code"] == "empty"
    assert failed[2]["error"]["code"] == "invalid"
    assert failed[2]["id"] == "y"
    assert not {"relevance_score", "probability", "rank"} & set(failed[0])


async def test_nothing_is_best_when_all_are_required(
    house: tuple[Built, httpx.AsyncClient],
) -> None:
    _, client = house
    assert (await rerank(client, BAD, item(), require_all=True))["best"] is None
    assert (await rerank(client, item(), require_all=True))["best"] == 0
    nothing = await rerank(client, BAD, BAD)
    assert nothing["best"] is None
    assert nothing["results"] == []


async def test_top_n_cuts_the_list_and_no_count(house: tuple[Built, httpx.AsyncClient]) -> None:
    _, client = house
    items = [item(word=str(n)) for n in range(5)]
    answer = await rerank(client, *items, top_n=2)
    assert len(answer["results"]) == 2
    assert answer["counts"]["scored"] == 5
    assert answer["best"] == answer["results"][0]["index"]
    assert len((await rerank(client, *items, top_n=99))["results"]) == 5


async def test_one_issue_for_all_and_the_items_own(house: tuple[Built, httpx.AsyncClient]) -> None:
    _, client = house
    said = [{"role": "assistant", "content": "I fixed it."}]
    alone = await rerank(client, {"messages": said})
    assert alone["failed"][0]["error"]["code"] == "no_issue"
    answer = await rerank(
        client,
        {"messages": said},
        {"messages": said, "issue": "Another one."},
        {"messages": said, "issue": "It is broken."},
        issue="It is broken.",
    )
    digests = {r["index"]: r["trajectory_digest"] for r in answer["results"]}
    assert digests[0] == digests[2] != digests[1]


async def test_lines_in_and_out_hold_the_same_order(house: tuple[Built, httpx.AsyncClient]) -> None:
    _, client = house
    items = [item(word=str(n), id=f"c{n}") for n in range(4)] + [BAD]
    whole = await rerank(client, *items, top_n=3)
    answer = await client.post(
        "/rerank", content=ndjson({"top_n": 3}, *items), headers=NDJSON | STREAM
    )
    start, *results, end = lines(answer.text)
    assert (start["object"], start["n"]) == ("rerank.start", 5)
    assert end["object"] == "rerank.end"
    assert len(results) == 5
    places = [(r["index"], r["rank"], r["tied"]) for r in whole["results"]]
    assert [(o["index"], o["rank"], o["tied"]) for o in end["order"]] == places
    for name in ("best", "complete", "counts", "usage"):
        assert end[name] == whole[name]


@pytest.mark.parametrize(
    ("name", "value"),
    [("strategy", "best"), ("top_n", 0), ("top_n", "3"), ("require_all", 1), ("steps", "all"),
     ("reward", {}), ("query", "x"), ("issue", 7),
     ("fail_on_flags", ["x"]), ("candidates", "x")],
)  # fmt: skip
async def test_what_rerank_does_not_take(
    house: tuple[Built, httpx.AsyncClient], name: str, value: Any
) -> None:
    built, client = house
    answer = await client.post("/rerank", json={"candidates": [item()]} | {name: value})
    document = check_problem(answer, 400, "invalid")
    assert document["error"]["param"] == name
    assert built.engine.calls == 0


async def test_routes_of_later_versions_are_absent(
    house: tuple[Built, httpx.AsyncClient],
) -> None:
    _, client = house
    for path in ("/ui", "/outcomes", "/rewards"):
        check_problem(await client.post(path, json={}), 404, "not_found")


@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(order=st.permutations(range(8)))
async def test_the_order_of_the_request_changes_nothing(order: list[int]) -> None:
    """What is scored, and which is best, does not depend on where a candidate stands."""
    with opened() as built:
        async with ask(built) as client:
            answer = await rerank(client, *(item(word=f"w{n}", id=str(n)) for n in order))
            ranked = [r["id"] for r in answer["results"]]
            plain = await rerank(client, *(item(word=f"w{n}", id=str(n)) for n in range(8)))
            assert ranked == [r["id"] for r in plain["results"]]
