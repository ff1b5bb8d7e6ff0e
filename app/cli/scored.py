"""Finished scores, as `score --out` writes them, and the labels that belong to them."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from app.cli.files import read_text
from app.cli.labels import Label, Labels
from app.errors import ServiceError, StartError

MAKER = ("model", "revision", "template", "system_fingerprint")


@dataclass(frozen=True, slots=True)
class Scores:
    """The last line of every run, by its file's name; who made the scored ones; lines not ours."""

    path: Path
    rows: Mapping[str, Mapping[str, Any]]
    maker: Mapping[str, Any]
    foreign: int


@dataclass(slots=True)
class Joined:
    """Labels with their scores; labels whose run failed, by code; labels that no score answers."""

    rows: list[tuple[Label, Mapping[str, Any]]] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)
    missing: list[Label] = field(default_factory=list)


def read_scores(path: Path) -> Scores:
    """Raises `StartError` for a file without scores, for numbers that are none, and where more than
    one model, engine or template made them: their margins are not one scale."""
    try:
        text, _ = read_text(path)
    except ServiceError as error:
        message = f"{path}: {error.message}"
        raise StartError(message) from error
    rows: dict[str, Mapping[str, Any]] = {}
    foreign = 0
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        row = _row(line)
        if row is None:
            foreign += 1
            continue
        if row["status"] == "scored" and (problem := _problem(row)):
            message = f"{path}: line {number}: {problem}"
            raise StartError(message)
        rows[row["file"]] = row
    makers = {tuple(r.get(k) for k in MAKER) for r in rows.values() if r["status"] == "scored"}
    if not makers:
        message = f"{path} holds no scores; swe-rm score --out makes such files"
        raise StartError(message)
    if len(makers) > 1:
        told = " and ".join(sorted(" ".join(map(str, maker)) for maker in makers)[:2])
        message = (
            f"{path}: scores of more than one model or engine cannot be measured as one: {told}"
        )
        raise StartError(message)
    return Scores(path, rows, dict(zip(MAKER, makers.pop(), strict=True)), foreign)


def join(labels: Labels, scores: Scores) -> Joined:
    """Each label with the score of its run. A file is known by its path from the labels' folder, from
    here, or by the end of a longer path, where only one score ends so. Raises `StartError` where
    several do."""
    by_name = _names(scores, labels.path.parent)
    found, problems = Joined(), []
    for label in labels.rows:
        meant = by_name.get((label.by, label.name), set())
        if len(meant) > 1:
            problems.append(f"line {label.line}: {label.name} is the name of several scores")
        elif not meant:
            found.missing.append(label)
        else:
            row = scores.rows[next(iter(meant))]
            if row["status"] == "scored":
                found.rows.append((label, row))
            else:
                found.failed[_code(row)] += 1
    if problems:
        raise labels.wrong(problems)
    return found


def _names(scores: Scores, beside: Path) -> dict[tuple[str, str], set[str]]:
    """(field, what a label may call it) → scores."""
    found: dict[tuple[str, str], set[str]] = {}
    for file, row in scores.rows.items():
        parts = PurePosixPath(file).parts
        for start in range(len(parts)):
            found.setdefault(("file", "/".join(parts[start:])), set()).add(file)
        for key in ("score_id", "trajectory_digest", "id"):
            if isinstance(row.get(key), str):
                found.setdefault((key, row[key]), set()).add(file)
    for file in scores.rows:  # a whole path is never ambiguous
        found["file", file] = {file}
        if file.startswith(f"{beside}/"):
            found["file", file[len(f"{beside}/") :]] = {file}
    return found


def _row(line: str) -> Mapping[str, Any] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    ours = isinstance(row, dict) and isinstance(row.get("file"), str)
    return row if ours and row.get("status") in ("scored", "failed") else None


def _problem(row: Mapping[str, Any]) -> str | None:
    """What is wrong with the numbers of a score."""
    for key, low, high in (("probability", 0.0, 1.0), ("logit", -math.inf, math.inf)):
        value = row.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return f"{key} must be a number"
        if not (math.isfinite(value) and low <= value <= high):
            return f"{key} is {value!r}, which no score is"
    return None


def _code(row: Mapping[str, Any]) -> str:
    error = row.get("error")
    return str(error.get("code")) if isinstance(error, dict) else "failed"


def tokens_of(row: Mapping[str, Any]) -> float:
    """How long the run is: tokens of the prompt, and those that were elided; NaN where the line does not
    say."""
    tokens = row.get("tokens")
    tokens = tokens if isinstance(tokens, dict) else {}
    counts = [tokens.get("prompt"), tokens.get("elided", 0)]
    if any(isinstance(count, bool) or not isinstance(count, int) for count in counts):
        return math.nan
    return float(sum(counts))


def steps_of(row: Mapping[str, Any]) -> Sequence[float]:
    """The margins of a score's steps."""
    steps = row.get("steps") or ()
    return [float(step["logit"]) for step in steps if math.isfinite(step["logit"])]
