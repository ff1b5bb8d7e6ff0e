"""The commands of quality: evaluate, calibrate, report."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli import calibrate as fitting
from app.cli import console
from app.cli.evaluate import Evaluation
from app.cli.evaluate import evaluate as evaluate_runs
from app.cli.keep import keep
from app.cli.page import page, read_report
from app.cli.stored import stored_report
from app.cli.voice import Voice, connect
from app.errors import ServiceError, StartError
from app.schema.feedback import window_s

Method = StrEnum("Method", "auto identity temperature platt beta isotonic")
Slices = StrEnum("Slices", "policy source calibration model")
Judged = StrEnum("Judged", "trajectories steps")


def evaluate(
    flags: dict[str, Any],
    labels: Annotated[
        Path, typer.Argument(help="A folder with labels.jsonl, or such a file beside its runs.")
    ],
    url: Annotated[
        str | None, typer.Option(help="A running server; default: an engine of its own.")
    ] = None,
    scores: Annotated[
        Path | None,
        typer.Option(
            help="Scores as of score --out. Holds it one for every label (and no --url is given), "
            "nothing is scored; what is missing is scored and appended."
        ),
    ] = None,
    by: Annotated[str, typer.Option(help="The labels' field that tells slices apart.")] = "policy",
    out: Annotated[Path | None, typer.Option(help="Folder for report.json and figures.")] = None,
    folds: Annotated[int, typer.Option(min=2, max=50, help="Of recalibration, by instance.")] = 5,
    draws: Annotated[int, typer.Option(min=10, max=100_000, help="Of the bootstrap.")] = 1000,
    as_json: Annotated[bool, typer.Option("--json", help="The report for machines.")] = False,
    elide: Annotated[bool, typer.Option("--elide", help="Shorten over-long ones.")] = False,
) -> None:
    """Measure the verifier on labelled runs: AUC, ECE, Brier, log loss, RM@k, beside baselines.

    A row of labels.jsonl: {"file", "instance_id", "resolved": 0 or 1, "policy", …}. Intervals are 95 %
    bootstrap percentiles over instances.
    """
    asked = Evaluation(labels, scores, by, out, folds, draws, elide, ask=url is not None)
    voice = Voice(console.out(), console.log, as_json)
    settings = console.settings_of(flags)
    console.run(evaluate_runs(asked, lambda: connect(url, settings, console.log), voice))


def calibrate(
    scores: Annotated[Path, typer.Argument(help="Scores as of score --out.")],
    labels: Annotated[Path, typer.Option(help="labels.jsonl, or its folder.")],
    out: Annotated[Path | None, typer.Option(help="Where the document goes.")] = None,
    method: Annotated[Method, typer.Option(help="auto: least cross-validated log loss.")] = Method[
        "auto"
    ],
    by: Annotated[
        bool, typer.Option("--by-policy", help="Curves of their own for policies.")
    ] = False,
    judges: Annotated[Judged, typer.Option("--for", help="What it calibrates.")] = Judged[
        "trajectories"
    ],
    name: Annotated[str | None, typer.Option("--id", help="Default: method and digest.")] = None,
    into: Annotated[Path | None, typer.Option(help="A model's folder to put it into.")] = None,
    activate: Annotated[bool, typer.Option("--activate", help="With --into: serve it.")] = False,
) -> None:
    """Fit a calibration on labelled scores and write it as a document, plain JSON."""
    if out is None and into is None:
        console.complain("name --out FILE, --into MODEL_DIR, or both")
        raise typer.Exit(console.BAD_START)
    if activate and into is None:
        console.complain("--activate goes with --into")
        raise typer.Exit(console.BAD_START)
    created = datetime.now(UTC).isoformat(timespec="seconds")
    what: Any = judges.value
    asked = fitting.Fit(scores, labels, method.value, "policy" if by else None, what, name, created)
    try:
        fitted = fitting.fit(asked)
        if out:
            fitting.write(out, fitted.document)
        if into:
            fitting.into_model(into, fitted.document, activate=activate)
    except ServiceError as error:
        console.complain(error.message)
        raise typer.Exit(console.BAD_START) from error
    for line in fitting.told(fitted):
        console.say(line)


def report(
    source: Annotated[
        Path | None, typer.Argument(help="report.json of evaluate --out, or its folder.")
    ] = None,
    store_url: Annotated[
        str | None,
        typer.Option(help="Instead: the store of a server, sqlite:///… or postgresql://…."),
    ] = None,
    window: Annotated[str, typer.Option(help="Of the store: 12h, 7d or 4w.")] = "7d",
    by: Annotated[
        Slices, typer.Option(help="Of the store: what slices are told apart by.")
    ] = Slices["policy"],
    draws: Annotated[int, typer.Option(min=10, max=100_000, help="Of the bootstrap.")] = 1000,
    out: Annotated[Path, typer.Option(help="The page.")] = Path("quality.html"),
) -> None:
    """One HTML page of an evaluation, or of what a store knows: tables, reliability diagrams, drift,
    RM@k. It loads nothing."""
    if (source is None) == (store_url is None):
        console.complain("name a report of evaluate, or --store-url")
        raise typer.Exit(console.BAD_START)
    slicing: Any = by.value
    try:
        found = (
            read_report(source)
            if source
            else asyncio.run(stored_report(str(store_url), _seconds(window), slicing, draws))
        )
        keep(out, page(found))
    except ServiceError as error:
        console.complain(error.message)
        raise typer.Exit(console.BAD_START) from error
    console.say(f"{out}")


def _seconds(window: str) -> float:
    try:
        return window_s(window)
    except ValueError as cause:
        raise StartError(str(cause)) from cause
