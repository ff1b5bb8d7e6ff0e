"""What goes wrong in `bench.soak`: faults of the engine, of clients, of the machine. Each is over when
it returns; what it does to others is for the clients to say."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import random
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

import httpx

from bench.load import item

JSON = {"content-type": "application/json"}
_PAUSE_S = 3.0
_CHARS, _GIANT_CHARS = 2_100, 215_000


class Target(Protocol):
    """A server, and how its engine is hurt."""

    url: str

    @property
    def pid(self) -> int: ...

    def kill_engine(self) -> None: ...

    def freeze_engine(self) -> None: ...


Fault = Callable[[Target, random.Random], Awaitable[None]]


async def engine_killed(target: Target, dice: random.Random) -> None:
    target.kill_engine()


async def engine_frozen(target: Target, dice: random.Random) -> None:
    target.freeze_engine()


async def server_stopped(target: Target, dice: random.Random) -> None:
    """As a starved machine or a debugger does it."""
    os.kill(target.pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(_PAUSE_S)
    finally:
        os.kill(target.pid, signal.SIGCONT)


async def aborts(target: Target, dice: random.Random) -> None:
    """A hundred clients that leave within 150 ms."""
    async with httpx.AsyncClient(base_url=target.url, timeout=30) as client:
        body = {"trajectories": [item(_CHARS, dice.randrange(10**6))], "memo": "off"}
        calls = [asyncio.create_task(client.post("/score", json=body)) for _ in range(100)]
        for call in calls:
            await asyncio.sleep(dice.random() * 0.0015)
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)


async def hostile_bodies(target: Target, dice: random.Random) -> None:
    """Each is refused; none is a 5xx."""
    zipped = JSON | {"content-encoding": "gzip"}
    bodies: list[tuple[bytes, dict[str, str]]] = [
        (gzip.compress(bytes(80 * 2**20)), zipped),
        (json.dumps({"trajectories": [1] * 300_000}).encode(), JSON),
        (b'{"trajectories": ' + b"[" * 100_000, JSON),
        (b'{"trajectories": [{"id": 1e999}]}', JSON),
        (dice.randbytes(10_000), JSON),
        (b" " * (65 * 2**20), JSON),
    ]
    async with httpx.AsyncClient(base_url=target.url, timeout=30) as client:
        for content, headers in bodies:
            with suppress(httpx.WriteError):  # cut off while it was sent
                answer = await client.post("/score", content=content, headers=headers)
                if not 400 <= answer.status_code < 500:
                    message = f"a hostile body was answered with {answer.status_code}"
                    raise SystemExit(message)


async def slow_clients(target: Target, dice: random.Random) -> None:
    """Half a body each, silence for some seconds, gone."""
    host, port = target.url.removeprefix("http://").split(":")
    head = b"POST /score HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\n{"
    writers = []
    for _ in range(50):
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(head)
        writers.append(writer)
    await asyncio.sleep(_PAUSE_S)
    for writer in writers:
        writer.transport.abort()


async def a_giant(target: Target, dice: random.Random) -> None:
    """An item that takes a good part of the context, or is too long for it."""
    async with httpx.AsyncClient(base_url=target.url, timeout=300) as client:
        body = {"trajectories": [item(_GIANT_CHARS, dice.randrange(10**6))], "priority": "backfill"}
        with suppress(httpx.HTTPError):
            await client.post("/score", json=body)


async def a_flood(target: Target, dice: random.Random) -> None:
    """Three hundred requests at once that want to be done in two seconds."""
    async with httpx.AsyncClient(base_url=target.url, timeout=60) as client:
        bodies = [
            {"trajectories": [item(_CHARS, dice.randrange(10**6))], "timeout_s": 2}
            for _ in range(300)
        ]
        calls = [client.post("/score", json=body) for body in bodies]
        await asyncio.gather(*calls, return_exceptions=True)


ENGINE: tuple[Fault, ...] = (engine_killed, engine_frozen)
OTHERS: tuple[Fault, ...] = (
    server_stopped, aborts, hostile_bodies, slow_clients, a_giant, a_flood,
)  # fmt: skip
