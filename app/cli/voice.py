"""How the commands speak, and whom they ask: a server, or a house of their own."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from rich.console import Console
from rich.progress import Progress
from rich.text import Text
from swe_rm_client import AsyncClient

from app.api import create_app
from app.cli.build import open_house
from app.cli.files import Loaded
from app.config import Settings

TIMEOUT_S = 3600.0
API_KEY_VARIABLE = "SWE_REWARD_API_KEY"  # the integrations' own


@asynccontextmanager
async def connect(
    url: str | None, settings: Settings, console: Console
) -> AsyncIterator[AsyncClient]:
    """A client of the server at `url`, with the key of the environment, or of a house
    opened for this call, without a socket."""
    if url:
        key = os.environ.get(API_KEY_VARIABLE) or None
        async with AsyncClient(url, key, timeout_s=TIMEOUT_S) as client:
            yield client
        return
    async with open_house(settings, None, console.log, keeping=False) as house:
        transport = httpx.ASGITransport(create_app(house))
        async with AsyncClient("http://house", transport=transport, timeout_s=TIMEOUT_S) as client:
            yield client


@dataclass(frozen=True, slots=True)
class Voice:
    """`out` for results, `log` for progress and problems; `as_json` for machines."""

    out: Console
    log: Console
    as_json: bool

    def say(self, text: str) -> None:
        """As it stands: names of files may look like rich's own markup."""
        self.log.print(Text(text), soft_wrap=True)

    def complain(self, text: str) -> None:
        self.log.print(Text(text, style="red"), soft_wrap=True)

    def machine(self, line: str) -> None:
        """One JSON line of the results."""
        self.out.print(line, markup=False, emoji=False, highlight=False, soft_wrap=True)

    def progress(self) -> Progress:
        """A bar that is gone at the end; none where nobody looks."""
        return Progress(console=self.log, transient=True, disable=not self.log.is_terminal)

    def problems(self, loaded: Sequence[Loaded]) -> int:
        """Names what could not be read; how many."""
        broken = [each for each in loaded if each.problem]
        for each in broken:
            self.complain(f"{each.name}: {each.problem}")
        return len(broken)
