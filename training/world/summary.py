"""What an output folder holds, in tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import mean
from typing import Any

from rich.console import Console
from rich.table import Table

Row = Mapping[str, Any]


def show(rows: Sequence[Row], console: Console) -> None:
    if not rows:
        console.print("no trajectories")
        return
    console.print(_by("policy", rows))
    console.print(_by("voice", rows))
    console.print(_by("claim", rows))
    console.print(_by("split", rows))
    modules = len({row["module"] for row in rows})
    instances = len({row["instance_id"] for row in rows})
    twins = sum(row["swapped"] is not None for row in rows)
    console.print(
        f"{len(rows)} trajectories, {modules} modules, {instances} instances, {twins} twins"
    )


def _by(name: str, rows: Sequence[Row]) -> Table:
    table = Table(title=name, title_justify="left")
    table.add_column(name)
    for head in ("trajectories", "resolved", "turns", "most turns", "leaky"):
        table.add_column(head, justify="right")
    for value in sorted({row[name] for row in rows}):
        _line(table, value, [row for row in rows if row[name] == value])
    _line(table, "all", rows)
    return table


def _line(table: Table, label: str, rows: Sequence[Row]) -> None:
    table.add_row(
        label,
        str(len(rows)),
        f"{_share(row['resolved'] for row in rows):.1%}",
        f"{mean(row['turns'] for row in rows):.1f}",
        str(max(row["turns"] for row in rows)),
        f"{_share(row['history'] == 'leaky' for row in rows):.1%}",
    )


def _share(values: Iterable[int]) -> float:
    return mean(map(int, values))
