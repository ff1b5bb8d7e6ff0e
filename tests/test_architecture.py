"""Holds the doors of the house: who may import whom, how large a file and a function may be."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MATERIAL = (
    ROOT / "training" / "world" / "tasks"
)  # what scripted agents work on: no code of the house
STAGES = {
    "adapters",
    "audit",
    "render",
    "memo",
    "admission",
    "engine",
    "calibration",
    "rewards",
    "ranking",
}
NOUNS = {"types", "errors"}
API = {"scorer", "schema", "outcomes", "quality", "metrics"} | NOUNS
ALL = {
    *STAGES, *API, "scorer", "store", "config", "api", "web", "cli",
}  # fmt: skip

# room -> (rooms of the house it may import, foreign packages it may import)
DOORS: dict[str, tuple[set[str], set[str]]] = {
    "types": (set(), set()),
    "errors": ({"types"}, set()),
    "schema": (set(), {"pydantic"}),
    "adapters": (NOUNS, set()),
    "audit": (NOUNS, {"tree_sitter", "tree_sitter_bash"}),
    "render": (NOUNS, {"tiktoken", "tokenizers"}),
    "memo": (NOUNS, set()),
    "admission": (NOUNS, set()),
    "engine": (NOUNS, set()),
    "calibration": (NOUNS, set()),
    "rewards": (NOUNS, set()),
    "ranking": (NOUNS, set()),
    "quality": (NOUNS, {"numpy", "sklearn", "matplotlib"}),
    "outcomes": (NOUNS, {"sqlalchemy", "alembic"}),
    "store": (NOUNS, {"pydantic", "safetensors"}),
    "scorer": (STAGES | NOUNS, set()),
    "metrics": (set(), {"prometheus_client"}),
    "config": (set(), {"pydantic"}),
    "api": (API, {"fastapi", "starlette", "pydantic", "zstandard", "jinja2", "structlog", "opentelemetry"}),
    "web": (API, {"fastapi", "starlette", "jinja2"}),
    "cli": (
        ALL,
        {"typer", "rich", "uvicorn", "fastapi", "prometheus_client", "httpx", "swe_rm_client", "jinja2"},
    ),
    "client": (set(), {"httpx"}),
    "training": (
        {"types", "errors", "adapters", "render", "quality", "store"},
        {
            "torch", "transformers", "accelerate", "minisweagent", "tokenizers", "rich", "numpy", "yaml",
            "pydantic",
        },
    ),
    "bench": (
        {"api", "cli", "config", "admission", "engine", "render", "adapters", "calibration"}
        | {"outcomes", "quality"}
        | NOUNS,
        {"httpx", "rich", "swe_rm_client", "tokenizers", "vllm", "numpy", "asyncpg", "psutil", "aiohttp"}
        | {"torch", "transformers"},  # bench.gpu, where there is no vLLM
    ),
    "deploy": (
        {"api", "cli", "config", "errors", "web"},
        {"swe_rm_client", "ray", "fastapi", "starlette", "prometheus_client"},
    ),
}  # fmt: skip
# A room that imports itself under another name.
OWN_NAME = {"client": "swe_rm_client"}
# Packages that one file alone may import.
ONE_FILE = {
    "app/engine/vllm.py": {"vllm"},
    "app/engine/transformers.py": {"torch", "transformers"},
    "app/store/hub.py": {"huggingface_hub"},
}


def sources() -> Iterator[tuple[str, Path]]:
    """(room, file) of everything the doors speak of."""
    for file in sorted((ROOT / "app").rglob("*.py")):
        inside = file.relative_to(ROOT / "app").parts
        if inside != ("__init__.py",):
            yield inside[0].removesuffix(".py"), file
    for room in ("client", "training", "bench", "deploy"):
        for file in sorted((ROOT / room).rglob("*.py")):
            if not file.is_relative_to(MATERIAL):
                yield room, file


def imports(file: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from ((name.name, node.lineno) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
            if node.module == "app":  # `from app import adapters` names a room
                names = [f"app.{name.name}" for name in node.names]
            yield from ((name, node.lineno) for name in names)


def wrong_doors(room: str, file: Path) -> Iterator[str]:
    where = file.relative_to(ROOT).as_posix()
    if room not in DOORS:
        yield f"{where}: {room} is no room of the house"
        return
    rooms, foreign = DOORS[room]
    foreign = foreign | ONE_FILE.get(where, set())
    for name, line in imports(file):
        top, _, rest = name.partition(".")
        if top == "app":
            target = rest.partition(".")[0]
            if target not in rooms | {room}:
                yield f"{where}:{line}: {room} may not import {name}"
        elif top not in sys.stdlib_module_names and top not in foreign | {room, OWN_NAME.get(room)}:
            yield f"{where}:{line}: {room} may not import {top}"


def test_every_import_goes_through_its_door() -> None:
    found = [problem for room, file in sources() for problem in wrong_doors(room, file)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("line", "allowed"),
    [("import app.engine", False), ("from app import scorer", False), ("import torch", False),
     ("import json", True), ("from app.types import Turn", True)],
)  # fmt: skip
def test_a_planted_import_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, allowed: bool
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    planted = tmp_path / "app" / "adapters" / "planted.py"
    planted.parent.mkdir(parents=True)
    planted.write_text(line)
    assert (not list(wrong_doors("adapters", planted))) is allowed


def test_nothing_outgrew_its_size() -> None:
    found = []
    for _, file in sources():
        text = file.read_text()
        lines = len(text.splitlines())
        if lines > 300:
            found.append(f"{file}: {lines} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                size = (node.end_lineno or node.lineno) - node.lineno + 1
                if size > 60:
                    found.append(f"{file}:{node.name}: {size} lines")
    assert not found, "\n".join(found)


def test_no_room_without_a_name() -> None:
    nameless = {"utils", "util", "common", "core", "services", "helpers", "misc"}
    assert not [file for _, file in sources() if nameless & {*file.parts, file.stem}]
