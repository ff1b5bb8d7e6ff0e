"""Small edits of source text: spans of a text replaced, nothing else touched."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Edit:
    """Replace `text[start:end]`, counted in characters, by `put`."""

    start: int
    end: int
    put: str
    operator: str = "hand"

    def overlaps(self, other: Edit) -> bool:
        return self.start <= other.end and other.start <= self.end


def apply(text: str, edits: Iterable[Edit]) -> str:
    for edit in sorted(edits, reverse=True):
        text = text[: edit.start] + edit.put + text[edit.end :]
    return text


class Spans:
    """Where the nodes of a parsed text stand in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = ast.parse(text)
        self._lines = text.splitlines(keepends=True)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))

    def at(self, line: int, column_bytes: int) -> int:
        before = self._lines[line - 1].encode()[:column_bytes].decode()
        return self._starts[line - 1] + len(before)

    def start(self, node: ast.expr | ast.stmt | ast.arg | ast.keyword) -> int:
        return self.at(node.lineno, node.col_offset)

    def end(self, node: ast.expr | ast.stmt | ast.arg | ast.keyword) -> int:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self.at(node.end_lineno, node.end_col_offset)

    def of(self, node: ast.expr | ast.stmt) -> str:
        return self.text[self.start(node) : self.end(node)]

    def line(self, position: int) -> int:
        """The line, counted from 1, of a character."""
        return self.text.count("\n", 0, position) + 1

    def functions(self) -> Iterator[tuple[str, ast.FunctionDef]]:
        """(name, node) of functions and methods; methods as `Class.name`."""
        for node in self.tree.body:
            if isinstance(node, ast.FunctionDef):
                yield node.name, node
            elif isinstance(node, ast.ClassDef):
                for inner in node.body:
                    if isinstance(inner, ast.FunctionDef):
                        yield f"{node.name}.{inner.name}", inner

    def function_at(self, position: int) -> str:
        """The function around a character, or "" outside of all."""
        line = self.line(position)
        for name, node in self.functions():
            if node.lineno <= line <= (node.end_lineno or node.lineno):
                return name
        return ""

    def nodes(self) -> Iterator[ast.AST]:
        """Every node inside functions; nothing inside f-strings, whose positions Python 3.11 loses."""
        waiting: list[ast.AST] = [node for _, node in self.functions()]
        while waiting:
            node = waiting.pop()
            yield node
            if not isinstance(node, ast.JoinedStr):
                waiting.extend(reversed(list(ast.iter_child_nodes(node))))


def parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True
