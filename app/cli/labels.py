"""`labels.jsonl`: which runs resolved their issue. One JSON object a line:

    {"file": "a/x.traj.json", "instance_id": "django__django-1", "resolved": 1, "policy": "agent-a"}

`resolved` is true, false, 1 or 0. Instead of `file` a row may name its run by `score_id`,
`trajectory_digest` or `id`. Without `instance_id` the file's name tells it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.cli.files import read_text
from app.cli.runs import LABELS, instance_by_name
from app.errors import ServiceError, StartError

NAMED_BY = ("file", "score_id", "trajectory_digest", "id")
_TOLD = 5  # problems named in one message


@dataclass(frozen=True, slots=True)
class Label:
    """One row. `by` says which field names the run, `name` what it holds."""

    line: int
    by: str
    name: str
    instance_id: str
    resolved: int
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Labels:
    path: Path
    rows: Sequence[Label]

    def file_of(self, label: Label) -> Path:
        """Where the run lies: beside the labels."""
        return self.path.parent / label.name

    def wrong(self, problems: Sequence[str]) -> StartError:
        """Names up to five rows."""
        more = f"; and {len(problems) - _TOLD} more" if len(problems) > _TOLD else ""
        return StartError(f"{self.path}: {'; '.join(problems[:_TOLD])}{more}")


def read_labels(path: Path) -> Labels:
    """The labels of a folder, or of a file. Raises `StartError` naming lines."""
    path = path / LABELS if path.is_dir() else path
    try:
        text, _ = read_text(path)
    except ServiceError as error:
        message = f"{path}: {error.message}"
        raise StartError(message) from error
    rows: dict[tuple[str, str], Label] = {}
    problems: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        found = _label(number, line)
        if isinstance(found, str):
            problems.append(f"line {number}: {found}")
        elif earlier := rows.get((found.by, found.name)):
            problems.append(f"line {number}: {found.name} stands in line {earlier.line} already")
        else:
            rows[found.by, found.name] = found
    labels = Labels(path, tuple(rows.values()))
    if problems:
        raise labels.wrong(problems)
    if not rows:
        message = f"{path} holds no labels"
        raise StartError(message)
    return labels


def slice_value(label: Label, by: str) -> str:
    """What the row says of `by`; rows that say nothing are told apart as `unknown`."""
    value = label.fields.get(by)
    return "unknown" if value is None else str(value)


def _label(number: int, line: str) -> Label | str:
    """The row, or what is wrong with it."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return "no JSON"
    if not isinstance(row, dict):
        return "no JSON object"
    by = next((key for key in NAMED_BY if key in row), None)
    if by is None:
        return f"names no run; needed is one of {', '.join(NAMED_BY)}"
    if not isinstance(row[by], str) or not row[by]:
        return f"{by} must be text"
    if "resolved" not in row:
        return "resolved is missing"
    if type(row["resolved"]) not in (bool, int) or row["resolved"] not in (0, 1):
        return f"resolved is {json.dumps(row['resolved'])[:40]}; it must be true, false, 1 or 0"
    instance = row.get("instance_id")
    if instance is None:
        instance = instance_by_name(Path(row[by])) if by == "file" else row[by]
    if not isinstance(instance, str) or not instance:
        return "instance_id must be text"
    return Label(number, by, row[by], instance, int(row["resolved"]), row)
