"""What comes in over the wire: clocks on connections, bounds on JSON, and defects that are counted."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import uvicorn
from houses import _Quiet, ask, chat, check_problem, item, opened, strict

from app.api import create_app
from app.cli.connections import timed
from app.engine.fake import FakeEngine

HEAD_S, ANSWER_S = 0.3, 0.5


@asynccontextmanager
async def timed_server(keep_alive_s: int = 5) -> AsyncIterator[str]:
    with opened() as built:
        config = uvicorn.Config(
            create_app(built.house), port=0, http=timed(HEAD_S, ANSWER_S), log_level="critical",
            log_config=None, lifespan="off", timeout_graceful_shutdown=1, timeout_keep_alive=keep_alive_s,
        )  # fmt: skip
        server = _Quiet(config)
        running = asyncio.create_task(server.serve())
        async with asyncio.timeout(10):
            while not server.started:
                await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        finally:
            server.should_exit = True
            await running


async def connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    address = urlsplit(url)
    return await asyncio.open_connection(address.hostname, address.port)


GET = b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n"


@pytest.mark.parametrize(
    ("first", "drips"),
    [(b"", b""), (b"GET /li", b""), (b"GET /livez HTTP/1.1\r\n", b"x: y\r\n"), (b"\r\n", b"\r\n")],
    ids=["silent", "half a line", "a header now and then", "empty lines"],
)
@pytest.mark.parametrize("used", [False, True], ids=["fresh", "used"])
async def test_no_connection_lingers_without_a_request(
    first: bytes, drips: bytes, used: bool
) -> None:
    """Neither a fresh one nor one that had an answer. The idle time of a used one is `keep_alive_s`."""
    async with timed_server(keep_alive_s=1) as url, asyncio.timeout(10):
        reader, writer = await connect(url)
        if used:
            writer.write(GET)
            assert b"ok\n" in await reader.readuntil(b"ok\n")
        writer.write(first)
        ended = asyncio.create_task(reader.read())
        while drips and not ended.done():
            writer.write(drips)
            await asyncio.wait({ended}, timeout=0.05)
        with suppress(ConnectionResetError):  # the answer to what was sent behind the end
            await ended
        writer.close()


async def test_a_used_connection_is_kept() -> None:
    async with timed_server() as url, httpx.AsyncClient(base_url=url) as client:
        for _ in range(3):
            answer = await client.get("/livez")
            await asyncio.sleep(HEAD_S * 2)
        body = {"trajectories": [item()]}
        assert (await client.post("/score", json=body)).status_code == answer.status_code == 200


async def test_who_does_not_take_his_answer_is_let_go() -> None:
    async with timed_server() as url, asyncio.timeout(20):
        small = socket.socket()
        small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        address = urlsplit(url)
        small.setblocking(False)
        await asyncio.get_running_loop().sock_connect(small, (address.hostname, address.port))
        reader, writer = await asyncio.open_connection(sock=small)
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        try:
            while True:  # pipelined requests, the answers of which nobody reads
                writer.write(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n" * 100)
                await writer.drain()
                await asyncio.sleep(0)
        except ConnectionError:
            pass


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


BODY = '{"trajectories": [{"messages": [{"role": "user", "content": "x"}], "id": %s}]}'
WILD: dict[str, tuple[str | bytes, set[str]]] = {
    "depth 65": (BODY % nested(65), {"invalid"}),
    "depth 900": (BODY % nested(900), {"invalid", "malformed"}),
    "depth 100,000": (BODY % nested(100_000), {"malformed"}),
    "NaN": (BODY % "NaN", {"malformed"}),
    "Infinity": (BODY % "-Infinity", {"malformed"}),
    "1e999": (BODY % "1e999", {"malformed"}),
    "an int of 5,000 digits": (BODY % ("9" * 5000), {"malformed"}),
    "an int of 4,000 digits": (BODY % ("9" * 4000), {"invalid"}),
    "a key twice": ('{"trajectories": [{}], "trajectories": [{}]}', {"malformed"}),
    "a key twice in an item": ('{"trajectories": [{"id": "a", "id": "b"}]}', {"malformed"}),
    "a lone surrogate": (BODY % '"\\ud800"', {"invalid"}),
    "not UTF-8": (b'{"trajectories": ["\xff"]}', {"malformed"}),
    "UTF-16": ((BODY % '"a"').encode("utf-16"), {"malformed"}),
    "a byte order mark": (b"\xef\xbb\xbf" + (BODY % '"a"').encode(), {"malformed"}),
    "text behind it": ((BODY % '"a"') + "x", {"malformed"}),
    "nothing": ("", {"malformed"}),
    "a list": ("[]", {"malformed"}),
    "a huge timeout": ('{"trajectories": [{}], "timeout_s": %s}' % ("9" * 4000), {"invalid"}),
    "an unknown field": ('{"trajectories": [{}], "seed": 1}', {"invalid"}),
    "an unknown field of an item": ('{"trajectories": [{"messages": [], "n": 1}]}', {"invalid"}),
    "an unknown field of the reward": ('{"trajectories": [{}], "reward": {"x": 1}}', {"invalid"}),
}  # fmt: skip


@pytest.mark.parametrize("name", WILD)
@pytest.mark.parametrize("route", ["/score", "/rerank", "/tokenize", "/rm", "/classify"])
async def test_wild_json_is_a_named_refusal(name: str, route: str) -> None:
    """On a route that takes another shape any refusal will do; a 500 never."""
    text, codes = WILD[name]
    body = text.encode() if isinstance(text, str) else text
    with opened() as built:
        async with ask(built) as client:
            answer = await client.post(
                route, content=body, headers={"content-type": "application/json"}
            )
        assert answer.status_code < 500
        assert len(answer.content) <= 16_384
        if route == "/score":
            document = strict(answer.content)
            found = document.get("code") or document["results"][0]["error"]["code"]
            assert found in codes
        assert built.engine.calls == 0
        assert built.idle


async def test_nul_is_text() -> None:
    with opened() as built:
        async with ask(built) as client:
            answer = await client.post("/score", json={"trajectories": [item(word="a\0b")]})
    assert answer.json()["counts"]["scored"] == 1


async def test_a_full_waiting_room_refuses_before_rendering(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with opened() as built:
        built.house.scorer._preparing = built.house.scorer._preparing_items
        rendered: list[Any] = []
        monkeypatch.setattr("app.scorer.preparing.prepare", lambda *given: rendered.append(given))
        async with ask(built) as client:
            answer = await client.post("/score", json={"trajectories": [item()] * 3})
        check_problem(answer, 503, "overloaded")
        assert rendered == []


SECRET = "hunter2-in-a-trajectory"


@pytest.mark.parametrize("where", ["engine", "render", "route"])
async def test_a_defect_is_counted_and_logged_without_the_items_text(
    where: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def breaks(*_: object) -> None:
        raise KeyError(SECRET)

    def breaks_now(*_: object, **__: object) -> None:
        raise KeyError(SECRET)

    caplog.set_level(logging.ERROR, "swe_rm")
    with opened() as built:
        if where == "engine":
            monkeypatch.setattr(FakeEngine, "judge", breaks)
        elif where == "render":
            monkeypatch.setattr("app.scorer.preparing.prepare", breaks_now)
        else:
            monkeypatch.setattr("app.api.score.present.counts", breaks_now)
        async with ask(built, defects=False) as client:
            body = {"trajectories": [{"messages": chat(word=SECRET)}]}
            answer = await client.post("/score", json=body)
            page = (await client.get("/metrics")).text
    assert answer.status_code == (500 if where == "route" else 200)
    assert 'swe_rm_defects_total{where="/score"} 1.0' in page
    (said,) = [r.getMessage() for r in caplog.records if r.name == "swe_rm.defect"]
    assert "KeyError at " in said
    assert "test_edge.py" in said
    assert len(said) <= 1024
    assert SECRET not in said + answer.text + page
    if where != "route":
        code = answer.json()["results"][0]["error"]["code"]
        assert code == {"engine": "engine_failed", "render": "invalid"}[where]


@pytest.mark.parametrize("state", ["restarting", "failed"])
@pytest.mark.parametrize(
    "route", ["/score", "/rerank", "/v1/rerank", "/rm", "/classify", "/get_reward"]
)
async def test_while_the_engine_is_away_requests_are_refused_before_they_are_read(
    state: str, route: str
) -> None:
    with opened() as built:
        built.state["trouble"] = built.state["engine"] = state
        async with ask(built) as client:
            answer = await client.post(route, content=b"not even JSON")
            document = check_problem(answer, 503, "engine_restarting")
            assert document["retryable"]
            ready = await client.get("/readyz")
            assert (ready.status_code, ready.text) == (503, f"{state}\n")
            assert (await client.get("/livez")).status_code == 200
            info = (await client.get("/info")).json()
            assert info["health"]["engine_state"] == state
            page = (await client.get("/metrics")).text
            assert f'swe_rm_engine_state{{state="{state}"}} 1.0' in page
            assert "swe_rm_ready 0.0" in page
