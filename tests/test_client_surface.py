"""What swe_rm_client offers, imports and documents."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import swe_rm_client as rm
from client_server import Server, documents
from swe_rm_client import boundary

METHODS = [
    "score", "score_values", "stream", "rerank", "rewards", "outcomes", "verify", "info", "models"
]  # fmt: skip
ROOT = Path(__file__).parents[1] / "client"


def test_the_public_surface() -> None:
    public = {
        name
        for name, value in vars(rm).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert sorted(rm.__all__) == sorted(public | {"__version__"})
    assert {e.__name__ for e in boundary.HTTPX_ERRORS.values()} <= public
    assert (ROOT / "swe_rm_client" / "py.typed").exists()


@pytest.mark.parametrize("method", METHODS)
def test_both_clients_have_the_same_documented_methods(method: str) -> None:
    one, other = getattr(rm.Client, method), getattr(rm.AsyncClient, method)
    assert inspect.signature(one) == inspect.signature(other)
    assert one.__doc__
    with rm.Client() as client, pytest.raises(TypeError, match="misspelt"):
        getattr(client, method)([{}], misspelt=1)


def test_the_client_imports_httpx_and_the_standard_library_only() -> None:
    for path in (ROOT / "swe_rm_client").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            foreign = {name.split(".")[0] for name in names} - sys.stdlib_module_names
            assert foreign <= {"httpx", "swe_rm_client"}, path


async def test_the_readme_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    readme = (ROOT / "README.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    for kind in (rm.Client, rm.AsyncClient):
        real = kind.__init__

        def on_the_fake(self: Any, *args: Any, _real: Any = real, **kwargs: Any) -> None:
            _real(self, *args, transport=httpx.MockTransport(Server()), **kwargs)

        monkeypatch.setattr(kind, "__init__", on_the_fake)
    known = {"trajectory": {"p": 0.5}, "trajectories": documents(3), "candidates": documents(3)}
    for block in blocks:
        code = compile(block, "README.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        running = eval(code, dict(known))
        if inspect.iscoroutine(running):
            await running
    assert len(blocks) >= 2
    assert len(readme.splitlines()) <= 120
