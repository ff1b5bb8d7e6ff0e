"""Checks 14 to 22 of docs/reliability.md on a fake engine: what may come in, and what it may cost."""

from __future__ import annotations

import asyncio
import gzip
import json
import resource
import statistics
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import zstandard
from counts import FULL
from houses import MIB, Built, ask, check_problem, item, limits, listening, opened

JSON = {"content-type": "application/json"}


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.fixture
async def house() -> AsyncIterator[tuple[Built, httpx.AsyncClient]]:
    with opened(body=limits(max_body_bytes=8 * MIB, max_item_bytes=4 * MIB)) as built:
        async with ask(built) as client:
            yield built, client


House = tuple[Built, httpx.AsyncClient]


async def test_c14_lengths_to_the_token(house: House) -> None:
    _, client = house
    words = {"messages": item(word="x y " * 200)["messages"]}
    count = (await client.post("/tokenize", json=words)).json()["count"]
    for allowed, code in ((count, None), (count - 1, "too_long")):
        with opened(allowed_tokens=allowed) as built:
            async with ask(built) as small:
                answer = (await small.post("/score", json={"trajectories": [words]})).json()
            result = answer["results"][0]
            if code is None:
                assert result["tokens"]["prompt"] == count
                continue
            assert result["error"]["code"] == code
            assert result["error"]["limits"] == {"measured": count, "allowed": allowed}
            assert built.engine.calls == 0


async def test_c17_300_000_invalid_items(house: House) -> None:
    _, client = house
    body = json.dumps({"trajectories": [1] * 300_000}).encode()
    started = time.process_time()
    answer = await client.post("/score", content=body, headers=JSON)
    check_problem(answer, 413, "too_many_items")
    assert time.process_time() - started < 2


async def test_c18_an_endless_body_costs_no_more_than_the_limit(house: House) -> None:
    built, client = house

    async def endless(piece: bytes, times: int) -> AsyncIterator[bytes]:
        for _ in range(times):
            yield piece

    before = peak_mib()
    answer = await client.post("/score", content=endless(b" " * 65_536, 4800), headers=JSON)
    check_problem(answer, 413, "body_too_large")
    assert peak_mib() - before < 8 + 50
    tiny = await client.post("/score", content=endless(b" ", 100_000), headers=JSON)
    check_problem(tiny, 400, "malformed")
    assert built.idle


@pytest.mark.parametrize("coding", ["gzip", "zstd", "deflate", "br"])
async def test_c19_bombs(house: House, coding: str) -> None:
    built, client = house
    zeros = bytes(256 * MIB)
    bomb = {"gzip": gzip.compress, "zstd": zstandard.ZstdCompressor().compress}.get(coding, bytes)(
        zeros if coding in ("gzip", "zstd") else b"123"
    )
    del zeros
    before = peak_mib()
    answer = await client.post("/score", content=bomb, headers=JSON | {"content-encoding": coding})
    if coding in ("gzip", "zstd"):
        check_problem(answer, 413, "body_too_large")
    else:
        check_problem(answer, 415, "unsupported_media_type")
    assert peak_mib() - before < 8 + 50
    assert built.idle


async def test_c20_half_sent_bodies_leave() -> None:
    with opened(body=limits(body_timeout_s=0.5)) as built:
        async with listening(built) as url, httpx.AsyncClient(base_url=url) as client:
            host, port = url.removeprefix("http://").split(":")
            head = b"POST /score HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\n{"
            slow = [await asyncio.open_connection(host, int(port)) for _ in range(100)]
            for _, writer in slow:
                writer.write(head)
            assert (await client.post("/score", json={"trajectories": [item()]})).status_code == 200
            answers = await asyncio.gather(*(reader.readuntil(b"}}") for reader, _ in slow))
            assert all(answer.startswith(b"HTTP/1.1 400") for answer in answers)
            for _, writer in slow:
                writer.close()
            assert built.idle


@pytest.mark.skipif(not FULL, reason="a ratio of times: make acceptance")
async def test_c20_a_neighbour_of_slow_clients_does_not_wait() -> None:
    """500 half-sent bodies and 500 idle connections, none of which is answered or cut meanwhile."""
    with opened(body=limits(body_timeout_s=300)) as built:
        async with listening(built) as url, httpx.AsyncClient(base_url=url) as client:

            async def p99_s() -> float:
                took_s = []
                for _ in range(1_000):
                    started = time.perf_counter()
                    answer = await client.post("/score", json={"trajectories": [item()]})
                    took_s.append(time.perf_counter() - started)
                    assert answer.status_code == 200
                return statistics.quantiles(took_s, n=100)[-1]

            alone_s = await p99_s()
            host, port = url.removeprefix("http://").split(":")
            slow = [await asyncio.open_connection(host, int(port)) for _ in range(1_000)]
            for _, writer in slow[:500]:
                writer.write(b"POST /score HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\n{")
            heard = [asyncio.create_task(reader.read(1)) for reader, _ in slow]
            beside_s = await p99_s()
            assert not any(task.done() for task in heard)
            for task, (_, writer) in zip(heard, slow, strict=True):
                task.cancel()
                writer.close()
    print(f"p99 {alone_s * 1000:.1f} ms alone, {beside_s * 1000:.1f} ms beside")  # noqa: T201
    assert beside_s < 2 * alone_s


async def test_c21_caps_before_any_rendering(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    built, client = house
    rendered: list[Any] = []
    monkeypatch.setattr("app.scorer.preparing.prepare", lambda *given: rendered.append(given))
    for count in (257, 10_000):
        answer = await client.post("/score", json={"trajectories": [{}] * count})
        check_problem(answer, 413, "too_many_items")
    assert rendered == []


SMUGGLED = (
    "seed", "n", "logprobs", "logit_bias", "bad_words", "stop", "temperature", "chat_template",
    "chat_template_kwargs", "regex", "lora", "model_path",
)  # fmt: skip


@pytest.mark.parametrize("name", SMUGGLED)
async def test_c22_no_parameter_passes(house: House, name: str) -> None:
    built, client = house
    answer = await client.post("/score", json={"trajectories": [item()], name: 1})
    check_problem(answer, 400, "invalid")
    found = (await client.post("/score", json={"trajectories": [item() | {name: 1}]})).json()
    assert found["results"][0]["error"]["code"] == "invalid"
    assert built.engine.calls == 0


@pytest.mark.parametrize("text", ["{{7*7}}", "{% for a in b %}", "{{''.__class__}}"])
async def test_c22_templates_in_content_stay_text(house: House, text: str) -> None:
    _, client = house
    counts = [
        (await client.post("/tokenize", json=item(word=word))).json()["count"]
        for word in (text, "49")
    ]
    assert counts[0] > counts[1]
