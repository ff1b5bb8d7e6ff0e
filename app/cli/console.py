"""What every command shares: where it speaks, how it reads its settings, how it ends."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Coroutine
from typing import Any

import typer
from rich.console import Console
from rich.text import Text
from swe_rm_client import SweRmError

from app.config import Settings, read_settings
from app.errors import ServiceError

BAD_START = 2
INTERRUPTED = 130
_WIDE_COLUMNS = 120
log = Console(stderr=True)


def out() -> Console:
    """Where results go. Without a terminal there is no width to fit, and 80 columns cut names."""
    fits = sys.stdout.isatty() or os.environ.get("COLUMNS")
    return Console(width=None if fits else _WIDE_COLUMNS)


def say(text: str) -> None:
    log.print(Text(text), soft_wrap=True)


def complain(text: str) -> None:
    log.print(Text(text, style="red"), soft_wrap=True)


def settings_of(flags: dict[str, Any]) -> Settings:
    try:
        return read_settings(flags, os.environ)
    except ValueError as error:
        complain(str(error))
        raise typer.Exit(BAD_START) from error


def run(work: Coroutine[Any, Any, int | None], interrupted: int = INTERRUPTED) -> None:
    try:
        status = asyncio.run(work)
    except (ServiceError, SweRmError) as error:
        complain(str(error))
        raise typer.Exit(BAD_START) from error
    except KeyboardInterrupt as stopped:
        raise typer.Exit(interrupted) from stopped
    raise typer.Exit(status or 0)
