"""`swe-rm score --out`: lines as they come, and a run that goes on where it was."""

from __future__ import annotations

import asyncio
import fcntl
import json
from collections.abc import AsyncIterator, Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from houses import STORE, chat
from rich.console import Console
from swe_rm_client import AsyncClient, ConnectionFailed, TooLarge
from swe_rm_client.errors import Problem
from test_cli import FAKE, run, told, write

from app.cli.pool import each
from app.cli.score import score
from app.cli.voice import Voice, connect
from app.config import Settings
from app.store import read_manifest


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    for n, name in enumerate("abc"):
        write(tmp_path / "runs" / f"{name}.json", {"messages": chat(n=n + 1)})
    write(tmp_path / "runs" / "other.json", {"steps": 3})
    row = json.dumps({"messages": chat(n=5)})
    write(tmp_path / "runs" / "rows.jsonl", f"{row}\n{row}\n")
    return tmp_path / "runs"


def test_what_is_there_is_kept(runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "scores.jsonl"
    first = run("score", *FAKE, runs, "--out", out)
    assert "scored: 5" in first.stderr
    assert not first.stdout
    found = {line["file"]: line for line in lines(out)}
    assert len(found) == 6
    assert found[str(runs / "a.json")]["probability"] > 0
    active = read_manifest(STORE / "swe-rm-nano").calibrations.active
    assert found[str(runs / "other.json")]["calibration"] == active
    before = out.read_bytes()
    again = run("score", *FAKE, runs, "--out", out)
    assert "kept from" in again.stderr
    assert "scored" not in again.stderr.replace("scores.jsonl", "")
    assert out.read_bytes() == before


def test_only_what_is_missing_is_scored(runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "scores.jsonl"
    run("score", *FAKE, runs / "a.json", "--out", out)
    write(runs / "a.json", {"messages": chat(n=9)})  # the run went on meanwhile
    result = run("score", *FAKE, "--json", runs, "--out", out)
    assert {line["file"] for line in told(result)} == {line["file"] for line in lines(out)}
    assert [line["file"] for line in lines(out)].count(str(runs / "a.json")) == 2
    result = run("score", *FAKE, runs, "--out", out)
    assert result.stderr.rstrip().endswith(": 6")


@pytest.mark.parametrize(
    ("name", "change", "again"),
    [
        ("a.json", {"calibration": "platt-1"}, True),
        ("a.json", {"system_fingerprint": "fp_other"}, True),
        ("a.json", {"revision": "sha256:other"}, True),
        ("a.json", {"on_overflow": "elide"}, False),
        ("a.json", {"on_overflow": "elide", "tokens": {"elided": 7}}, True),
        ("other.json", {"on_overflow": "elide"}, True),
        ("other.json", {"error": {"code": "deadline", "retryable": True}}, True),
    ],
)
def test_lines_of_another_maker_settle_nothing(
    runs: Path, tmp_path: Path, name: str, change: dict[str, Any], again: bool
) -> None:
    out = tmp_path / "scores.jsonl"
    run("score", *FAKE, runs, "--out", out)
    changed = [line | change if line["file"].endswith(name) else line for line in lines(out)]
    out.write_text("".join(json.dumps(line) + "\n" for line in changed))
    run("score", *FAKE, runs, "--out", out)
    assert len(lines(out)) == len(changed) + again


def test_a_half_written_line_is_mended(runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "scores.jsonl"
    run("score", *FAKE, runs, "--out", out)
    whole = out.read_bytes()
    for cut in (len(whole) - 1, len(whole) - 40, 30, 3, 0):
        out.write_bytes(whole[:cut])
        result = run("score", *FAKE, runs, "--out", out)
        assert "half-written" in result.stderr or cut in (0, len(whole) - 1)
        assert {line["file"] for line in lines(out)} == {
            x["file"] for x in map(json.loads, whole.splitlines())
        }
        assert len(lines(out)) == 6


def test_another_file_is_left_alone(runs: Path, tmp_path: Path) -> None:
    for text in ('{"messages": []}\n', "notes", '[{"file": "x"}]', '{"instance_id": "a"}\n{"fi'):
        foreign = write(tmp_path / "notes.jsonl", text)
        assert "name another" in run("score", *FAKE, runs, "--out", foreign, code=2).stderr
        assert foreign.read_text() == text
    assert "is a directory" in run("score", *FAKE, runs, "--out", tmp_path, code=2).stderr.lower()


def test_the_file_may_lie_among_the_runs(runs: Path) -> None:
    for _ in range(2):
        run("score", *FAKE, runs, "--out", runs / "scores.jsonl")
    assert len(lines(runs / "scores.jsonl")) == 6


def test_one_writer_at_a_time(runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "scores.jsonl"
    with out.open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert "another swe-rm" in run("score", *FAKE, runs, "--out", out, code=2).stderr


class Slowed:
    """A client that does something before it scores a document."""

    def __init__(self, client: AsyncClient, before: Callable[[str], Any]) -> None:
        self._client = client
        self._before = before
        self.info = client.info

    async def score(self, items: list[Any], **options: Any) -> Any:
        await self._before(items[0].id)
        return await self._client.score(items, **options)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[AsyncClient]:
    settings = Settings(engine="fake", model_store=STORE, state_dir=tmp_path / "state")
    async with connect(None, settings, Console(file=StringIO())) as opened:
        yield opened


def quiet() -> Voice:
    return Voice(Console(file=StringIO()), Console(file=StringIO(), width=500), as_json=False)


async def test_lines_are_there_before_the_rest(
    runs: Path, tmp_path: Path, client: AsyncClient
) -> None:
    out = tmp_path / "scores.jsonl"

    async def before(name: str) -> None:
        while name.endswith("c.json") and out.read_text().count("\n") < 5:
            await asyncio.sleep(0.01)

    slowed: Any = Slowed(client, before)
    async with asyncio.timeout(20):
        assert await score(slowed, [runs], quiet(), out=out) == 0
    assert lines(out)[-1]["file"].endswith("c.json")


async def test_what_was_finished_is_kept_when_the_server_goes(
    runs: Path, tmp_path: Path, client: AsyncClient
) -> None:
    out = tmp_path / "scores.jsonl"

    async def before(name: str) -> None:
        if name.endswith("a.json"):
            while out.read_text().count("\n") < 5:
                await asyncio.sleep(0.01)
            message = "gone"
            raise ConnectionFailed(message)

    slowed: Any = Slowed(client, before)
    with pytest.raises(ConnectionFailed):
        await score(slowed, [runs], quiet(), out=out)
    assert len(lines(out)) == 5
    voice = quiet()
    assert await score(client, [runs], voice, out=out) == 0
    assert len(lines(out)) == 6


async def test_a_document_too_large_for_a_request_fails_alone(
    runs: Path, tmp_path: Path, client: AsyncClient
) -> None:
    async def before(name: str) -> None:
        if name.endswith("a.json"):
            raise TooLarge(Problem(413, "body_too_large", "more than 64 MiB", retryable=False))

    out = tmp_path / "scores.jsonl"
    slowed: Any = Slowed(client, before)
    assert await score(slowed, [runs], quiet(), out=out) == 0
    (line,) = [line for line in lines(out) if line["file"].endswith("a.json")]
    assert line["error"]["code"] == "body_too_large"
    assert "probability" not in line


async def test_little_is_held_at_once() -> None:
    drawn, running, most = 0, 0, 0

    def values() -> Any:
        nonlocal drawn
        for n in range(40):
            drawn += 1
            yield n

    async def work(n: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001 * (n % 3))
        running -= 1
        assert drawn - done <= 4 + 4
        return n

    done = 0
    found = []
    async for n in each(work, values(), 4):
        done += 1
        found.append(n)
    assert sorted(found) == list(range(40))
    assert most == 4
    assert not [n async for n in each(work, [], 4)]


async def test_an_error_ends_the_others() -> None:
    cancelled = []

    async def work(n: int) -> int:
        if n == 2:
            message = "two"
            raise ValueError(message)
        try:
            await asyncio.sleep(n and 60)
        except asyncio.CancelledError:
            cancelled.append(n)
            raise
        return n

    found = []

    async def all_of_it() -> None:
        async for n in each(work, range(3), 3):
            found.append(n)

    with pytest.raises(ValueError, match="two"):
        await all_of_it()
    assert (found, cancelled) == ([0], [1])
