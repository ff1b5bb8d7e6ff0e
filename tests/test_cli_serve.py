"""`swe-rm serve` as a process: it starts, answers, and stops in order."""

from __future__ import annotations

import asyncio
import importlib
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from houses import STORE, chat
from prometheus_client import CollectorRegistry
from servers import Served, free_port
from swe_rm_client import Client, Item, Scored

from app.api import create_app
from app.api.house import House
from app.config import Settings


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    one = Served(free_port(), tmp_path)
    yield one
    one.kill()


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_told_to_stop(served: Served, stop: signal.Signals) -> None:
    served.ready()
    with Client(served.url) as client:
        answer = client.score([Item(messages=chat()), Item(messages=chat(n=3))])
        assert all(isinstance(result, Scored) for result in answer.results)
        assert client.info().api_version == 1
    status, said = served.end(stop)
    assert status == 0, said
    assert "Traceback" not in said
    with pytest.raises(httpx.TransportError):
        httpx.get(served.url)


def test_it_stops_while_it_starts(tmp_path: Path) -> None:
    """Wherever in the start the signal comes once it is heard at all: status 0, no traceback."""
    for after_s in (0.7, 0.9, 1.1, 1.5):
        starting = Served(free_port(), tmp_path)
        time.sleep(after_s)
        status, said = starting.end(signal.SIGTERM)
        assert "Traceback" not in said
        # Before Python has read the program a signal ends it the plain way.
        assert status in (0, -signal.SIGTERM), said


def test_a_signal_between_start_and_service_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = importlib.import_module("app.cli.serve")

    def signalled(house: House) -> FastAPI:
        signal.raise_signal(signal.SIGTERM)
        return create_app(house)

    monkeypatch.setattr(room, "create_app", signalled)
    monkeypatch.setattr(room, "REGISTRY", CollectorRegistry())
    monkeypatch.setattr(room, "_calm_collector", lambda: None)
    settings = Settings(engine="fake", port=0, model_store=STORE, state_dir=tmp_path)
    asyncio.run(asyncio.wait_for(room.serve(settings, lambda _: None), 20))


def test_a_port_in_use_is_said(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        status, said = Served(taken.getsockname()[1], tmp_path).end()
    assert status != 0
    assert "address already in use" in said.lower()
    assert "Traceback" not in said
