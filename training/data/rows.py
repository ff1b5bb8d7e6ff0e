"""A folder of labelled trajectories: `labels.jsonl` beside native files, plain or .gz."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import StartError
from training.recipe import Labelled

LABELS = "labels.jsonl"


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled trajectory, unread. `source` is the name of the folder it came from."""

    file: Path
    instance_id: str
    resolved: bool
    policy: str
    source: str
    split: str | None


def read_rows(wanted: Labelled) -> list[Row]:
    """The rows of a folder that belong to the wanted splits, policies and instances.

    Raises `StartError` naming the line for whatever is wrong with it, and for wanted instances that
    the folder does not have.
    """
    file = wanted.folder / LABELS
    only = _instances(wanted)
    seen: set[Path] = set()
    rows = []
    for where, line in _lines(file):
        row = _row(where, line, wanted.folder)
        if row.file in seen:
            message = f"{where}: {row.file.name} is labelled twice"
            raise StartError(message)
        seen.add(row.file)
        if wanted.splits is not None and row.split not in wanted.splits:
            continue
        if wanted.policies is not None and row.policy not in wanted.policies:
            continue
        if only is None or row.instance_id in only:
            rows.append(row)
    if only and (missing := only - {row.instance_id for row in rows}):
        some = f"{len(missing)} instances have no row in {file}, such as {min(missing)}"
        message = f"{wanted.instances}: {some}"
        raise StartError(message)
    if not rows:
        message = f"{file}: no row belongs to splits {wanted.splits} and policies {wanted.policies}"
        raise StartError(message)
    return rows


def read_document(file: Path) -> Any:
    """The JSON of a file. Raises `StartError` naming it."""
    try:
        data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        return json.loads(data)
    except (OSError, EOFError, ValueError) as error:
        message = f"{file} cannot be read: {error}"
        raise StartError(message) from error


def _instances(wanted: Labelled) -> set[str] | None:
    if wanted.instances is None:
        return None
    return {line for line in wanted.instances.read_text(encoding="utf-8").split() if line}


def _lines(file: Path) -> Iterator[tuple[str, str]]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{file} cannot be read: {error}"
        raise StartError(message) from error
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield f"{file}:{number}", line


def _row(where: str, line: str, folder: Path) -> Row:
    try:
        value = json.loads(line)
    except ValueError as error:
        message = f"{where}: no JSON"
        raise StartError(message) from error
    value = value if isinstance(value, dict) else {}
    name, instance, resolved = (value.get(key) for key in ("file", "instance_id", "resolved"))
    if not isinstance(name, str) or not isinstance(instance, str) or resolved not in (0, 1):
        message = f"{where}: a row needs file, instance_id and resolved (0 or 1)"
        raise StartError(message)
    file = folder / name
    if not file.resolve().is_relative_to(folder.resolve()):
        message = f"{where}: {name!r} leads out of the folder; copy or move the files into it"
        raise StartError(message)
    if not file.is_file():
        message = f"{where}: there is no file {name!r} in the folder"
        raise StartError(message)
    split = value.get("split")
    return Row(
        file,
        instance,
        bool(resolved),
        str(value.get("policy", "unknown")),
        folder.resolve().name,
        split if isinstance(split, str) else None,
    )
