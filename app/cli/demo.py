"""`swe-rm demo`: starts the server, scores and ranks the examples over HTTP, goes on serving."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from swe_rm_client import AsyncClient

from app.cli.files import find
from app.cli.rank import rerank
from app.cli.score import score
from app.cli.serve import serve
from app.cli.voice import Voice
from app.config import Settings


async def demo(settings: Settings, folder: Path, voice: Voice, *, once: bool) -> int:
    """The runs of one task are the files that share what stands before `__` in their names."""

    async def show(url: str) -> bool:
        async with AsyncClient(url) as client:
            await score(client, [folder], voice)
            for task, files in groupby(find([folder]), key=lambda file: file.name.split("__")[0]):
                await rerank(client, list(files), voice, title=f"candidates for {task}, best first")
        if not once:
            voice.log.print(f"serving on {url} (Ctrl-C ends); try: curl {url}/info")
        return not once

    if "log_level" not in settings.model_fields_set:  # lines would stand between the tables
        quiet = {"log_level": "warning", "log_format": "console"}
        settings = settings.model_copy(update=quiet)
    return await serve(settings, voice.log.print, show)
