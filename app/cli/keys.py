"""`swe-rm keys`: makes, lists and revokes the keys of a file. A server sees it within seconds."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.table import Table

from app.api.access.keys import SCOPES, make_key, read_keys, revoke_key
from app.cli.console import BAD_START, complain, out, say

T = TypeVar("T")
_DAYS = re.compile(r"([0-9]{1,5})d")
app = typer.Typer(help="API keys.", no_args_is_help=True)

File = Annotated[
    Path, typer.Option("--keys", envvar="SWE_RM_KEYS", help="The file that `serve --keys` reads.")
]
Name = Annotated[str, typer.Argument(help="a-z, 0-9, dots, dashes; owns what is scored with it.")]


@app.command()
def new(
    name: Name,
    keys: File,
    scope: Annotated[list[str], typer.Option(help=f"One or more of {', '.join(SCOPES)}.")],
    quota_tokens_per_day: Annotated[
        int | None, typer.Option(help="Tokens that the engine may compute for it a day (UTC).")
    ] = None,
    expires: Annotated[
        str | None, typer.Option(help="90d, a date, or a time: 2027-01-31T12:00:00Z.")
    ] = None,
    priority_ceiling: Annotated[
        str, typer.Option(help="The most urgent class: interactive, rollout or backfill.")
    ] = "interactive",
    unscored_reward: Annotated[
        float | None,
        typer.Option(help="What dialects answer for what can never be scored; default: an error."),
    ] = None,
) -> None:
    """Add a key, and print its secret: once, on stdout, and nowhere else."""
    secret = _told(
        lambda: make_key(
            keys,
            name,
            scope,
            quota_tokens_per_day=quota_tokens_per_day,
            expires=_time(expires) if expires else None,
            priority_ceiling=priority_ceiling,
            unscored_reward=unscored_reward,
        )
    )
    say(f"the secret of {name}; {keys} holds only its hash, so keep it now:")
    typer.echo(secret)


@app.command("list")
def list_keys(keys: File) -> None:
    """Every key and what it may do. No secrets: the file has none."""
    table = Table("name", "state", "scopes", "expires", "tokens a day", "ceiling", "unscored")
    now = datetime.now(UTC)
    for key in _told(lambda: read_keys(keys)):
        table.add_row(
            key.name,
            key.state(now),
            " ".join(key.scopes),
            f"{key.expires:%Y-%m-%d %H:%M}" if key.expires else "",
            f"{key.quota_tokens_per_day:,}" if key.quota_tokens_per_day else "",
            key.priority_ceiling,
            "" if key.unscored_reward is None else f"{key.unscored_reward:g}",
        )
    out().print(table)


@app.command()
def revoke(name: Name, keys: File) -> None:
    """Shut a key out. Its name stays taken, for it owns what was scored with it."""
    _told(lambda: revoke_key(keys, name))
    say(f"{name} is revoked; running servers know within seconds")


def _told(work: Callable[[], T]) -> T:
    try:
        return work()
    except ValueError as error:
        complain(str(error))
    except OSError as error:
        complain(f"{error.filename}: {error.strerror}")
    raise typer.Exit(BAD_START)


def _time(text: str) -> datetime:
    """Raises `ValueError`. A date begins at midnight UTC."""
    if found := _DAYS.fullmatch(text):
        return datetime.now(UTC) + timedelta(days=int(found[1]))
    try:
        when = datetime.fromisoformat(text)
    except ValueError as cause:
        message = f"expires: {text!r} is no time; give 90d, 2027-01-31 or 2027-01-31T12:00:00Z"
        raise ValueError(message) from cause
    return when if when.tzinfo else when.replace(tzinfo=UTC)
