"""The command `swe-rm`, on the fake engine: files in, tables and lines out, and its manners."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from houses import STORE, chat
from typer.testing import CliRunner, Result

from app.cli import app, main
from app.config import Settings

EXAMPLES = STORE.parent / "examples" / "trajectories"
FAKE = ("--engine", "fake", "--model-store", str(STORE))


def run(*arguments: str | Path, code: int = 0) -> Result:
    wide = {"COLUMNS": "200", "TERM": "dumb"}
    result = CliRunner().invoke(app, [str(a) for a in arguments], env=wide)
    assert result.exit_code == code, (result.output, result.exception)
    assert "Traceback" not in result.output
    return result


def told(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def write(path: Path, value: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Good, packed, broken, foreign and several rows in one file."""
    row = {"messages": chat()}
    write(tmp_path / "a.json", row)
    (tmp_path / "b.json.gz").write_bytes(gzip.compress(json.dumps(row).encode()))
    write(tmp_path / "c" / "rows.jsonl", f"{json.dumps(row)}\n{{broken\n{json.dumps(row)}\n5\n")
    write(tmp_path / "broken.json", '{"messages": [')
    write(tmp_path / "other.json", {"steps": 3})
    write(tmp_path / "labels.jsonl", "{}\n")
    write(tmp_path / "picture.png", "no trajectory")
    return tmp_path


def test_what_the_server_sees_is_shown_without_an_engine(folder: Path) -> None:
    lines = told(run("read", "--model-store", str(STORE), "--json", folder, code=1))
    seen = {Path(line["file"]).name: line for line in lines}
    assert seen["a.json"]["format"] == "openai-chat"
    assert seen["a.json"]["turns"] == seen["rows.jsonl#2"]["turns"] > 0
    assert seen["a.json"]["tokens"] == seen["b.json.gz"]["tokens"] > 20
    assert seen["other.json"]["problem"].startswith("unknown_format")
    assert seen["broken.json"].keys() == {"file", "problem"}
    shown = run("read", "--model-store", str(STORE), folder, code=1)
    assert "other.json: unknown_format" in shown.stderr
    assert "openai-chat" in shown.stdout


def test_the_examples_are_scored() -> None:
    result = run("score", *FAKE, EXAMPLES)
    files = sorted(EXAMPLES.glob("*.traj.json"))
    for file in files:
        assert file.name.removesuffix(".traj.json") in result.stdout
    assert f"scored: {len(files)}" in result.stderr
    assert "Nothing trained judged here" in result.stdout


def test_names_are_whole_where_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Piped into a file or a CI log, 80 columns cut the names; there is no terminal to fit."""
    arguments = ["score", *FAKE, str(EXAMPLES)]
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": ""})
    assert "slotbook__solved_after_detour" in result.stdout
    assert "…" not in result.stdout


def test_lines_for_machines(folder: Path) -> None:
    result = run("score", *FAKE, "--json", folder)
    found = {line["file"]: line for line in told(result)}
    assert {name for name, line in found.items() if line["status"] == "scored"} == {
        str(folder / "a.json"), str(folder / "b.json.gz"),
        f"{folder}/c/rows.jsonl#0", f"{folder}/c/rows.jsonl#2",
    }  # fmt: skip
    assert found[str(folder / "other.json")]["error"]["code"] == "unknown_format"
    assert found[f"{folder}/c/rows.jsonl#1"]["error"]["code"] == "unreadable"
    for told_of in ("scored: 4", "unreadable: ", "unknown_format: 1", "broken.json"):
        assert told_of in result.stderr
    same = {line["logit"] for line in found.values() if line["status"] == "scored"}
    assert len(same) == 1


def test_nothing_is_scored_out_of_nothing(tmp_path: Path) -> None:
    run("score", *FAKE, tmp_path, code=1)
    run("rerank", *FAKE, tmp_path, code=1)
    result = run("score", *FAKE, tmp_path / "missing.json", code=1)
    assert "missing.json" in result.stderr
    assert "unreadable: 1" in result.stderr


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("cut.json.gz", gzip.compress(b'{"messages": []}' * 99)[:40]),
        ("spoilt.json.gz", gzip.compress(b'{"messages": []}' * 99)[:10] + b"\xff" * 40),
        ("header.json.gz", b"\x1f\x8bxxxxxxxxxxxx"),
        ("latin.json", b'{"a": "\xe9"}'),
        ("empty.json", b""),
        ("[red]x.json", b"{"),
        (os.fsdecode(b"caf\xe9.json"), b"{"),
        ("a:bug:b.json", b"["),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, data: bytes) -> None:
    good = write(tmp_path / "good.json", {"messages": chat()})
    (tmp_path / name).write_bytes(data)
    result = run("score", *FAKE, "--json", good, tmp_path / name)
    assert len([line for line in told(result) if line["status"] == "scored"]) == 1
    assert name.encode("utf-8", "replace").decode() in result.stderr + result.stdout


def test_odd_names_survive_tables_and_lines(tmp_path: Path) -> None:
    odd = write(tmp_path / "[bold]x :bug: é.json", {"messages": chat()})
    assert "[bold]x :bug: é" in run("score", *FAKE, odd).stdout
    assert told(run("score", *FAKE, "--json", odd))[0]["file"] == str(odd)
    assert "[bold]x :bug: é" in run("rerank", *FAKE, odd).stdout
    (line,) = told(run("rerank", *FAKE, "--json", odd))
    assert line["files"] == [str(odd)]


def test_candidates_are_ranked() -> None:
    files = sorted(EXAMPLES.glob("durfmt__*"))
    result = run("rerank", *FAKE, *files)
    assert all(file.name.removesuffix(".traj.json") in result.stdout for file in files)
    (line,) = told(run("rerank", *FAKE, "--json", *files))
    assert line["best"] == line["results"][0]["index"]
    assert line["files"] == [str(file) for file in files]


def test_a_failed_candidate_is_named(folder: Path) -> None:
    result = run("rerank", *FAKE, "--json", folder / "other.json", folder / "a.json")
    assert "other: unknown_format" in result.stderr
    assert told(result)[0]["best"] == 1


def test_models_are_listed_and_verified(tmp_path: Path) -> None:
    result = run("models", "list", "--model-store", STORE)
    assert all(f.name in result.stdout for f in STORE.iterdir() if f.is_dir())
    result = run("models", "verify", "swe-rm-nano", "--model-store", STORE)
    assert "model.safetensors" in result.stdout
    spoilt = tmp_path / "swe-rm-nano"
    shutil.copytree(STORE / "swe-rm-nano", spoilt)
    (spoilt / "tokenizer.json").write_bytes(b"{}")
    result = run("models", "verify", "swe-rm-nano", "--model-store", tmp_path, code=1)
    assert "tokenizer.json" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("models", "verify", "nobody", "--model-store", str(STORE)), "nobody"),
        (("serve", *FAKE, "--model", "nobody"), "nobody"),
        (("serve", *FAKE, "--host", "0.0.0.0"), "allow_anonymous"),
        (("serve", *FAKE, "--max-tokens", "999999999"), "max_tokens"),
        (("score", *FAKE, "--waiting-items", "1", "x.json"), "waiting_items"),
        (("score", "--url", "http://127.0.0.1:9", str(EXAMPLES)), "ConnectError"),
        (("score", "--url", "nonsense", str(EXAMPLES)), "'http://'"),
    ],
)
def test_what_cannot_start_says_why(
    arguments: tuple[str, ...],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["swe-rm", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    said = capfd.readouterr().err.replace("\n", "")
    assert "Traceback" not in said
    assert words in said


def test_an_unknown_variable_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWE_RM_PROT", "1")
    assert "SWE_RM_PROT" in run("score", *FAKE, EXAMPLES, code=2).stderr


@pytest.mark.parametrize("command", ["serve", "score", "rerank", "demo"])
def test_every_setting_is_a_flag(command: str) -> None:
    page = run(command, "--help").stdout
    missing = [n for n in Settings.model_fields if f"--{n.replace('_', '-')}" not in page]
    assert not missing
