"""`swe-rm evaluate`: labelled runs scored, or their finished scores, measured."""

from __future__ import annotations

import asyncio
import json
import math
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from swe_rm_client import AsyncClient

from app import adapters, quality
from app.cli.files import load
from app.cli.keep import keep
from app.cli.labels import Labels, read_labels, slice_value
from app.cli.measured import measure_table, slice_table
from app.cli.score import score as score_files
from app.cli.scored import Joined, Scores, join, read_scores
from app.cli.scored import tokens_of as tokens_of_row
from app.cli.voice import Voice
from app.errors import ServiceError, StartError

Connect = Callable[[], AbstractAsyncContextManager[AsyncClient]]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What is asked: labels, where scores are or come to lie, how they are told apart, how much."""

    labels: Path
    scores: Path | None = None
    by: str = "policy"
    out: Path | None = None
    folds: int = quality.FOLDS
    draws: int = 1000
    elide: bool = False
    ask: bool = False  # a server was named: it scores what the file lacks


async def evaluate(asked: Evaluation, connect: Connect, voice: Voice) -> int:
    """Prints the table, writes the report; the exit status. Raises `ServiceError`s that say why."""
    labels = await asyncio.to_thread(read_labels, asked.labels)
    async with _scores_file(asked) as path:
        if asked.ask or not _finished(labels, path):
            files, quiet = _files(labels), replace(voice, as_json=False)
            async with connect() as client:
                await score_files(client, files, quiet, elide=asked.elide, out=path)
        scores = read_scores(path)
    report = await asyncio.to_thread(_measured, asked, labels, scores, voice)
    if voice.as_json:
        voice.machine(json.dumps(report, allow_nan=False))
    else:
        voice.out.print(measure_table(report))
        voice.out.print(slice_table(report))
    if asked.out:
        _write(asked.out, report)
        voice.say(f"{asked.out}: report.json, reliability and best_of_k as .png and .svg")
    return 0


@asynccontextmanager
async def _scores_file(asked: Evaluation) -> AsyncIterator[Path]:
    if asked.scores:
        yield asked.scores
    elif asked.out:
        yield asked.out / "scores.jsonl"
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder) / "scores.jsonl"


def _finished(labels: Labels, path: Path) -> bool:
    """Whether the file answers every label. A file that is no file of scores is named, not scored to."""
    return (
        path.is_file() and path.stat().st_size > 0 and not join(labels, read_scores(path)).missing
    )


def _files(labels: Labels) -> list[Path]:
    unnamed = [f"line {x.line}: no file, and no score" for x in labels.rows if x.by != "file"]
    files = [(x, labels.file_of(x)) for x in labels.rows]
    gone = [f"line {x.line}: {file} is not there" for x, file in files if not file.exists()]
    if unnamed or gone:
        raise labels.wrong(unnamed or gone)
    return [file for _, file in files]


def _measured(asked: Evaluation, labels: Labels, scores: Scores, voice: Voice) -> dict[str, Any]:
    joined = join(labels, scores)
    if joined.missing:
        problems = [f"line {x.line}: no score answers to {x.name}" for x in joined.missing]
        raise labels.wrong(problems)
    tokens = [tokens_of_row(row) for _, row in joined.rows]
    if any(map(math.isnan, tokens)):
        message = f"{scores.path}: a score does not say how many tokens its prompt had"
        raise StartError(message)
    runs = quality.Runs(
        probability=[row["probability"] for _, row in joined.rows],
        logit=[row["logit"] for _, row in joined.rows],
        resolved=[label.resolved for label, _ in joined.rows],
        instance=[label.instance_id for label, _ in joined.rows],
        slice=[slice_value(label, asked.by) for label, _ in joined.rows],
        tokens=tokens,
        counts=_counts(labels, joined, voice),
    )
    report = quality.evaluate(runs, by=asked.by, folds=asked.folds, draws=asked.draws)
    calibrations = {str(row.get("calibration")) for _, row in joined.rows}
    return report | {
        "maker": dict(scores.maker) | {"calibrations": sorted(calibrations)},
        "labelled": len(labels.rows),
        "failed": dict(joined.failed),
    }


def _counts(labels: Labels, joined: Joined, voice: Voice) -> Mapping[str, list[float]]:
    """Simple counts of every run, by name; none where a run's file cannot be read here."""
    rows: list[dict[str, float]] = []
    for label, _ in joined.rows:
        found = _counted(labels.file_of(label)) if label.by == "file" else None
        if found is None:
            voice.say(f"{label.name} cannot be read here: no regression on counts")
            return {}
        rows.append(found)
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}


def _counted(path: Path) -> dict[str, float] | None:
    if not path.exists():
        return None
    loaded = list(load(path))
    item = loaded[0].item if len(loaded) == 1 else None
    if item is None:
        return None
    try:
        # An issue of ours, for the counts need none, and a run without one may have been scored.
        return quality.counts_of(adapters.adapt(item.trajectory, issue="-").trajectory)
    except ServiceError:
        return None


def _write(out: Path, report: dict[str, Any]) -> None:
    keep(out / "report.json", json.dumps(report, indent=2, allow_nan=False) + "\n")
    for name, figure in quality.figures_of(report):
        for kind in ("png", "svg"):
            keep(out / f"{name}.{kind}", quality.figure_bytes(figure, kind))
