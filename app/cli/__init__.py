"""The command `swe-rm`. Builds the rooms and hands them on; knows no wire.

build.py, canaries.py, keeping.py  settings → rooms   serve.py, connections.py  listens, stops in order
score.py  every document             rank.py   candidates for one issue
lines.py  the file of --out          best.py   the best run of every instance → predictions
watch.py  a growing file, by turns   runs.py   whose run a file is    beside.py  tests, issues
files.py  files → documents          tables.py answers → tables, lines
growing.py  what such a file holds   flags.py  every setting as a flag
voice.py  speaks and connects        pool.py   much at once           demo.py   make run
quality.py  evaluate, calibrate, report: evaluate.py, calibrate.py, page.py do them
labels.py who resolved what          scored.py finished scores        measured.py  its tables
console.py  what commands share      keep.py   whole files or none    read.py  what is seen
keys.py  API keys                    gate.py  who comes in, where traces go
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from app import store
from app.cli import beside, keys, quality
from app.cli.best import Request, best_of
from app.cli.console import BAD_START as _BAD_START
from app.cli.console import complain as _complain
from app.cli.console import log as _log
from app.cli.console import out as _out
from app.cli.console import run as _run
from app.cli.console import say as _say
from app.cli.console import settings_of as _settings
from app.cli.demo import demo as show_examples
from app.cli.flags import with_settings
from app.cli.rank import Terms
from app.cli.rank import rerank as rank_files
from app.cli.read import read as read_files
from app.cli.score import score as score_files
from app.cli.serve import serve as run_server
from app.cli.voice import Voice, connect
from app.cli.watch import Pace
from app.cli.watch import watch as watch_file
from app.errors import ServiceError

app = typer.Typer(
    help="Reward server for software-engineering agents.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
models_app = typer.Typer(help="The model store.", no_args_is_help=True)
app.add_typer(models_app, name="models")
app.add_typer(keys.app, name="keys")

Files = Annotated[
    list[Path],
    typer.Argument(
        help="Trajectory files or folders; .gz is read too, and a folder of OpenHands' event files "
        "is one trajectory."
    ),
]
Url = Annotated[str | None, typer.Option(help="A running server; default: an engine of its own.")]
Json = Annotated[bool, typer.Option("--json", help="JSON lines for machines.")]
Elide = Annotated[bool, typer.Option("--elide", help="Shorten over-long ones.")]
Store = Annotated[Path, typer.Option("--model-store", help="Where the models lie.")]


def serve(flags: dict[str, Any]) -> None:
    """Serve the model. Every flag is also SWE_RM_<FLAG> in the environment."""
    _run(run_server(_settings(flags), _say))


def demo(
    flags: dict[str, Any],
    folder: Annotated[Path, typer.Argument()] = Path("examples/trajectories"),
    once: Annotated[bool, typer.Option("--once", help="End after the tables.")] = False,
) -> None:
    """Start the server, score and rank the examples, go on serving."""
    voice = Voice(_out(), _log, as_json=False)
    _run(show_examples(_settings(flags), folder, voice, once=once))


def score(
    flags: dict[str, Any],
    files: Files,
    url: Url = None,
    as_json: Json = False,
    elide: Elide = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Append JSON lines here as results come. What it holds already is not scored "
            "again, as long as file, weights, engine and calibration are the same; so a run that "
            "was stopped goes on where it was."
        ),
    ] = None,
) -> None:
    """Score trajectories."""

    async def work() -> int:
        async with connect(url, _settings(flags), _log) as client:
            voice = Voice(_out(), _log, as_json)
            return await score_files(client, files, voice, elide=elide, out=out)

    _run(work())


def read(
    files: Files,
    model: Annotated[str, typer.Option(help="Whose template and tokens.")] = "swe-rm-nano",
    model_store: Store = Path("model_store"),
    as_json: Json = False,
) -> None:
    """Show what the server sees of trajectories: format, turns, issue, patch, tokens. No scores."""
    settings = _settings({"model": model, "model_store": model_store})
    raise typer.Exit(read_files(settings, files, Voice(_out(), _log, as_json)))


def rerank(
    flags: dict[str, Any],
    files: Files,
    url: Url = None,
    as_json: Json = False,
    elide: Elide = False,
    preds: Annotated[
        Path | None,
        typer.Option(
            help="Rank each instance by itself and write the best runs' patches here, as SWE-bench "
            "predictions: x.json by instance, x.jsonl a line each."
        ),
    ] = None,
    tests: Annotated[
        Path | None,
        typer.Option(
            help="Rank by tests among the likeliest (strategy hybrid). JSON: a candidate's path as "
            'given, or its name → {"regression": {"passed", "total"}, "reproduction": {…}}.'
        ),
    ] = None,
    issues: Annotated[
        Path | None,
        typer.Option(
            help="With --preds: what each instance was about, for runs that do not say. JSON "
            "{instance: issue}, or rows with instance_id and problem_statement."
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="With --preds: model_name_or_path; default best-of-n+<verifier>."),
    ] = None,
) -> None:
    """Rank candidates for one issue, best first; with --preds, the runs of many instances.

    The instance of a run is the one its document names; else the one that a labels.jsonl beside the
    file gives it; else its file's name: a SWE-bench id that it begins with, or what stands before
    the last __, or before the first dot (of trajectory.json and the like, the folder's name). An
    instance without a scored candidate gets no prediction and makes the exit status 1.
    """
    if not preds and (issues or name is not None):
        _complain("--issues and --name go with --preds")
        raise typer.Exit(_BAD_START)

    async def work() -> int:
        terms = Terms(beside.read_tests(tests) if tests else None, elide)
        request = (
            Request(preds, name, beside.read_issues(issues) if issues else {}) if preds else None
        )
        async with connect(url, _settings(flags), _log) as client:
            voice = Voice(_out(), _log, as_json)
            if request:
                return await best_of(client, files, voice, request, terms)
            return await rank_files(client, files, voice, terms=terms)

    _run(work())


def watch(
    flags: dict[str, Any],
    file: Annotated[Path, typer.Argument(help="A trajectory that is being written.")],
    url: Url = None,
    as_json: Json = False,
    elide: Elide = False,
    every_s: Annotated[float, typer.Option(min=0.05, help="How often to look.")] = 2.0,
    idle_s: Annotated[float, typer.Option(min=0.1, help="End when it rests so long.")] = 3600.0,
    once: Annotated[bool, typer.Option("--once", help="The curve as it stands, and end.")] = False,
) -> None:
    """Follow a growing trajectory: the probability after every turn, uncalibrated, as it is written.

    Ends with the score of the whole when the trajectory has an exit or a patch, or on Ctrl-C.
    """

    async def work() -> int:
        pace = Pace(every_s, idle_s, once)
        async with connect(url, _settings(flags), _log) as client:
            return await watch_file(client, file, Voice(_out(), _log, as_json), pace, elide=elide)

    _run(work(), interrupted=0)


app.command()(read)
for _command in (serve, demo, score, rerank, watch, quality.evaluate):
    app.command()(with_settings(_command))
app.command()(quality.calibrate)
app.command()(quality.report)


@models_app.command("list")
def list_models(model_store: Store = Path("model_store")) -> None:
    """Every model of the store."""
    table = Table("model", "architecture", "context", "weights", "trained", "licence")
    for each in store.list_models(model_store):
        weights = f"{each.bytes / 2**20:,.0f} MiB" if each.weights_present else "to be pulled"
        trained = "yes" if each.trained else "no"
        table.add_row(
            each.name,
            each.architecture,
            f"{each.context_tokens:,}",
            weights,
            trained,
            each.licence or "unknown",
        )
    _out().print(table)


@models_app.command("verify")
def verify_model(
    name: Annotated[str, typer.Argument()], model_store: Store = Path("model_store")
) -> None:
    """Hash every file of a model and hold it to its manifest."""
    report = store.verify(model_store, name)
    table = Table("file", "bytes", "state")
    for file in report.files:
        table.add_row(file.name, f"{file.expected.bytes:,}", file.state)
    _out().print(table)
    if not report.ok:
        _complain(str(report.problem))
        raise typer.Exit(1)


@models_app.command("pull")
def pull_model(
    name: Annotated[str, typer.Argument()], model_store: Store = Path("model_store")
) -> None:
    """Fetch the weights of a published verifier and record their revision and hashes."""
    pulled = store.pull(model_store, name, progress=_say)
    _say(f"{name} at {pulled.revision}: {len(pulled.files)} files")


def main() -> None:
    try:
        app()
    except ServiceError as error:
        _complain(error.message)
        raise SystemExit(_BAD_START) from error
