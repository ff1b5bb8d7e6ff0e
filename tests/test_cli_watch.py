"""`swe-rm watch` and folders of event files: what other programs are still writing."""

from __future__ import annotations

import asyncio
import gzip
import importlib
import json
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from houses import STORE, chat
from rich.console import Console
from servers import SWE_RM
from swe_rm_client import AsyncClient, ConnectionFailed
from test_cli import EXAMPLES, FAKE, run, told, write

from app.cli import growing
from app.cli.voice import Voice, connect
from app.cli.watch import Pace
from app.config import Settings

watching = importlib.import_module("app.cli.watch")  # `watch` of the room is the command
EXAMPLE = EXAMPLES / "inikit__solved_direct.traj.json"
SAMPLES = Path(__file__).resolve().parents[2] / "shared/formats/openhands-sdk-events"


def mini(n: int, end: str | None = None) -> dict[str, Any]:
    info = {"exit_status": end, "submission": "diff --git a/x b/x\n"} if end else {}
    return {"trajectory_format": "mini-swe-agent-1.1", "messages": chat(n=n), "info": info}


def test_the_whole_curve_at_once() -> None:
    result = run("watch", *FAKE, "--once", EXAMPLE)
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines[:-1]] == [str(n) for n in range(10)]
    assert lines[-1].startswith("final (exit Submitted, patch of 1,471 characters): P(resolved)")
    *steps, whole = told(run("watch", *FAKE, "--once", "--json", EXAMPLE))
    assert [step["turn"] for step in steps] == list(range(10))
    (scored,) = told(run("score", *FAKE, "--json", EXAMPLE))
    assert whole["logit"] == scored["logit"]


def test_what_has_no_end_is_told_so_far(tmp_path: Path) -> None:
    result = run("watch", *FAKE, "--once", write(tmp_path / "a.json", mini(2)))
    assert result.stdout.splitlines()[-1].startswith("so far: ")
    for name, content, words in (
        ("b.json", {"messages": chat(n=0)}, "neither assistant"),
        ("c.json", "", "is empty"),
        ("missing.json", None, "is not there"),
    ):
        file = tmp_path / name if content is None else write(tmp_path / name, content)
        assert words in run("watch", *FAKE, "--once", file, code=1).stderr


class Watched:
    """A watch under way, and what it has said."""

    def __init__(self, client: AsyncClient, path: Path, as_json: bool = True) -> None:
        self.path = path
        self.out, self.log = StringIO(), StringIO()
        voice = Voice(Console(file=self.out, width=500), Console(file=self.log, width=500), as_json)
        pace = Pace(every_s=0.02, idle_s=5)
        self.asked: list[Any] = []
        self.client: Any = client
        self.task = asyncio.create_task(watching.watch(self.recorded(), path, voice, pace))

    def recorded(self) -> Any:
        outer = self

        class Recorded:
            info = outer.client.info

            async def score(self, items: Any, **options: Any) -> Any:
                outer.asked.append(options["steps"])
                return await outer.client.score(items, **options)

        return Recorded()

    @property
    def told(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.getvalue().splitlines()]

    async def until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not reached():
                await asyncio.sleep(0.01)

    async def turns(self, *turns: int) -> None:
        await self.until(lambda: [step.get("turn") for step in self.told] == list(turns))


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[AsyncClient]:
    settings = Settings(engine="fake", model_store=STORE, state_dir=tmp_path / "state")
    async with connect(None, settings, Console(file=StringIO())) as opened:
        yield opened


async def test_only_new_turns_are_asked_for(tmp_path: Path, client: AsyncClient) -> None:
    path = tmp_path / "a.json"
    seen = Watched(client, path)
    await seen.until(lambda: "is not there" in seen.log.getvalue())
    write(path, mini(2))
    await seen.turns(0, 1)
    write(path, json.dumps(mini(4))[:60])  # half-written
    await seen.until(lambda: "not JSON" in seen.log.getvalue())
    unanswered = mini(4)
    unanswered["messages"].pop()
    write(path, unanswered)
    await seen.turns(0, 1, 2, 3)
    write(path, mini(4))  # turn 3 has its observation now
    await seen.turns(0, 1, 2, 3, 3)
    assert [step["again"] for step in seen.told] == [False] * 4 + [True]
    write(path, mini(5, "Submitted"))
    assert await asyncio.wait_for(seen.task, 10) == 0
    assert seen.asked == [{"turns": t} for t in ([0, 1], [2, 3], [3], [4])]
    last = seen.told[-1]
    assert last["end"] == "exit Submitted, patch of 19 characters"
    answer = await client.score([mini(5, "Submitted")], steps="all")
    (scored,) = answer.results
    assert scored.logit == last["logit"]
    known = {step["turn"]: step["logit"] for step in seen.told if "turn" in step}
    assert known == {step.turn: step.logit for step in scored.steps or ()}


async def test_lines_are_followed_without_the_half_one(
    tmp_path: Path, client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growing, "BROKEN_S", 0.1)
    lines = [
        {"type": "user" if m["role"] == "user" else "assistant", "uuid": str(n), "sessionId": "s",
         "parentUuid": str(n - 1) if n else None, "message": m | {"id": str(n)}}
        for n, m in enumerate(chat(n=3))
    ]  # fmt: skip
    text = "".join(json.dumps(line) + "\n" for line in lines)
    cut = len(text) - 30
    path = write(tmp_path / "s.jsonl", text[:cut])
    seen = Watched(client, path)
    await seen.turns(0, 1, 2)
    await seen.until(lambda: "half-written" in seen.log.getvalue())
    with path.open("a") as file:
        file.write(text[cut:] + json.dumps({"type": "result", "subtype": "success"}) + "\n")
    assert await asyncio.wait_for(seen.task, 10) == 0
    assert seen.told[-1]["end"] == "exit success"
    assert seen.asked == [{"turns": [0, 1, 2]}, {"turns": [2]}]


@pytest.mark.parametrize(
    "content", ['{"messages": [', '{"steps": 3}', '[{"messages": []}, {"messages": []}]']
)
async def test_what_stays_broken_is_an_error(
    tmp_path: Path, client: AsyncClient, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    monkeypatch.setattr(growing, "BROKEN_S", 0.2)
    seen = Watched(client, write(tmp_path / "a.json", content))
    assert await asyncio.wait_for(seen.task, 10) == 1
    assert str(tmp_path / "a.json") in seen.log.getvalue()
    assert not seen.out.getvalue()


async def test_a_server_that_is_away_is_waited_for(
    tmp_path: Path, client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.json", mini(1))
    away = True
    real = client.score

    async def score(*arguments: Any, **options: Any) -> Any:
        if away:
            message = "nobody listens"
            raise ConnectionFailed(message)
        return await real(*arguments, **options)

    monkeypatch.setattr(client, "score", score)
    seen = Watched(client, path, as_json=False)
    await seen.until(lambda: len(seen.asked) > 2)
    assert seen.log.getvalue().count("nobody listens") == 1
    away = False
    await seen.until(lambda: "    0  0." in seen.out.getvalue())
    away = True
    monkeypatch.setattr(watching, "_SERVER_S", 0.1)
    write(path, mini(2))
    assert await asyncio.wait_for(seen.task, 10) == 1


async def test_a_file_that_rests_too_long_ends_it(tmp_path: Path, client: AsyncClient) -> None:
    path = write(tmp_path / "a.json", mini(1))
    log = StringIO()
    voice = Voice(Console(file=StringIO()), Console(file=log, width=500), as_json=False)
    assert await watching.watch(client, path, voice, Pace(every_s=0.02, idle_s=0.1)) == 1
    assert "has not changed for 0.1 s" in log.getvalue()


def test_ctrl_c_is_a_good_end(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", mini(1))
    state = ("--state-dir", str(tmp_path / "state"))
    process = subprocess.Popen(
        [SWE_RM, "watch", *FAKE, *state, path, "--every-s", "0.1"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout
    try:
        assert process.stdout.readline().startswith("    0  0.")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0, said
    assert "Traceback" not in said


def test_bars() -> None:
    assert watching.bar(0.5, "utf-8") == "█" * 10 + "·" * 10
    assert watching.bar(1.0, "ascii") == "#" * 20


# --- folders of event files


def v0_event(n: int) -> dict[str, Any]:
    if n == 0:
        return {"id": 0, "source": "user", "action": "message", "args": {"content": "Fix it."}}
    if n % 2:
        return {"id": n, "source": "agent", "action": "run", "args": {"command": f"ls {n}"}}
    return {"id": n, "source": "agent", "observation": "run", "content": f"out {n}", "extras": {}}


def v0_folder(folder: Path, n: int) -> Path:
    for at in range(n):
        write(folder / "events" / f"{at}.json", v0_event(at))
    write(folder / "metadata.json", {"title": "t"})
    write(folder / "event_cache" / "0-2.json", [v0_event(at) for at in range(3)])
    return folder


def test_a_folder_of_events_is_one_document(tmp_path: Path) -> None:
    one = v0_folder(tmp_path / "o__r-1", 12)
    write(tmp_path / "plain" / "1.json", {"messages": chat()})  # a number, but no event
    write(tmp_path / "plain" / "2.json", {"messages": chat(n=2)})
    lines = told(run("score", *FAKE, "--json", tmp_path))
    found = {line["file"]: line for line in lines}
    assert found.keys() == {
        str(one / "events"), str(tmp_path / "plain" / "1.json"), str(tmp_path / "plain" / "2.json"),
    }  # fmt: skip
    joined = write(tmp_path / "joined.json", [v0_event(at) for at in range(12)])
    (single,) = told(run("score", *FAKE, "--json", joined))
    assert found[str(one / "events")]["logit"] == single["logit"]
    assert "o__r-1/events" in run("score", *FAKE, one).stdout
    (ranked,) = told(run("rerank", *FAKE, "--json", one, joined))
    assert ranked["files"] == [str(one / "events"), str(joined)]
    assert ranked["results"][0]["tied"]


def test_a_broken_event_is_named(tmp_path: Path) -> None:
    folder = v0_folder(tmp_path, 5)
    write(folder / "events" / "3.json", '{"id": 3')
    result = run("score", *FAKE, "--json", folder, code=1)
    assert "events: 3.json: not JSON" in result.stderr
    assert "unreadable: 1" in result.stderr


def test_scores_of_a_folder_are_kept_until_it_grows(tmp_path: Path) -> None:
    folder, out = v0_folder(tmp_path / "c", 5), tmp_path / "scores.jsonl"
    run("score", *FAKE, folder, "--out", out)
    assert "kept" in run("score", *FAKE, folder, "--out", out).stderr
    v0_folder(folder, 7)
    assert "scored: 1" in run("score", *FAKE, folder, "--out", out).stderr


async def test_a_growing_folder_is_followed(tmp_path: Path, client: AsyncClient) -> None:
    folder = v0_folder(tmp_path / "c", 3) / "events"
    seen = Watched(client, folder)
    await seen.turns(0)
    write(folder / "3.json", v0_event(3))
    await seen.turns(0, 1)
    write(folder / "4.json", v0_event(4))
    finish = {"id": 5, "source": "agent", "action": "finish", "args": {}}
    write(folder / "5.json", finish)
    assert await asyncio.wait_for(seen.task, 10) == 0
    assert seen.told[-1]["end"] == "exit finish"


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples are not here")
def test_samples_of_the_sdk(tmp_path: Path) -> None:
    lines = told(run("score", *FAKE, "--json", SAMPLES))
    found = {Path(line["file"]).name: line for line in lines}
    assert found.keys() == {folder.name for folder in SAMPLES.iterdir()}
    assert found["conv_38868567"]["format"] == "openhands-sdk"
    for file in (SAMPLES / "conv_38868567").iterdir():
        text = gzip.decompress(file.read_bytes()).decode()
        write(tmp_path / "conv" / "events" / file.name.removesuffix(".gz"), text)
    (line,) = told(run("score", *FAKE, "--json", tmp_path))
    assert line["logit"] == found["conv_38868567"]["logit"]
