"""The log: a JSON line a request and a failed item, and never a word of what was sent."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from houses import NDJSON, STREAM, ask, item, ndjson, opened

from app.api import logs
from app.api.access import Keyring
from app.api.access.keys import make_key
from app.config import Settings
from app.engine.fake import FakeEngine

MARK = "XMARKX7f3a"


@contextmanager
def logged(level: str = "info", kind: Any = "json") -> Iterator[io.StringIO]:
    """What the log says meanwhile; the root logger is as before afterwards."""
    out = io.StringIO()
    asking = [logging.getLogger(name) for name in ("httpx", "httpcore")]
    for each in asking:  # the test's own side
        each.disabled = True
    logging.getLogger("uvicorn.error").setLevel(logging.NOTSET)  # servers of other tests are quiet
    with logs.configured(level, kind, out):
        yield out
    for each in asking:
        each.disabled = False


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def requests(out: io.StringIO) -> list[dict[str, Any]]:
    return [line for line in lines(out) if line["logger"] == "swe_rm.request"]


async def test_a_request_is_a_line_and_a_failed_item_another() -> None:
    body = {"trajectories": [item(), {"trajectory": "{"}, item()]}
    with logged() as out, opened() as built:
        async with ask(built) as client:
            answer = await client.post("/score", json=body, headers={"x-request-id": "step-7"})
    assert answer.headers["x-request-id"] == "step-7"
    failed, whole = requests(out)
    code = answer.json()["results"][1]["error"]["code"]
    assert (failed["event"], failed["request_id"], failed["index"]) == ("item failed", "step-7", 1)
    assert failed["code"] == code
    usage = answer.json()["usage"]
    wanted = {
        "event": "request", "level": "info", "request_id": "step-7", "route": "/score",
        "method": "POST", "status": 200, "key_id": "local", "scored": 2, "failed": 1, "retryable": 0,
        "computed_tokens": usage["computed_tokens"],
    }  # fmt: skip
    assert wanted.items() <= whole.items()
    assert all(whole[name] >= 0 for name in ("ms", "parse_ms", "wait_ms", "engine_ms"))
    assert whole["timestamp"].endswith("Z")


async def test_a_refusal_says_its_code_and_whose_it_is(tmp_path: Path) -> None:
    file = tmp_path / "keys.jsonl"
    secret = make_key(file, "trainer", ["metrics"])
    with logged() as out, opened(access=Keyring(file)) as built:
        async with ask(built) as client:
            await client.post("/score")
            await client.post("/score", headers={"authorization": f"Bearer {secret}"})
            await client.get("/metrics", headers={"authorization": f"Bearer {secret}"})
            await client.get(f"/{MARK}")
    told = [(each["route"], each["status"], each["code"]) for each in requests(out)]
    assert told == [
        ("/score", 401, "unauthenticated"),
        ("/score", 403, "forbidden"),
        ("unmatched", 401, "unauthenticated"),
    ]
    assert all(len(line) <= 1024 for line in out.getvalue().splitlines())
    assert secret not in out.getvalue()
    assert MARK not in out.getvalue()


@pytest.mark.parametrize(("level", "count"), [("debug", 2), ("info", 0)])
async def test_good_probes_are_for_who_wants_all(level: str, count: int) -> None:
    with logged(level) as out, opened() as built:
        async with ask(built) as client:
            await client.get("/livez")
            await client.get("/metrics")
    assert len(requests(out)) == count


PATHS = (
    "/score", "/rerank", "/rm", "/get_reward", "/classify", "/verify", "/tokenize",
    "/v1/chat/completions", "/outcomes", "/rewards", f"/{MARK}", f"/scores/{MARK}",
)  # fmt: skip


async def drive(client: httpx.AsyncClient) -> None:
    """Every way to fail, with the mark in every place."""
    marked = {"id": MARK, "instance_id": MARK, "group": MARK, "tags": {"policy": MARK, "run": MARK}}
    items = [
        item(word=MARK) | marked, item(issue=MARK) | marked, {"trajectory": "{" + MARK} | marked,
        {"trajectory": {MARK: MARK}}, {MARK: MARK}, {"prompt": MARK}, item(word=f"{MARK} " * 3000),
        {"messages": [{"role": MARK, "content": MARK}]}, {"messages": [MARK]}, MARK,
    ]  # fmt: skip
    headers = {"authorization": f"Bearer {MARK}", "x-session-id": MARK, "cookie": MARK}
    body = {"trajectories": items}
    for path in PATHS:
        await client.post(path, json=body, headers=headers)
        await client.post(path, content=MARK, headers=headers)
        await client.post(
            path, json={"prompt": MARK, "response": MARK, "query": [MARK], "input": MARK}
        )
    await client.post("/score", json=body | {"model": MARK})
    await client.post("/score", json=body | {"calibration": MARK})
    await client.post("/score", content=ndjson({}, *items, MARK.encode()), headers=NDJSON | STREAM)
    await client.get(f"/score?{MARK}", headers={"x-request-id": f"{MARK} not plain"})


@pytest.mark.parametrize(
    "engine",
    [FakeEngine(), FakeEngine(fault="crash"), FakeEngine(fault="nan"), FakeEngine(dead=True)],
    ids=["good", "crash", "nan", "dead"],
)
@pytest.mark.parametrize("keyed", [False, True])
async def test_no_word_of_a_request_is_in_the_log_or_the_metrics(
    tmp_path: Path, engine: FakeEngine, keyed: bool
) -> None:
    file = tmp_path / "keys.jsonl"
    make_key(file, "other", ["score"])
    access = Keyring(file) if keyed else None
    with logged("debug") as out, opened(engine=engine, access=access, allowed_tokens=4000) as built:
        async with ask(built, defects=False) as client:
            await drive(client)
        page = built.house.metrics.page()[0].decode()
    assert MARK not in out.getvalue()
    assert MARK not in page
    assert len(requests(out)) > 30


async def test_a_defect_is_logged_without_its_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise ValueError(MARK)

    monkeypatch.setattr("app.api.score.present.head", broken)
    with logged() as out, opened() as built:
        async with ask(built, defects=False) as client:
            answer = await client.post("/score", json={"trajectories": [item()]})
        try:
            broken()
        except ValueError:
            logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n")
    assert answer.status_code == 500
    assert MARK not in out.getvalue()
    ours, theirs = [line for line in lines(out) if line["level"] == "error"]
    assert answer.headers["x-request-id"] in ours["event"]
    assert (theirs["exception"], theirs["event"]) == ("ValueError", "Exception in ASGI application")
    assert "test_logs.py" in theirs["at"][-1]


def test_libraries_speak_in_one_short_line() -> None:
    with logged() as out:
        logging.getLogger("asyncio").error("never retrieved\nfuture: %s", MARK)
        logging.getLogger("other").warning("x" * 5000)
        logging.getLogger("other").info("kept", extra={"body": MARK, "code": "fine"})
    first, second, third = lines(out)
    assert first["event"] == "never retrieved"
    assert len(second["event"]) == 300
    assert third["code"] == "fine"
    assert MARK not in out.getvalue()


def test_console_is_for_people() -> None:
    with logged(kind="console") as out:
        logging.getLogger("swe_rm.serve").warning("hello")
    assert "hello" in out.getvalue()
    assert not out.getvalue().startswith("{")


def test_settings_show_no_secret(built_settings: Settings) -> None:
    for text in (repr(built_settings), str(built_settings)):
        assert MARK not in text


@pytest.fixture
def built_settings() -> Settings:
    return Settings(
        receipt_keys=f"a:{MARK}0123456789",
        store_url=f"postgresql://u:{MARK}@h/d",
        otlp_endpoint=f"http://u:{MARK}@h:4318",
    )


def test_nothing_is_configured_unless_asked_for() -> None:
    """Commands with a house of their own keep stdout and stderr clean."""
    with logged("debug"), opened():
        pass
    assert not logging.getLogger("swe_rm.request").isEnabledFor(logging.INFO)
