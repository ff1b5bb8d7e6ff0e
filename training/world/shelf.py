"""The output folder: what it was made from, instances, trajectories, and a row for each.

<out>/world.json                     seed, tasks: what may not change between two runs
<out>/instances.jsonl                validated instances with their issues
<out>/<module>/<instance>/<n>.traj.json.gz
<out>/swapped/…                      twins with the other prose
<out>/labels.jsonl                   a row for every trajectory that is in its place
<out>/train.jsonl, calibration.jsonl, test.jsonl   the same rows by split, of a finished world
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.world.bugs import Instance, from_json, to_json

_LEVEL = 6


class Shelf:
    """One output folder. Raises `SystemExit` with the way out where it cannot be used."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.labels = out / "labels.jsonl"
        self._instances = out / "instances.jsonl"

    def open(self, facts: dict[str, Any]) -> None:
        """Begin, or go on with what the same facts began."""
        self.out.mkdir(parents=True, exist_ok=True)
        note = self.out / "world.json"
        if note.exists():
            before = json.loads(note.read_text("utf-8"))
            changed = [name for name in facts if before.get(name) != facts[name]]
            if changed:
                message = (
                    f"{self.out} was made with another {' and '.join(changed)}: choose another --out, "
                    f"or remove the folder to make it anew"
                )
                raise SystemExit(message)
        elif self.labels.exists():
            message = f"{self.out} holds labels but no world.json: choose another --out"
            raise SystemExit(message)
        else:
            write(note, json.dumps(facts, indent=1).encode())

    def instances(self) -> list[Instance] | None:
        if not self._instances.exists():
            return None
        lines = self._instances.read_text("utf-8").splitlines()
        return [from_json(json.loads(line)) for line in lines]

    def keep_instances(self, instances: Sequence[Instance]) -> None:
        text = "".join(json.dumps(to_json(instance)) + "\n" for instance in instances)
        write(self._instances, text.encode())

    def rows(self) -> list[dict[str, Any]]:
        """Finished rows whose files are there; a line cut short by a crash is taken away."""
        if not self.labels.exists():
            return []
        rows, whole = [], True
        for line in self.labels.read_text("utf-8").splitlines():
            try:
                row = json.loads(line)
            except ValueError:
                whole = False
                continue
            if (self.out / row["file"]).exists():
                rows.append(row)
            else:
                whole = False
        if not whole:
            write(self.labels, "".join(json.dumps(row) + "\n" for row in rows).encode())
        return rows

    def add_row(self, row: dict[str, Any]) -> None:
        with self.labels.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    def keep_splits(self, rows: Sequence[dict[str, Any]]) -> None:
        for split in sorted({row["split"] for row in rows}):
            mine = (json.dumps(row) + "\n" for row in rows if row["split"] == split)
            write(self.out / f"{split}.jsonl", "".join(mine).encode())


def write_document(path: Path, document: dict[str, Any]) -> None:
    """Gzip without a clock, so that equal documents are equal files."""
    write(path, gzip.compress(json.dumps(document).encode(), _LEVEL, mtime=0))


def write(path: Path, data: bytes) -> None:
    """Put a file in its place whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_bytes(data)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
