"""What a stage reads, in which order: the same at every call, within its lengths, named when unreadable."""

from __future__ import annotations

import json
import sysconfig
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer

from app.errors import StartError
from training.data.encode import prepare
from training.data.rows import read_rows
from training.recipe import Recipe
from training.train.plan import held_out, plan

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = sorted((ROOT / "examples" / "trajectories").glob("*.traj.json"))
LONG = {
    "name": "far", "reads": "lengthened", "length_tokens": 8192, "batch_tokens": 8192, "peak_lr": 0.001,
}  # fmt: skip


def recipe(folder: Path, files: dict[str, bytes], **stage: Any) -> Recipe:
    lines = []
    for number, (name, content) in enumerate(files.items()):
        (folder / name).write_bytes(content)
        lines.append({"file": name, "instance_id": f"i{number}", "resolved": number % 2})
    (folder / "labels.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")
    labelled = {"folder": folder}
    return Recipe.model_validate(
        {
            "name": "tiny",
            "seed": 3,
            "base": {"folder": ROOT / "model_store" / "swe-rm-nano", "weights": "random"},
            "data": {"sources": [labelled], "held_out": [labelled], "positives_per_negative": None},
            "stages": [LONG | stage],
        }
    )


def test_lengthened_runs_are_the_same_at_every_call_and_of_many_lengths(tmp_path: Path) -> None:
    made = recipe(tmp_path, {file.name: file.read_bytes() for file in EXAMPLES[:4]}, examples=12)
    one, two = (plan(made, made.stages[0], 0, tmp_path / "run").batches for _ in range(2))
    assert [[p.ids.tolist() for p in batch] for batch in one] == [
        [p.ids.tolist() for p in batch] for batch in two
    ]
    pieces = [piece for batch in one for piece in batch]
    lengths = np.array([len(piece.ids) for piece in pieces])
    assert len(pieces) == 12
    assert lengths.max() <= 8192
    assert lengths.max() > 2 * lengths.min()
    assert {piece.resolved for piece in pieces} == {True, False}


def test_files_of_lengthened_runs_have_no_name_of_this_machine(tmp_path: Path) -> None:
    made = recipe(tmp_path, {EXAMPLES[0].name: EXAMPLES[0].read_bytes()}, examples=3)
    batches = plan(made, made.stages[0], 0, tmp_path / "run").batches
    tokenizer = Tokenizer.from_file(str(made.base.folder / "tokenizer.json"))
    read = "".join(tokenizer.decode(piece.ids.tolist()) for batch in batches for piece in batch)
    assert "p' /usr/local/lib/python3/" in read
    assert f"p' {sysconfig.get_paths()['stdlib']}" not in read


def test_what_is_held_out_is_read_where_all_training_is_of_lengthened_runs(tmp_path: Path) -> None:
    made = recipe(tmp_path, {file.name: file.read_bytes() for file in EXAMPLES[:2]})
    examples, some = held_out(made, tmp_path / "run")
    assert len(examples.index) == len(some) == 2


def test_a_row_that_cannot_be_lengthened_is_left_out_and_a_stage_of_them_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = EXAMPLES[0].read_bytes()
    made = recipe(tmp_path, {"a.json": b"{}", "b.json": whole})
    assert len(plan(made, made.stages[0], 0, tmp_path / "run").batches) == 1
    assert "a.json" in capsys.readouterr().err.replace("\n", "")
    made = recipe(tmp_path, {"a.json": b"{}", "b.json": b"[]"})
    with pytest.raises(StartError, match=r"stage far .*\.json"):
        plan(made, made.stages[0], 0, tmp_path / "run")


WINDOWS = {"reads": "windows", "language_weight": 1.0, "answer_weight": 0.0}


def test_windows_hold_all_of_the_prompts_and_judge_nothing(tmp_path: Path) -> None:
    files = {file.name: file.read_bytes() for file in EXAMPLES[:4]}
    made = recipe(tmp_path, files, **WINDOWS, length_tokens=500)
    batches = plan(made, made.stages[0], 0, tmp_path / "run").batches
    pieces = [piece for batch in batches for piece in batch]
    rows = read_rows(made.data.sources[0])
    whole = prepare(rows, made.base.folder, 262_143, "elide", tmp_path / "run")
    assert sorted(len(p.ids) for p in pieces) == sorted(
        min(500, e.tokens - at) for e in whole.index for at in range(0, e.tokens, 500)
    )
    assert sum(int(p.ids.sum(dtype=np.int64)) for p in pieces) == int(whole.ids.sum(dtype=np.int64))
    assert {p.resolved for p in pieces} == {None}
    assert all(len(p.ids) * len(batch) <= 8192 for batch in batches for p in batch)


def test_what_may_not_be_said_is_masked_in_every_window(tmp_path: Path) -> None:
    seen = EXAMPLES[0].read_bytes()
    failed = seen.replace(b"<returncode>0<", b"<returncode>127<").replace(
        b"<output>\\n", b"<output>\\nsh: rg: command not found\\n"
    )
    made = recipe(tmp_path, {"a.json": failed, "b.json": seen}, **WINDOWS, length_tokens=40)
    pieces = [p for b in plan(made, made.stages[0], 0, tmp_path / "run").batches for p in b]
    whole = prepare(
        read_rows(made.data.sources[0]), made.base.folder, 262_143, "elide", tmp_path / "run"
    )
    masked = sum(
        int(whole.prompt(e)[a:b].sum(dtype=np.int64)) for e in whole.index for a, b in e.masked
    )
    assert masked
    assert sum(int(p.ids[a:b].sum(dtype=np.int64)) for p in pieces for a, b in p.masked) == masked


def test_windows_without_a_language_loss_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="windows, which have no answer"):
        recipe(tmp_path, {EXAMPLES[0].name: EXAMPLES[0].read_bytes()}, reads="windows")
