"""`swe-rm serve`: opens the house, listens, and closes in order when told to stop.

The order: not ready, and served on while balancers take note; the door shuts; what is inside finishes,
up to a budget; what is left ends as `draining` inside its own answer; connections; engine; exit 0.
A second signal ends it all at once. An engine lost for good closes in the same order and exits with 70.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress

import uvicorn
from fastapi import FastAPI
from prometheus_client import REGISTRY

from app.api import create_app, logs
from app.api.house import House
from app.cli.build import Say, open_house
from app.cli.connections import timed
from app.config import Settings
from app.engine import processes
from app.web import with_inspector

ENGINE_LOST = 70
_COLLECT_AFTER = (50_000, 20, 100)
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h
_LARGE_BUFFER_BYTES = 2**20
_LAST_ANSWERS_S = 2  # what is left gets its answers, and connections their end
_LOOK_EVERY_S = 0.05


class Stop:
    """Why and when to stop: a signal, a guest who has seen enough, or an engine lost for good."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.lost = False

    def signalled(self, number: int) -> None:
        """The second one does not wait for anything: no answer, no engine."""
        if self.asked.is_set():
            processes.reap(list(processes.descendants(os.getpid())))
            os._exit(128 + number)
        self.asked.set()

    def engine_lost(self) -> None:
        self.lost = True
        self.asked.set()


async def serve(
    settings: Settings, say: Say, when_ready: Callable[[str], Awaitable[bool]] | None = None
) -> int:
    """Runs until SIGTERM or SIGINT, during the start too; the status to exit with.

    Raises `StartError`. `when_ready` is given the URL once the server listens; when it returns False,
    the server stops.
    """
    _calm_heap()
    with logs.configured(settings.log_level, settings.log_format) as people:
        if not people:  # for machines, every line is one of the log
            say = logging.getLogger("swe_rm.serve").info
        return await _serve(settings, say, when_ready)


async def _serve(
    settings: Settings, say: Say, when_ready: Callable[[str], Awaitable[bool]] | None
) -> int:
    stop = Stop()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.signalled, number)
    async with _opened(settings, say, stop) as house:
        if house is None:
            say("stopped before it was ready")
            return 0
        server = _server(settings, with_inspector(create_app(house)))
        companions = [asyncio.create_task(_drain(settings, house, server, stop))]
        if when_ready:
            companions.append(asyncio.create_task(_guest(server, stop, when_ready)))
        _calm_collector()
        await server.serve()
        for companion in companions:
            companion.cancel()
        await asyncio.gather(*companions, return_exceptions=True)
    return ENGINE_LOST if stop.lost else 0


async def _drain(settings: Settings, house: House, server: uvicorn.Server, stop: Stop) -> None:
    await stop.asked.wait()
    house.leave()
    if not stop.lost:
        await asyncio.sleep(settings.propagate_s)
    house.shut()
    await _settled(server, settings.drain_s)
    house.end_all()
    await _settled(server, _LAST_ANSWERS_S)
    server.should_exit = True


async def _settled(server: uvicorn.Server, within_s: float) -> None:
    """Until every request has its answer, or the time is over."""
    until = asyncio.get_running_loop().time() + within_s
    while server.server_state.tasks and asyncio.get_running_loop().time() < until:
        await asyncio.sleep(_LOOK_EVERY_S)


def _calm_heap() -> None:
    """glibc gives every thread a heap of its own, and after it has once freed a body of megabytes it
    keeps room for the next. A server of many threads and bodies grows by that for hours: two heaps
    are enough here, and large buffers go back at once (mallopt(3); setting the threshold fixes it)."""
    with suppress(OSError, AttributeError):  # another libc has no such call
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_ARENA_MAX, 2)
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE_BUFFER_BYTES)
        libc.mallopt(_M_TRIM_THRESHOLD, _LARGE_BUFFER_BYTES)


def _calm_collector() -> None:
    """Large bodies are millions of live objects without a cycle among them. With the thresholds of
    a script the collector walks them all again and again, a tenth of a second each time, and holds
    the interpreter lock meanwhile."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


@asynccontextmanager
async def _opened(settings: Settings, say: Say, stop: Stop) -> AsyncIterator[House | None]:
    """The house, or None when the signal to stop came before it was open."""
    async with AsyncExitStack() as stack:
        opening = asyncio.create_task(
            stack.enter_async_context(open_house(settings, REGISTRY, say, stop.engine_lost))
        )
        asked = asyncio.create_task(stop.asked.wait())
        await asyncio.wait({opening, asked}, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if not opening.done():
            opening.cancel()
            await asyncio.wait({opening})
            yield None
            return
        yield opening.result()


async def _guest(
    server: uvicorn.Server, stop: Stop, when_ready: Callable[[str], Awaitable[bool]]
) -> None:
    while not server.started:
        await asyncio.sleep(_LOOK_EVERY_S)
    host, port = server.servers[0].sockets[0].getsockname()[:2]
    host = f"[{host}]" if ":" in host else host
    scheme = "https" if server.config.is_ssl else "http"
    stay = False
    try:
        stay = await when_ready(f"{scheme}://{host}:{port}")
    finally:
        if not stay:
            stop.asked.set()


class _Server(uvicorn.Server):
    """Leaves signals to `Stop`: uvicorn would close connections first and cancel what runs."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _server(settings: Settings, app: FastAPI) -> uvicorn.Server:
    return _Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            http=timed(settings.header_timeout_s, settings.body_timeout_s),
            timeout_keep_alive=settings.keep_alive_s,
            timeout_graceful_shutdown=_LAST_ANSWERS_S,
            ssl_certfile=settings.ssl_certfile,
            ssl_keyfile=settings.ssl_keyfile,
            log_config=None,  # the root logger's, set above
            log_level=settings.log_level,
            access_log=False,  # the account of a request is its line
            server_header=False,
        )
    )
