"""The answers as tables for people and as JSON lines for machines."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text
from swe_rm_client import Failed, ScoreResult

_SUFFIXES = (".gz", ".json", ".traj")


def as_line(name: str, result: ScoreResult, **beside: object) -> str:
    """One result as a JSON line, under the file's name; its place in a request says nothing here."""
    told = {key: value for key, value in result.raw.items() if key != "index"}
    return json.dumps({"file": name} | beside | told, allow_nan=False)


def score_table(rows: Sequence[tuple[str, ScoreResult]], trained: bool) -> Table:
    table = plain_table("Scores", trained)
    for heading, justify in (
        ("trajectory", "left"),
        ("format", "left"),
        ("tokens", "right"),
        ("P(resolved)", "right"),
        ("logit", "right"),
        ("label mass", "right"),
    ):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    for name, (_, result) in zip(told_apart([name for name, _ in rows]), rows, strict=True):
        table.add_row(Text(name), *_cells(result))
    return table


def _cells(result: ScoreResult) -> tuple[str, ...]:
    if isinstance(result, Failed):
        return ("", "", f"[red]{result.error.code}[/]", "", "")
    return (
        result.format or "",
        f"{result.tokens.prompt:,}",
        f"{result.probability:.3f}",
        f"{result.logit:+.3f}",
        f"{result.label_mass:.2g}",
    )


def rank_table(title: str, ranked: Sequence[Any], names: Sequence[str], trained: bool) -> Table:
    table = plain_table(title, trained)
    table.add_column("rank", justify="right")
    table.add_column("candidate")
    table.add_column("P(resolved)", justify="right")
    table.add_column("tied")
    apart = told_apart(names)
    for place in ranked:
        tied = "tied" if place.tied else ""
        name = Text(apart[place.index])
        table.add_row(str(place.rank), name, f"{place.relevance_score:.3f}", tied)
    return table


def plain_table(title: str, trained: bool) -> Table:
    caption = None if trained else "Nothing trained judged here: these numbers mean nothing."
    return Table(title=Text(title), caption=caption, caption_style="yellow")


def short(name: str) -> str:
    """A file's name without what every file has; of a folder `events` the folder around it too."""
    path = Path(name)
    last = f"{path.parent.name}/{path.name}" if path.name == "events" else path.name
    return _bare(last)


def _bare(name: str) -> str:
    for suffix in _SUFFIXES:
        name = name.removesuffix(suffix)
    return name


def told_apart(names: Sequence[str]) -> list[str]:
    """Short names; where several would look the same, their paths from the folder they share."""
    alike: dict[str, set[str]] = {}
    for name in names:
        alike.setdefault(short(name), set()).add(name)
    shared = {key: _shared(group) for key, group in alike.items() if len(group) > 1}
    return [_bare(name[shared[key] :]) if (key := short(name)) in shared else key for name in names]


def _shared(names: set[str]) -> int:
    """How many leading characters are folders that all have in common."""
    common = os.path.commonprefix(sorted(names))
    return common.rfind("/") + 1
