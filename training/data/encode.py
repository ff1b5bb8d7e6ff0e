"""Rows → examples on disk: token ids by the serving render function, one long file of int32.

    <place>/<length>-<digest>/
        tokens.bin     ids of all prompts, one behind the other
        index.jsonl    a line a prompt: where it starts, its length, label, policy, masked spans
        dropped.jsonl  what could not be used, and why
        made_of.json   rows, model, length: what the digest is of

The folder is written beside its place and renamed, so that what is there is whole. Runs may share a place.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from rich.console import Console
from rich.progress import Progress

from app import adapters
from app.errors import ItemError, StartError, TooLong
from app.render import Renderer
from app.store import Model, open_model
from app.types import Prompt, Trajectory
from training.data.masks import failed_turns
from training.data.rows import Row, read_document

_CHUNK_ROWS = 32


@dataclass(frozen=True, slots=True)
class Example:
    """One prompt. `start` and `tokens` are positions in tokens.bin; `masked` are [start, end) spans
    inside the prompt that take no part in the language loss."""

    start: int
    tokens: int
    resolved: bool
    instance_id: str
    policy: str
    source: str
    elided_tokens: int
    turns: int
    masked: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Examples:
    """Examples and the ids they point into, int32 of shape [total_tokens]."""

    ids: np.ndarray[Any, np.dtype[np.int32]]
    index: tuple[Example, ...]

    def prompt(self, example: Example) -> np.ndarray[Any, np.dtype[np.int32]]:
        return self.ids[example.start : example.start + example.tokens]


@dataclass(frozen=True, slots=True)
class Encoded:
    row: Row
    ids: np.ndarray[Any, np.dtype[np.int32]] | None
    problem: str | None
    elided_tokens: int = 0
    turns: int = 0
    masked: tuple[tuple[int, int], ...] = ()


def prepare(
    rows: Sequence[Row],
    model_folder: Path,
    length_tokens: int,
    overlong: Literal["elide", "drop"],
    place: Path,
    workers: int = 2,
) -> Examples:
    """The rows as examples of at most `length_tokens`; made once, then read from a folder of `place`.

    Raises `StartError` when nothing could be used.
    """
    made_of = json.dumps({
        "rows": [[str(row.file), row.resolved] for row in rows],
        "model": str(model_folder),
        "length_tokens": length_tokens,
        "overlong": overlong,
    })  # fmt: skip
    folder = place / f"{length_tokens}-{hashlib.sha256(made_of.encode()).hexdigest()[:12]}"
    if folder.exists():
        return read(folder)
    fresh = folder.with_name(f"{folder.name}.{os.getpid()}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    chunks = [rows[at : at + _CHUNK_ROWS] for at in range(0, len(rows), _CHUNK_ROWS)]
    task = partial(
        _encode_chunk, model_folder=model_folder, length_tokens=length_tokens, overlong=overlong
    )
    with Progress(console=Console(stderr=True)) as progress, ProcessPoolExecutor(workers) as pool:
        done = progress.track(pool.map(task, chunks), len(chunks), description="tokens")
        _write(fresh, (each for chunk in done for each in chunk))
    (fresh / "made_of.json").write_text(made_of)
    try:
        fresh.rename(folder)
    except OSError:  # another process was faster
        if not folder.exists():
            raise
        shutil.rmtree(fresh)
    return read(folder)


def read(folder: Path) -> Examples:
    lines = (folder / "index.jsonl").read_text(encoding="utf-8").splitlines()
    index = []
    for line in lines:
        value = json.loads(line)
        value["masked"] = tuple((a, b) for a, b in value["masked"])
        index.append(Example(**value))
    if not index:
        message = f"{folder}: no row could be used; dropped.jsonl says why"
        raise StartError(message)
    ids = np.memmap(folder / "tokens.bin", dtype=np.int32, mode="r")
    return Examples(ids, tuple(index))


def encode(
    trajectory: Trajectory, renderer: Renderer, overlong: Literal["elide", "drop"]
) -> Prompt:
    """The serving prompt, to the token. Raises `TooLong`."""
    return renderer.render(trajectory, "elide" if overlong == "elide" else "error")


def _write(folder: Path, encoded: Iterable[Encoded]) -> None:
    start = 0
    with (
        (folder / "tokens.bin").open("wb") as tokens,
        (folder / "index.jsonl").open("w", encoding="utf-8") as index,
        (folder / "dropped.jsonl").open("w", encoding="utf-8") as dropped,
    ):
        for each in encoded:
            row = each.row
            if each.ids is None:
                line = {"file": str(row.file), "problem": each.problem}
                dropped.write(json.dumps(line) + "\n")
                continue
            tokens.write(each.ids.tobytes())
            example = Example(
                start, len(each.ids), row.resolved, row.instance_id, row.policy, row.source,
                each.elided_tokens, each.turns, each.masked,
            )  # fmt: skip
            index.write(json.dumps(asdict(example)) + "\n")
            start += len(each.ids)


def _encode_chunk(
    rows: Sequence[Row], model_folder: Path, length_tokens: int, overlong: Literal["elide", "drop"]
) -> list[Encoded]:
    renderer = renderer_of(model_folder, length_tokens)
    return [encode_row(row, renderer, overlong) for row in rows]


def encode_row(
    row: Row,
    renderer: Renderer,
    overlong: Literal["elide", "drop"],
    change: Callable[[Trajectory], Trajectory] = lambda same: same,
) -> Encoded:
    """A row read, changed and rendered; `ids` is None where it could not be, and `problem` says why."""
    try:
        trajectory = change(adapters.adapt(read_document(row.file)).trajectory)
        prompt = encode(trajectory, renderer, overlong)
    except TooLong as error:
        return Encoded(row, None, f"too_long: {error.message}")
    except (ItemError, StartError) as error:
        return Encoded(row, None, error.message)
    failed = failed_turns(trajectory)
    masked = tuple(
        (s.start, s.end) for s in prompt.segments if s.role == "assistant" and s.turn in failed
    )
    ids = np.frombuffer(prompt.ids, dtype=np.int32)
    return Encoded(row, ids, None, prompt.elided_tokens, len(trajectory.turns), masked)


@cache
def model_of(folder: Path) -> Model:
    return open_model(folder.parent, folder.name)


@cache
def renderer_of(folder: Path, length_tokens: int) -> Renderer:
    found = model_of(folder)
    return Renderer(found.tokenizer_path, found.template, "", length_tokens)
