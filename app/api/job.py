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

from app.api.body import read_body
from app.api.caller import key_of
from app.api.checks import Named, name_of, read_item, read_request, text_of
from app.api.house import DEFAULT_TIMEOUT_S, MAX_TIMEOUT_S, House
from app.api.parse import Body
from app.errors import (
    Empty,
    Invalid,
    InvalidRequest,
    ItemError,
    ModelNotFound,
    RevisionUnavailable,
)
from app.schema import (
    CommonOptions,
    Item,
    Options,
    RerankOptions,
    ScoreOptions,
)
from app.schema.requests import StepsEvery, StepsLast, StepsTurns
from app.scorer import FLAG_KINDS, Order, Outcome, RewardPolicy, StepChoice, Taken, Work
from app.types import PassedTests

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
    key_id: str


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
    options = read_request(kind, body.fields)
    request.state.priority = options.priority
    if not body.items:
        message = f"{items_key}: a list of 1 to {house.limits.max_items} items is needed"
        raise InvalidRequest(message, param=items_key)
    key_id = key_of(request)
    order = replace(_order(house, options, received_at), key_id=key_id)
    names = await _names(house, body.items)
    works = [_work(house, item, options) for item in body.items]
    take = house.scorer.take(works, order)
    taken = await until_gone(request.receive, take, undo=Taken.abandon)
    return Job(options, names, taken, received_at, parse_s, key_id)


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


def _order(house: House, options: CommonOptions, received_at: float) -> Order:
    _refuse_what_is_not_served(house, options)
    _check_model(house, options.model)
    timeout_s = options.timeout_s or DEFAULT_TIMEOUT_S[options.priority]
    if timeout_s > MAX_TIMEOUT_S:
        message = f"timeout_s: {timeout_s:g} is above {MAX_TIMEOUT_S:g}"
        raise InvalidRequest(message, param="timeout_s")
    elapsed_s = time.monotonic() - received_at
    order = Order(
        deadline=asyncio.get_running_loop().time() - elapsed_s + timeout_s,
        calibrator=house.scorer.calibrator(options.calibration),
        priority=options.priority,
        on_overflow=options.on_overflow,
        fail_on_flags=frozenset(options.fail_on_flags or ()),
        memo=options.memo,
    )
    if isinstance(options, ScoreOptions):
        policy = RewardPolicy(**options.reward.model_dump())
        return replace(order, steps=_steps(options), reward=policy)
    hybrid = isinstance(options, RerankOptions) and options.strategy == "hybrid"
    return replace(order, needs_tests=hybrid)


def _steps(options: ScoreOptions) -> StepChoice:
    match options.steps:
        case StepsEvery(every=count):
            return StepChoice("every", count)
        case StepsLast(last=count):
            return StepChoice("last", count)
        case StepsTurns(turns=turns):
            return StepChoice("turns", turns=tuple(turns))
        case kind:
            return StepChoice(kind)


def _refuse_what_is_not_served(house: House, options: CommonOptions) -> None:
    """Fields of the contract that this version does not fill are refused, never ignored."""
    if isinstance(options, ScoreOptions) and options.record_execution and not house.feedback:
        message = "record_execution: this server keeps no outcomes; GET /info lists its features"
        raise InvalidRequest(message, param="record_execution")
    unknown = set(options.fail_on_flags or ()) - set(FLAG_KINDS)
    if unknown:
        message = f"fail_on_flags: {len(unknown)} kinds are unknown; GET /info lists all"
        raise InvalidRequest(message, param="fail_on_flags")


def _check_model(house: House, wanted: str | None) -> None:
    if wanted is None:
        return
    identity = house.scorer.model.identity
    name, _, revision = wanted.partition("@")
    if name != identity.model:
        message = f"there is no model {name[:80]!r}; this server has {identity.model}"
        raise ModelNotFound(message, param="model")
    if revision and revision != identity.revision:
        message = f"{name} is here as {identity.revision}, not as the revision asked for"
        raise RevisionUnavailable(message, param="model")


def _work(house: House, value: object | ItemError, options: CommonOptions) -> Work | ItemError:
    if isinstance(value, ItemError):
        return value
    try:
        return work_of(house, read_item(value), options)
    except ItemError as error:
        return error


def work_of(house: House, item: Item, options: CommonOptions | None) -> Work:
    """What the corridor is given. Raises `Invalid` for a trusted prompt where none are trusted."""
    if item.trajectory is None and item.format != "auto":
        message = "format: says how `trajectory` is read; messages and prompt have but one format"
        raise Invalid(message)
    issue = item.issue
    if issue is None and isinstance(options, RerankOptions):
        issue = options.issue
    facts = _facts(item)
    if item.prompt is not None:
        if not house.trust_prompts:
            message = "prompt: needs the scope trusted_prompt; the server runs without it"
            raise Invalid(message)
        if not item.prompt:
            message = "the prompt is empty"
            raise Empty(message)
        return Work("prompt", item.prompt, **facts)
    if item.messages is not None:
        return Work("messages", item.messages, issue=issue, patch=item.patch, **facts)
    return Work("document", item.trajectory, item.format, issue, item.patch, **facts)


def _facts(item: Item) -> dict[str, Any]:
    """Whose trajectory the item is, which step of training waits for it, and what came of running it."""
    facts: dict[str, Any] = {"policy": item.tags.get("policy")}
    step, known = item.tags.get("policy_step", ""), item.execution
    if step.isascii() and step.isdigit():
        facts["policy_step"] = int(step)
    if known is None:
        return facts
    tests = None
    if known.regression and known.reproduction:
        tests = PassedTests(known.regression.passed, known.reproduction.passed)
    return facts | {"execution": known.outcome, "tests": tests}


def finite(document: Mapping[str, Any]) -> bytes:
    """JSON without NaN: a number that is none would be a defect, and must not leave the house."""
    return json.dumps(document, allow_nan=False).encode()
