"""Reads the tasks: a sound module, its tests, calls to try on it, and bugs written by hand."""

from __future__ import annotations

import ast
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent / "tasks"
_CLOSED = (
    ast.Call, ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.List, ast.ListComp, ast.Dict,
    ast.DictComp, ast.Set,
)  # fmt: skip


@dataclass(frozen=True)
class Probe:
    """A small call as a user would write it; `setup` comes before and may be empty."""

    setup: str
    expression: str

    @property
    def operand(self) -> str:
        """The expression as it may stand among others."""
        kind = ast.parse(self.expression, mode="eval").body
        return self.expression if isinstance(kind, _CLOSED) else f"({self.expression})"


@dataclass(frozen=True)
class HandBug:
    name: str
    find: str
    replace: str
    title: str
    behaviour: str


@dataclass(frozen=True)
class Task:
    name: str
    package: str
    module: str
    summary: str
    source: str
    visible: str
    hidden: str
    probes: tuple[Probe, ...]
    bugs: tuple[HandBug, ...]

    @property
    def path(self) -> str:
        """Where the module stands in its repository."""
        return f"{self.package}/{self.module}.py"

    @property
    def test_path(self) -> str:
        return f"tests/test_{self.module}.py"

    @property
    def digest(self) -> str:
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]


def read_task(folder: Path) -> Task:
    """Raises `SystemExit` naming the folder when something in it is missing."""
    try:
        facts = json.loads((folder / "task.json").read_text("utf-8"))
        return Task(
            name=facts["name"],
            package=facts["package"],
            module=facts["module"],
            summary=facts["summary"],
            source=(folder / f"{facts['module']}.py").read_text("utf-8"),
            visible=(folder / "visible.py").read_text("utf-8"),
            hidden=(folder / "hidden.py").read_text("utf-8"),
            probes=tuple(Probe(p.get("setup", ""), p["expression"]) for p in facts["probes"]),
            bugs=tuple(HandBug(**bug) for bug in facts["bugs"]),
        )
    except (OSError, KeyError, TypeError, ValueError) as cause:
        message = f"{folder} is no task: {cause}"
        raise SystemExit(message) from cause


def read_tasks(folder: Path) -> list[Task]:
    """All tasks, by name."""
    tasks = [read_task(path.parent) for path in sorted(folder.glob("*/task.json"))]
    if not tasks:
        message = f"no tasks in {folder}"
        raise SystemExit(message)
    return sorted(tasks, key=lambda task: task.name)
