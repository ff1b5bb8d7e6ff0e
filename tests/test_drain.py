"""How `swe-rm serve` ends: in order on the first signal, at once on the second, always with a status."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from houses import STREAM, check_problem, item
from servers import Served, free_port

BODY = {"trajectories": [item(n=1), item(n=2), {"messages": []}]}


@contextmanager
def served(state: Path, *flags: str, **odd: float) -> Iterator[Served]:
    one = Served(free_port(), state, *flags, **odd)
    try:
        yield one
    finally:
        one.kill()


@contextmanager
def in_flight(
    one: Served, count: int = 1, **headers: str
) -> Iterator[list[Future[httpx.Response]]]:
    """Requests that are inside the engine."""
    with ThreadPoolExecutor(count) as pool:
        ask = [
            pool.submit(httpx.post, f"{one.url}/score", json=BODY, headers=headers, timeout=30)
            for _ in range(count)
        ]
        for _ in range(200):
            page = httpx.get(f"{one.url}/metrics").text
            if f"swe_rm_inside_items {2.0 * count}" in page:
                break
            time.sleep(0.02)
        else:
            pytest.fail("the items did not get inside")
        yield ask


def codes(results: list[dict[str, object]]) -> list[str]:
    return [r["error"]["code"] if r["status"] == "failed" else "scored" for r in results]  # type: ignore[index]


def test_what_runs_finishes_and_nothing_more_is_taken(tmp_path: Path) -> None:
    with served(tmp_path, "--drain-s", "20", delay_s=5) as one:
        one.ready()
        with in_flight(one) as asked:
            one.signal()
            assert one.until_state("draining").status_code == 503
            assert httpx.get(f"{one.url}/livez").status_code == 200
            for route, body in (("/score", BODY), ("/rm", {"prompt": "p", "response": "r"})):
                refused = httpx.post(f"{one.url}{route}", json=body)
                check_problem(refused, 503, "draining")
                assert refused.headers["connection"] == "close"
            assert httpx.get(f"{one.url}/info").json()["health"]["state"] == "draining"
            answer = asked[0].result()
        assert codes(answer.json()["results"]) == ["scored", "scored", "empty"]
        status, said = one.end()
        assert status == 0, said
        assert "Traceback" not in said


def test_what_does_not_finish_ends_as_draining_inside_its_answer(tmp_path: Path) -> None:
    with served(tmp_path, "--drain-s", "0.3", delay_s=60) as one:
        one.ready()
        with in_flight(one) as plain:
            one.signal()
            answer = plain[0].result()
        assert answer.status_code == 200
        results = answer.json()["results"]
        assert codes(results) == ["draining", "draining", "empty"]
        assert results[0]["error"]["retryable"]
        assert "logit" not in answer.text
        status, said = one.end()
        assert status == 0, said
        assert "Traceback" not in said


def test_a_stream_gets_its_end(tmp_path: Path) -> None:
    with served(tmp_path, "--drain-s", "0.3", delay_s=60) as one:
        one.ready()
        with in_flight(one, **STREAM) as asked:
            one.signal()
            rows = [json.loads(row) for row in asked[0].result().text.splitlines()]
        assert rows[-1]["object"] == "score.end"
        assert sorted(codes([r for r in rows if "status" in r])) == [
            "draining",
            "draining",
            "empty",
        ]
        assert one.end()[0] == 0


def test_it_serves_on_while_balancers_take_note(tmp_path: Path) -> None:
    with served(tmp_path, "--propagate-s", "3") as one:
        one.ready()
        one.signal()
        one.until_state("draining")
        assert httpx.post(f"{one.url}/score", json=BODY).json()["counts"]["scored"] == 2
        assert one.end()[0] == 0


def test_the_second_signal_is_now(tmp_path: Path) -> None:
    with served(tmp_path, "--drain-s", "60", delay_s=60) as one:
        one.ready()
        with in_flight(one) as asked:
            one.signal()
            one.until_state("draining")
            started = time.monotonic()
            status, said = one.end(signal.SIGTERM)
            assert time.monotonic() - started < 5
            assert status == 128 + signal.SIGTERM
            assert "Traceback" not in said
            with pytest.raises(httpx.TransportError):
                asked[0].result()


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_while_the_model_loads(tmp_path: Path, stop: signal.Signals) -> None:
    with served(tmp_path, start_s=600) as one:
        one.until_said("starting the fake engine")
        status, said = one.end(stop)
        assert status == 0
        assert "stopped before it was ready" in said
        assert "Traceback" not in said


def test_idle_and_half_sent_connections_hold_nothing_up(tmp_path: Path) -> None:
    with served(tmp_path, "--drain-s", "0.5") as one:
        one.ready()
        with httpx.Client() as idle, socket.create_connection(("127.0.0.1", one.port)) as half:
            idle.get(f"{one.url}/livez")
            half.sendall(b"POST /score HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")
            status, said = one.end(signal.SIGTERM)
        assert status == 0, said
        assert "Traceback" not in said


def test_an_engine_lost_for_good_is_status_70(tmp_path: Path) -> None:
    with served(tmp_path, "--restarts", "1", "--probe-every-s", "0.1", dies_after=1) as one:
        one.ready()
        answer = httpx.post(f"{one.url}/score", json=BODY).json()
        assert "engine_restarting" in codes(answer["results"])
        check_problem(httpx.post(f"{one.url}/score", json=BODY), 503, "engine_restarting")
        assert httpx.get(f"{one.url}/livez").status_code == 200
        one.until_state("ok")
        page = httpx.get(f"{one.url}/metrics").text
        assert "swe_rm_engine_restarts_total 1.0" in page
        assert 'swe_rm_engine_state{state="ready"} 1.0' in page
        httpx.post(f"{one.url}/score", json=BODY)
        status, said = one.end()
        assert status == 70, said
        assert "Traceback" not in said
