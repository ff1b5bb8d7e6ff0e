"""What swe_rm_client raises: refusals, broken connections, and the tree of errors."""

from __future__ import annotations

import asyncio
import inspect
import json
import pickle
import re

import client_server
import httpx
import pytest
import swe_rm_client as rm
from client_server import Ask, Server, documents
from swe_rm_client import boundary, errors

ask, clockwork = client_server.ask, client_server.clockwork


@pytest.mark.parametrize(
    ("status", "code", "expected", "retryable"),
    [(400, "invalid", rm.BadRequest, False), (405, "method_not_allowed", rm.BadRequest, False),
     (401, "unauthenticated", rm.Unauthorized, False), (403, "forbidden", rm.Forbidden, False),
     (404, "model_not_found", rm.NotFound, False), (409, "conflict", rm.Conflict, False),
     (413, "too_many_items", rm.TooLarge, False), (429, "quota", rm.QuotaExceeded, True),
     (500, "internal", rm.InternalServerError, False), (502, None, rm.Unavailable, True),
     (503, "draining", rm.Unavailable, True), (503, "overloaded", rm.Overloaded, True),
     (504, None, rm.DeadlineExceeded, True), (507, "store_full", rm.InternalServerError, False)],
)  # fmt: skip
async def test_a_refusal(ask: Ask, status: int, code: str, expected: type, retryable: bool) -> None:
    page = json.dumps({"code": code, "detail": "why"}) if code else "<html>"
    response = httpx.Response(status, text=page, headers={"Retry-After": "7", "X-Request-Id": "r1"})
    with pytest.raises(rm.ServerError) as caught:
        await ask(lambda _: response, "score", [{}])
    error = caught.value
    assert type(error) is expected
    assert (error.status, error.code, error.retryable) == (status, code, retryable)
    assert (error.retry_after_s, error.request_id) == (7.0, "r1")
    assert ("why" in str(error)) == bool(code)


@pytest.mark.parametrize(
    ("body", "headers", "retryable", "retry_after_s"),
    [({"retryable": False}, {"x-should-retry": "true"}, False, None),
     ({}, {"x-should-retry": "false", "Retry-After": "nan"}, False, None),
     ({"retryable": True}, {"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}, True, None),
     ({}, {"Retry-After": "-5"}, True, None)],
)  # fmt: skip
async def test_the_server_says_whether_to_retry(
    ask: Ask, body: object, headers: dict[str, str], retryable: bool, retry_after_s: float | None
) -> None:
    with pytest.raises(rm.Unavailable) as caught:
        await ask(lambda _: httpx.Response(503, json=body, headers=headers), "info")
    assert (caught.value.retryable, caught.value.retry_after_s) == (retryable, retry_after_s)


async def test_one_refused_request_fails_the_call(ask: Ask) -> None:
    server = Server()

    def second_refused(request: httpx.Request) -> httpx.Response:
        answer = server(request)
        return answer if len(server.requests) != 2 else httpx.Response(503, json={})

    with pytest.raises(rm.Unavailable):
        await ask(second_refused, "score", documents(40), retries=rm.NO_RETRIES)


def httpx_exceptions() -> list[type[Exception]]:
    found = [getattr(httpx, name) for name in httpx.__all__]
    return [e for e in found if isinstance(e, type) and issubclass(e, Exception)]


def test_the_table_knows_every_exception_of_httpx() -> None:
    assert set(httpx_exceptions()) == set(boundary.HTTPX_ERRORS)


def test_the_boundary_takes_the_most_specific_entry_and_leaves_strangers_alone() -> None:
    class Newer(httpx.ReadTimeout):
        """What a later httpx may add."""

    cause = "slow"
    with pytest.raises(rm.TimedOut, match="Newer: slow"), boundary.boundary("POST /score"):
        raise Newer(cause)
    with pytest.raises(ZeroDivisionError), boundary.boundary("POST /score"):
        _ = 1 / 0


@pytest.mark.parametrize(
    "cause", [httpx.ConnectError, httpx.RemoteProtocolError, httpx.PoolTimeout]
)
async def test_no_answer_is_a_typed_error(ask: Ask, cause: type[httpx.TransportError]) -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        message = "gone"
        raise cause(message)

    with pytest.raises(rm.TransportError, match="POST /score.*gone") as caught:
        await ask(broken, "score", documents(20))
    assert caught.value.retryable
    assert isinstance(caught.value, boundary.HTTPX_ERRORS[cause])


async def test_async_keeps_eight_in_flight_and_drops_the_rest_on_failure() -> None:
    inside = most = finished = 0

    async def slow(request: httpx.Request) -> httpx.Response:
        nonlocal inside, most, finished
        inside, most = inside + 1, max(most, inside + 1)
        try:
            if inside < 8:
                await asyncio.Event().wait()  # as long as nobody ends it
                finished += 1
            return httpx.Response(503, json={"code": "overloaded", "detail": "full"})
        finally:
            inside -= 1

    transport = httpx.MockTransport(slow)
    async with rm.AsyncClient(transport=transport, retries=rm.NO_RETRIES) as client:
        with pytest.raises(rm.Overloaded):
            await client.score([{"p": 0.5}] * 16 * 12)
    assert (inside, most, finished) == (0, 8, 0)


def test_errors_survive_pickling() -> None:
    problem = rm.Problem(503, "overloaded", "full", True, 3.0, "r")
    failed = rm.ItemProblem("too_long", "m", False, limits={"allowed": 9})
    for error in (errors.server_error(problem), rm.ItemFailed(3, "x", failed), rm.TimedOut("t")):
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))


def test_the_error_tree_is_drawn_as_it_is() -> None:
    drawn = re.findall(r"^ {4}([│├└─ ]*)([A-Z]\w+)", errors.__doc__ or "", re.MULTILINE)
    parents: dict[int, str] = {-1: "Exception"}
    for branch, name in drawn:
        depth = len(branch) // 4
        parents[depth] = name
        assert parents[depth - 1] in [base.__name__ for base in getattr(rm, name).__bases__]
    tree = {n for n, e in vars(errors).items() if inspect.isclass(e) and issubclass(e, Exception)}
    assert {name for _, name in drawn} == tree
