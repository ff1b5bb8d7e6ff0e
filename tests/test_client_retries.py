"""When swe_rm_client sends again, how long it waits, and what it never does. No test waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import client_server
import httpx
import pytest
import swe_rm_client as rm
from client_server import Ask, Clockwork, Server, document_in, refusal
from hypothesis import given
from hypothesis import strategies as st
from swe_rm_client import clock
from swe_rm_client.retries import Budget, Tries, seconds

ask, clockwork = client_server.ask, client_server.clockwork


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_a_refusal_for_now_is_asked_again(
    ask: Ask, clockwork: Clockwork, status: int
) -> None:
    server = Server(refusals=(refusal(status), refusal(status, Retry_After="7")))
    response = await ask(server, "score", [{"p": 0.3}])
    assert response.probabilities() == [0.3]
    assert clockwork.sleeps_s == [0.5, 7 + 1.0]  # what was asked, and full jitter on top
    assert ask.tally.retries == 2
    assert len({request.content for request in server.requests}) == 1


@pytest.mark.parametrize(
    "error",
    [httpx.ConnectError, httpx.ConnectTimeout, httpx.ReadError, httpx.WriteError,
     httpx.CloseError, httpx.RemoteProtocolError],
)  # fmt: skip
async def test_a_broken_connection_is_tried_again(ask: Ask, error: type[Exception]) -> None:
    server = Server(refusals=(error("gone"),))
    assert (await ask(server, "score", [{"p": 0.3}])).probabilities() == [0.3]


@pytest.mark.parametrize(
    "answer",
    [*(refusal(s) for s in (400, 401, 403, 404, 405, 409, 413, 415, 422, 500, 501, 507)),
     refusal(409, x_should_retry="true"), refusal(425, Retry_After="1"),
     refusal(503, x_should_retry="FALSE", Retry_After="1"), refusal(429),
     refusal(429, x_should_retry="true", Retry_After="1"),
     httpx.ReadTimeout("slow"), httpx.WriteTimeout("slow"), httpx.PoolTimeout("full"),
     httpx.UnsupportedProtocol("x"), httpx.LocalProtocolError("x"), httpx.DecodingError("x")],
    ids=str,
)  # fmt: skip
async def test_what_is_never_asked_again(ask: Ask, clockwork: Clockwork, answer: Any) -> None:
    server = Server(refusals=(answer,))
    with pytest.raises(rm.SweRmError):
        await ask(server, "score", [{"p": 0.3}])
    assert len(server.requests) == 1
    assert not clockwork.sleeps_s


async def test_attempts_are_bounded_and_waits_grow_to_their_limit(
    ask: Ask, clockwork: Clockwork
) -> None:
    server = Server(refusals=(refusal(503),) * 99)
    with pytest.raises(rm.Unavailable):
        await ask(server, "score", [{"p": 0.3}], retries=rm.Retries(attempts=6, most_s=3.0))
    assert len(server.requests) == 6
    assert clockwork.sleeps_s == [0.5, 1.0, 2.0, 3.0, 3.0]


async def test_no_wait_begins_that_would_pass_the_deadline(ask: Ask, clockwork: Clockwork) -> None:
    server = Server(refusals=(refusal(503, Retry_After="50"),) * 99)
    with pytest.raises(rm.Unavailable) as caught:
        await ask(server, "score", [{"p": 0.3}], timeout_s=60)  # 120 s in all
    assert clockwork.sleeps_s == [50.5, 51.0]
    assert caught.value.retry_after_s == 50.0
    reads = [request.extensions["timeout"]["read"] for request in server.requests]
    assert reads[0] == 120 - 101.5  # one request object, its last attempt gets what was left


async def test_wait_s_is_the_whole_time(ask: Ask, clockwork: Clockwork) -> None:
    server = Server(refusals=(refusal(503, Retry_After="8"),) * 99)
    with pytest.raises(rm.Unavailable):
        await ask(server, "score", [{"p": 0.3}], wait_s=12)
    assert sum(clockwork.sleeps_s) < 12
    with pytest.raises(rm.UsageError):
        await ask(server, "score", [{"p": 0.3}], wait_s=0)


async def test_retries_that_nobody_asked_for_have_a_budget(ask: Ask) -> None:
    server = Server(refusals=(httpx.ReadError("gone"),) * 99)
    with pytest.raises(rm.ConnectionFailed):
        await ask(server, "score", [{}], retries=rm.Retries(attempts=50, first_s=0, budget=3))
    assert len(server.requests) == 4
    asked = Server(refusals=(refusal(503, Retry_After="1"), httpx.ConnectError("no")) * 9)
    await ask(asked, "score", [{"p": 1}], retries=rm.Retries(attempts=50, first_s=0, budget=0))
    assert len(asked.requests) == 19


def test_answers_earn_the_budget_back() -> None:
    budget = Budget(1.0)
    assert (budget.spend(), budget.spend()) == (True, False)
    for _ in range(11):
        budget.earn()
    assert (budget.spend(), budget.spend()) == (True, False)


@given(
    attempt=st.integers(1, 10**6),
    asked_s=st.none() | st.floats(0, 1e6),
    first_s=st.floats(0, 1e3),
    most_s=st.floats(0, 1e3),
)
def test_a_pause_is_never_shorter_than_asked_nor_longer_than_allowed(
    attempt: int, asked_s: float | None, first_s: float, most_s: float
) -> None:
    pause_s = rm.Retries(first_s=first_s, most_s=most_s).pause_s(attempt, asked_s)
    assert (asked_s or 0) <= pause_s <= (asked_s or 0) + most_s


@given(st.text(max_size=20) | st.sampled_from(["nan", "inf", "-1", "1e999", " 7 "]))
def test_any_retry_after_is_read(text: str) -> None:
    value = seconds(text)
    assert value is None or 0 <= value < float("inf")


def test_a_request_whose_time_is_up_is_not_sent(clockwork: Clockwork) -> None:
    tries = Tries(rm.Retries(), Budget(9), ends_at_s=clock.now_s() + 1)
    clockwork.now_s += 1
    with pytest.raises(httpx.ReadTimeout):
        tries.left_s()


@pytest.mark.parametrize("wrong", [{"attempts": 0}, {"first_s": -1}, {"most_s": float("nan")}])
def test_senseless_retries(wrong: Any) -> None:
    with pytest.raises(rm.UsageError):
        rm.Retries(**wrong)


async def test_items_that_failed_for_now_are_sent_again_alone(
    ask: Ask, clockwork: Clockwork
) -> None:
    again = {"p": 0.4, "fail": "engine_restarting", "times": 2, "retry_after_s": 3.0}
    final = {"p": 0.4, "fail": "too_long", "retryable": False}
    server = Server()
    response = await ask(server, "score", [{"p": 0.1}, again, final, {"p": 0.2}])
    assert server.sizes == [4, 1, 1]
    assert [document_in(t)["fail"] for b in server.bodies[1:] for t in b["trajectories"]] == [
        "engine_restarting"
    ] * 2
    assert [getattr(r, "index", None) for r in response.results] == [0, 1, 2, 3]
    assert response.results[1].probability == 0.4
    assert [f.error.code for f in response.failed] == ["too_long"]
    assert response.usage.computed_tokens == 18
    assert clockwork.sleeps_s == [3.5, 4.0]


async def test_items_are_sent_again_within_the_servers_time_only(
    ask: Ask, clockwork: Clockwork
) -> None:
    again = {"p": 0.4, "fail": "draining", "retry_after_s": 20.0}
    server = Server()
    response = await ask(server, "score", [again], timeout_s=50)
    assert [f.error.code for f in response.failed] == ["draining"]
    assert clockwork.sleeps_s == [20.5, 21.0]
    assert [body["timeout_s"] for body in server.bodies] == [50, 50, 50]
    await ask(server, "score", [again], timeout_s=50, wait_s=52)
    assert server.bodies[-1]["timeout_s"] == pytest.approx(0.9 * (52 - 41.5))


async def test_what_is_scored_stays_when_sending_again_fails(ask: Ask) -> None:
    sent = [{"p": 0.1}, {"p": 0.4, "fail": "engine_failed", "times": 1}]
    response = await ask(Server(refusals=(None, httpx.ReadTimeout("slow"))), "score", sent)
    assert response.results[0].probability == 0.1
    assert response.failed[0].error.code == "engine_failed"
    with pytest.raises(rm.Unauthorized):
        await ask(Server(refusals=(None, refusal(401))), "score", sent)


async def test_with_group_statistics_a_whole_group_is_sent_again(ask: Ask) -> None:
    server = Server()
    again = {"p": 0.4, "fail": "engine_failed", "times": 1}
    sent = [rm.Item(trajectory={"p": i / 10}, group="ab"[i % 2]) for i in range(4)]
    sent.append(rm.Item(trajectory=again, group="a"))
    response = await ask(server, "score", sent, group_stats=True)
    assert server.sizes == [5, 3]
    assert set(response.groups) == {"a", "b"}
    assert set(response.groups["a"].advantages) == {0, 2, 4}
    assert response.probabilities() == [0.0, 0.1, 0.2, 0.3, 0.4]


async def test_a_group_keeps_its_better_verdict(ask: Ask) -> None:
    """The second answer knows less: the first stays, results and statistics of one piece."""
    calls: list[int] = []

    def worse(answer: dict[str, Any]) -> None:
        calls.append(1)
        if len(calls) == 2:
            error = {"code": "deadline", "message": "m", "retryable": False}
            for result in answer["results"]:
                result.update(status="failed", error=error)

    again = {"p": 0.4, "fail": "engine_failed"}
    sent = [rm.Item(trajectory=d, group="a") for d in ({"p": 0.1}, again)]
    response = await ask(
        Server(worse), "score", sent, group_stats=True, retries=rm.Retries(attempts=2)
    )
    assert response.results[0].probability == 0.1
    assert response.failed[0].error.code == "engine_failed"


async def test_an_async_answer_stops_at_the_deadline() -> None:
    class Endless(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                await asyncio.sleep(0.01)
                yield b" "

    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=Endless()))
    async with rm.AsyncClient(transport=transport) as client:
        with pytest.raises(rm.TimedOut):
            await client.score([{"p": 1}], wait_s=0.1)


async def test_an_async_server_that_says_nothing_is_left_at_the_deadline() -> None:
    async def never(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        raise AssertionError

    async with rm.AsyncClient(transport=httpx.MockTransport(never)) as client:
        with pytest.raises(rm.TimedOut):
            await client.score([{"p": 1}], wait_s=0.05)


def test_a_sync_answer_that_trickles_is_left_at_the_deadline(clockwork: Clockwork) -> None:
    class Trickle(httpx.SyncByteStream):
        def __iter__(self) -> Any:
            while True:
                clockwork.now_s += 5
                yield b" "

    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=Trickle()))
    with rm.Client(transport=transport) as client, pytest.raises(rm.TimedOut):
        client.score([{"p": 1}], wait_s=12)
