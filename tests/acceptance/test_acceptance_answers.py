"""Checks 25, 27, 32 and 37 of docs/reliability.md, what other files leave open: whose result is whose,
receipts that were tampered with, rendering beside the loop, how much the log says of a refusal."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

from counts import FULL, count, seed
from houses import STREAM, ask, chat, check_problem, item, lines, opened
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_logs import logged
from test_receipts import CLAIMS, NEW

from app.api.feedback.receipts import Receipts

WORDS = [f"word-{n}" for n in range(12)]


@settings(max_examples=count(50, 2_000), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=64), st.booleans())
async def test_c25_a_result_is_its_item_s_whatever_stands_beside_it(
    words: list[str], memo: bool
) -> None:
    """In any order, with duplicates, in one piece and as a stream, remembered or not."""
    with opened(memo_bytes=2**20 if memo else 0) as built:
        async with ask(built) as client:
            body = {"trajectories": [item(word=word, id=word) for word in words]}
            whole = (await client.post("/score", json=body)).json()["results"]
            streamed = await client.post("/score", json=body, headers=STREAM)
            alone = (
                await client.post("/score", json={"trajectories": [item(word=words[0])]})
            ).json()
        parts = sorted((r for r in lines(streamed.text) if "status" in r), key=lambda r: r["index"])
    for found in (whole, parts):
        assert [(r["index"], r["id"]) for r in found] == list(enumerate(words))
    logits: dict[str, float] = {words[0]: alone["results"][0]["logit"]}
    for word, one, other in zip(words, whole, parts, strict=True):
        assert one["logit"] == other["logit"] == logits.setdefault(word, one["logit"])
        assert one["score_id"] == other["score_id"]
    assert len(set(logits.values())) == len(logits)


def test_c27_no_mutation_of_a_receipt_says_something_else() -> None:
    """A text that reads as the same claims (base64 has spare bits at its end) is the same receipt."""
    receipts, dice = Receipts(NEW), random.Random(seed())
    signed = receipts.sign(CLAIMS)
    truth = receipts.verify(signed, CLAIMS).claims
    other = receipts.sign(CLAIMS | {"probability": 0.99, "score_id": "sc-2"})
    refused = 0
    for _ in range(count(1_000, 10_000)):
        text = list(signed)
        for _ in range(dice.choice((1, 1, 2, 5))):
            at = dice.randrange(len(text))
            text[at] = dice.choice(
                (chr(ord(text[at]) ^ 1 << dice.randrange(7)), dice.choice(other))
            )
        found = receipts.verify("".join(text), CLAIMS)
        refused += bool(found.wrong)
        assert found.wrong or found.claims == truth
    assert refused > count(500, 5_000)  # what only touches the hints of what differs is no forgery


async def test_c32_the_loop_turns_while_long_items_are_rendered() -> None:
    items, chars, waits_s = count(4, 32), count(200_000, 300_000), list[float]()
    text = " ".join(f"w{n * 7919 % 9973}" for n in range(chars // 6))
    body = {"trajectories": [{"messages": chat(word=f"{n} {text}")} for n in range(items)]}
    with opened() as built:
        async with ask(built) as client:
            scoring = asyncio.create_task(client.post("/score", json=body))
            await asyncio.sleep(0)
            while not scoring.done():
                began = time.perf_counter()
                assert (await client.get("/livez")).status_code == 200
                waits_s.append(time.perf_counter() - began)
                await asyncio.sleep(0.002)
        results: list[dict[str, Any]] = (await scoring).json()["results"]
    assert {r["status"] for r in results} == {"scored"}
    assert len(waits_s) > 10
    waits_s.sort()
    print(f"/livez p99 {waits_s[len(waits_s) * 99 // 100] * 1000:.0f} ms")  # noqa: T201
    assert not FULL or waits_s[len(waits_s) * 99 // 100] < 0.1


async def test_c37_a_refusal_costs_a_kilobyte_of_log_at_most() -> None:
    refusals = (
        (b"{", 400, "malformed"), (b'{"trajectories": []}', 400, "invalid"),
        (b'{"trajectories": [' + b"1," * 300_000 + b"1]}", 413, "too_many_items"),
        (b'{"trajectories": [1], "' + b"x" * 100_000 + b'": 1}', 400, "invalid"),
    )  # fmt: skip
    with logged() as out, opened() as built:
        async with ask(built) as client:
            for content, status, code in refusals:
                before = len(out.getvalue())
                headers = {"content-type": "application/json", "user-agent": "x" * 10_000}
                answer = await client.post("/score", content=content, headers=headers)
                check_problem(answer, status, code)
                assert 0 < len(out.getvalue()) - before <= 1024
