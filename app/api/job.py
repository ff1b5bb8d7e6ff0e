"""What `/score` and `/rerank` share: request → items → work in the house → outcomes."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from fastapi import Request
from fastapi.responses import Response
from starlette.types import Receive, Scope, Send

from app.api.account import Account, account_of
from app.api.body import read_body
from app.api.checks import Named, name_of, read_request, text_of
from app.api.house import House
from app.api.orders import order_of, work_or_error
from app.api.parse import Body
from app.errors import InvalidRequest, ItemError
from app.schema import Options
from app.scorer import Outcome, Taken

T = TypeVar("T")
_SILENCE_S = 15.0
CLIENT_GONE = 499


class ClientGone(Exception):
    """Nobody is there to read the answer."""


@dataclass(frozen=True, slots=True)
class Job(Generic[Options]):
    """A request that is in the house. Of the items only their names are kept while they wait."""

    options: Options
    names: list[Named]
    taken: Taken
    received_at: float
    parse_s: float
    account: Account

    @property
    def key_id(self) -> str:
        return self.account.caller.key_id


async def open_job(
    request: Request, house: House, kind: type[Options], items_key: str
) -> Job[Options]:
    """Reads, checks and takes a request. Raises `RequestError`s, and `ClientGone`."""
    with house.bodies.account() as hold:
        body = await read_body(request, house, hold, items_key)
        return await take_job(request, house, body, kind, items_key)


async def take_job(
    request: Request, house: House, body: Body, kind: type[Options], items_key: str
) -> Job[Options]:
    """Checks and takes a request that was read."""
    house.refuse_when_shut()
    received_at = request.state.received_at
    parse_s = time.monotonic() - received_at
    account = account_of(request)
    account.parsed(received_at, parse_s)
    options = read_request(kind, body.fields)
    request.state.priority = options.priority
    if not body.items:
        message = f"{items_key}: a list of 1 to {house.limits.max_items} items is needed"
        raise InvalidRequest(message, param=items_key)
    order = order_of(house, account.caller, options, received_at)
    names = await _names(house, body.items)
    works = [work_or_error(account.caller, item, options) for item in body.items]
    take = house.scorer.take(works, order)
    taken = await until_gone(request.receive, take, undo=Taken.abandon)
    account.taken()
    return Job(options, names, taken, received_at, parse_s, account)


async def _names(house: House, items: Sequence[object | ItemError]) -> list[Named]:
    names = [name_of(item) for item in items]
    if not (house.feedback and house.feedback.keeps_documents):
        return names
    texts = await house.off_loop(lambda: [text_of(item) for item in items])
    return [replace(name, document=text) for name, text in zip(names, texts, strict=True)]


async def until_gone(
    receive: Receive,
    work: Coroutine[Any, Any, T],
    undo: Callable[[T], None] = lambda _: None,
) -> T:
    """The work's result. Cancels it and raises `ClientGone` when the client leaves first.

    `undo` is given a result that came too late to be handed on.
    """
    task = asyncio.create_task(work)
    gone = asyncio.create_task(_gone(receive))
    handed_on = False
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientGone
        gone.cancel()
        await asyncio.wait({gone})  # cancelled just here, the caller never sees the result
        handed_on = True
        return task.result()
    finally:
        if not handed_on:
            task.cancel()
            gone.cancel()
            await asyncio.gather(task, gone, return_exceptions=True)
            if not task.cancelled() and not task.exception():
                undo(task.result())


class Stream(Response):
    """Lines of NDJSON as they come to be. Leaves the house whatever becomes of the client."""

    media_type = "application/x-ndjson"

    def __init__(self, house: House, taken: Taken, lines: AsyncIterator[Mapping[str, Any]]) -> None:
        super().__init__(headers={"X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._house = house
        self._taken = taken
        self._lines = lines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        try:
            async with self._taken:
                await send(start)
                await until_gone(receive, self._send_all(send))
        except ClientGone:
            self._house.metrics.disconnects.inc()

    async def _send_all(self, send: Send) -> None:
        async for line in self._lines:
            body = json.dumps(line, allow_nan=False).encode() + b"\n"
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def with_progress(
    house: House, taken: Taken, object_name: str
) -> AsyncIterator[tuple[int, Outcome] | dict[str, Any]]:
    """Outcomes as they finish, and a progress line after each 15 s of silence."""
    results = aiter(taken.results())
    done, total = 0, len(taken.prepared)
    while True:
        following = asyncio.ensure_future(anext(results, None))
        try:
            while not (await asyncio.wait({following}, timeout=_SILENCE_S))[0]:
                eta_s = round(house.scorer.admission.backlog_s(), 1)
                yield {
                    "object": object_name,
                    "done": done,
                    "waiting": total - done,
                    "eta_s": eta_s,
                }
            outcome = following.result()
        finally:
            following.cancel()
        if outcome is None:
            return
        done += 1
        yield outcome


def wants_stream(request: Request) -> bool:
    return "application/x-ndjson" in request.headers.get("accept", "")


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def finite(document: Mapping[str, Any]) -> bytes:
    """JSON without NaN: a number that is none would be a defect, and must not leave the house."""
    return json.dumps(document, allow_nan=False).encode()
