"""What the server would see of a file: format, turns, issue, patch, tokens. Nothing is scored."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table
from rich.text import Text

from app import adapters
from app.cli.build import open_model
from app.cli.files import Loaded, find, load
from app.cli.voice import Voice
from app.config import Settings
from app.errors import ItemError, ServiceError
from app.render import Renderer


@dataclass(frozen=True, slots=True)
class Reading:
    """`tokens` are those of the whole prompt, however long. What could not be read has a `problem`
    and nothing else."""

    file: str
    problem: str | None = None
    format: str | None = None
    turns: int | None = None
    issue_chars: int | None = None
    patch_chars: int | None = None
    tokens: int | None = None
    exit: str | None = None


def read(settings: Settings, files: Sequence[Path], voice: Voice) -> int:
    """The exit status: 1 when something could not be read. Raises `StartError`."""
    _, renderer, _ = open_model(settings)
    table = Table("trajectory", "format", "turns", "issue", "patch", "tokens", "exit")
    failed = 0
    for reading in _readings(find(files), renderer):
        failed += reading.problem is not None
        if voice.as_json:
            known = {k: v for k, v in asdict(reading).items() if v is not None}
            voice.machine(json.dumps(known))
        elif reading.problem:
            voice.complain(f"{reading.file}: {reading.problem}")
        else:
            table.add_row(*_cells(reading))
    if not voice.as_json:
        voice.out.print(table)
    return int(failed > 0)


def _readings(paths: Sequence[Path], renderer: Renderer) -> Iterator[Reading]:
    for path in paths:
        for loaded in load(path):
            yield _reading(loaded, renderer)


def _reading(loaded: Loaded, renderer: Renderer) -> Reading:
    if loaded.item is None:
        problem = loaded.problem or ServiceError("nothing to read")
        return Reading(loaded.name, _told(problem))
    try:
        found = adapters.adapt(loaded.item.trajectory)
        story = found.trajectory
        tokens = len(renderer.encode(story).ids)
    except ItemError as error:
        return Reading(loaded.name, _told(error))
    return Reading(
        loaded.name,
        format=found.format,
        turns=len(story.turns),
        issue_chars=len(story.issue),
        patch_chars=len(story.patch or ""),
        tokens=tokens,
        exit=story.exit,
    )


def _told(error: ServiceError) -> str:
    return f"{error.code}: {error.message}"


def _cells(reading: Reading) -> list[Text]:
    """As they stand: names of files may look like rich's own markup."""
    numbers = (reading.turns, reading.issue_chars, reading.patch_chars, reading.tokens)
    told = [reading.format, *(f"{number:,}" for number in numbers), reading.exit]
    return [Text(reading.file), *(Text(each or "") for each in told)]
