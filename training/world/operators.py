"""Mutation operators: each finds places in a parsed text and proposes small source edits there.

`mutations` is every proposal of every operator that still parses. Whether one is a bug is for the
hidden tests to say.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import TypeGuard

from training.world.source import Edit, Spans, apply, parses

Found = Iterator[tuple[int, int, str]]
Operator = Callable[[Spans, ast.AST], Found]
Statement = (ast.Expr, ast.Assign, ast.AugAssign)

_SWAPS = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "!=", "!=": "==", "in": "not in",
          "not in": "in", "is": "is not", "is not": "is"}  # fmt: skip
_BOUNDS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
_COMPARISON = re.compile(r"not\s+in\b|is\s+not\b|<=|>=|==|!=|<|>|\bin\b|\bis\b")
_ARITHMETIC = {"+": "-", "-": "+", "*": "+", "//": "/", "/": "//", "%": "//"}
_CALLS = {"min": "max", "max": "min", "any": "all", "all": "any", "floor": "ceil", "ceil": "floor"}
_METHODS = {
    "lower": "upper", "upper": "lower", "strip": "rstrip", "lstrip": "rstrip", "rstrip": "lstrip",
    "startswith": "endswith", "endswith": "startswith", "find": "rfind", "rfind": "find",
    "split": "rsplit", "rsplit": "split", "partition": "rpartition", "rpartition": "partition",
    "removeprefix": "removesuffix", "ljust": "rjust", "rjust": "ljust", "index": "find",
    "isdigit": "isalnum", "isalpha": "isalnum", "append": "extend", "keys": "values",
    "bisect_left": "bisect_right", "bisect_right": "bisect_left", "appendleft": "append",
    "popleft": "pop", "title": "capitalize", "items": "keys",
}  # fmt: skip
_ERRORS = {"ValueError": "TypeError", "TypeError": "ValueError", "KeyError": "ValueError",
           "IndexError": "ValueError", "LookupError": "ValueError"}  # fmt: skip


def _between(spans: Spans, left: ast.expr, right: ast.expr, pattern: re.Pattern[str]) -> Found:
    """The operator that stands between two operands, and where."""
    start, end = spans.end(left), spans.start(right)
    found = pattern.search(spans.text, start, end)
    if found:
        yield found.start(), found.end(), re.sub(r"\s+", " ", found.group())


def _comparisons(spans: Spans, node: ast.AST, table: dict[str, str]) -> Found:
    if isinstance(node, ast.Compare):
        operands = [node.left, *node.comparators]
        for left, right in zip(operands, operands[1:], strict=False):
            for start, end, sign in _between(spans, left, right, _COMPARISON):
                if sign in table:
                    yield start, end, table[sign]


def comparison_swap(spans: Spans, node: ast.AST) -> Found:
    yield from _comparisons(spans, node, _SWAPS)


def boundary(spans: Spans, node: ast.AST) -> Found:
    yield from _comparisons(spans, node, _BOUNDS)


def arithmetic(spans: Spans, node: ast.AST) -> Found:
    if isinstance(node, ast.BinOp):
        pattern = re.compile(r"//|\*\*|[-+*/%]")
        for start, end, sign in _between(spans, node.left, node.right, pattern):
            if sign in _ARITHMETIC:
                yield start, end, _ARITHMETIC[sign]


def boolean(spans: Spans, node: ast.AST) -> Found:
    if isinstance(node, ast.BoolOp):
        pattern = re.compile(r"\band\b|\bor\b")
        for left, right in zip(node.values, node.values[1:], strict=False):
            for start, end, sign in _between(spans, left, right, pattern):
                yield start, end, "or" if sign == "and" else "and"


def negate_condition(spans: Spans, node: ast.AST) -> Found:
    if isinstance(node, ast.If | ast.IfExp):
        test = node.test
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            yield spans.start(test), spans.end(test), spans.of(test.operand)
        elif not isinstance(test, ast.Compare):
            yield spans.start(test), spans.end(test), f"not ({spans.of(test)})"


def constant_step(spans: Spans, node: ast.AST) -> Found:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        yield spans.start(node), spans.end(node), str(node.value + 1)
        if node.value > 0:
            yield spans.start(node), spans.end(node), str(node.value - 1)


def flag(spans: Spans, node: ast.AST) -> Found:
    if isinstance(node, ast.Constant) and type(node.value) is bool:
        yield spans.start(node), spans.end(node), str(not node.value)


def slice_bound(spans: Spans, node: ast.AST) -> Found:
    if isinstance(node, ast.Slice):
        for bound in (node.lower, node.upper):
            if bound is not None:
                yield spans.start(bound), spans.end(bound), ""
                if not isinstance(bound, ast.Constant | ast.UnaryOp):
                    yield spans.end(bound), spans.end(bound), " + 1"
                    yield spans.end(bound), spans.end(bound), " - 1"


def return_value(spans: Spans, node: ast.AST) -> Found:
    if isinstance(node, ast.Return) and node.value is not None:
        value = node.value
        if isinstance(value, ast.Constant) and value.value is None:
            yield spans.start(value), spans.end(value), "0"
        elif not isinstance(value, ast.Constant) or type(value.value) is str:
            yield spans.start(value), spans.end(value), "None"


def drop_statement(spans: Spans, node: ast.AST) -> Found:
    for _, body in _bodies(node):
        for statement in body:
            docstring = isinstance(statement, ast.Expr) and isinstance(
                statement.value, ast.Constant
            )
            if isinstance(statement, Statement) and not docstring and not _names(spans, statement):
                if len(body) == 1:
                    yield spans.start(statement), spans.end(statement), "pass"
                else:
                    yield *_whole_lines(spans, statement), ""


def _names(spans: Spans, statement: ast.stmt) -> bool:
    """Whether a statement is the only one of its function to give some name a value."""
    if not isinstance(statement, ast.Assign):
        return False
    given = {n.id for t in statement.targets for n in ast.walk(t) if _stored(n)}
    around = [
        f for _, f in spans.functions() if f.lineno <= statement.lineno <= (f.end_lineno or 0)
    ]
    all_given = [n.id for f in around for n in ast.walk(f) if _stored(n)]
    return any(all_given.count(name) < 2 for name in given)


def _stored(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def early_return(spans: Spans, node: ast.AST) -> Found:
    """An `if` that only leaves (return, raise, continue) is taken away."""
    for _, body in _bodies(node):
        for statement in body:
            leaves = (
                isinstance(statement, ast.If)
                and not statement.orelse
                and len(statement.body) == 1
                and isinstance(statement.body[0], ast.Return | ast.Raise | ast.Continue)
            )
            if leaves and len(body) > 1:
                yield *_whole_lines(spans, statement), ""


def _bodies(node: ast.AST) -> Iterator[tuple[str, list[ast.stmt]]]:
    for name in ("body", "orelse", "finalbody"):
        body = getattr(node, name, None)
        if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
            yield name, body


def _whole_lines(spans: Spans, node: ast.stmt) -> tuple[int, int]:
    start = spans.text.rfind("\n", 0, spans.start(node)) + 1
    if spans.text[start : spans.start(node)].strip():  # an `elif`, or a second statement
        return spans.start(node), spans.start(node)
    end = spans.text.find("\n", spans.end(node))
    return start, len(spans.text) if end < 0 else end + 1


def swap_arguments(spans: Spans, node: ast.AST) -> Found:
    if isinstance(node, ast.Call) and len(node.args) >= 2:
        first, second = node.args[:2]
        if not isinstance(first, ast.Starred) and not isinstance(second, ast.Starred):
            middle = spans.text[spans.end(first) : spans.start(second)]
            put = spans.of(second) + middle + spans.of(first)
            yield spans.start(first), spans.end(second), put


def extreme(spans: Spans, node: ast.AST) -> Found:
    """min and max, any and all, floor and ceil."""
    if isinstance(node, ast.Name) and node.id in _CALLS:
        yield spans.start(node), spans.end(node), _CALLS[node.id]
    if isinstance(node, ast.Attribute) and node.attr in ("floor", "ceil"):
        yield spans.end(node) - len(node.attr), spans.end(node), _CALLS[node.attr]


def ordering(spans: Spans, node: ast.AST) -> Found:
    """A sort turned round, or left out, or without its key."""
    if not isinstance(node, ast.Call):
        return
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    if name == "reversed" or (name == "sorted" and not node.keywords):
        yield spans.start(node.func), spans.end(node.func), "list"
    if name in ("sorted", "sort") and not any(k.arg == "reverse" for k in node.keywords):
        comma = ", " if node.args or node.keywords else ""
        yield spans.end(node) - 1, spans.end(node), f"{comma}reverse=True)"
    for keyword in node.keywords:
        if name in ("sorted", "sort", "min", "max") and keyword.arg in ("key", "reverse"):
            start = spans.start(keyword)
            before = len(spans.text[:start].rstrip().rstrip(","))
            yield before if node.args else start, spans.end(keyword), ""


def exception_type(spans: Spans, node: ast.AST) -> Found:
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        name = node.exc.func
        if isinstance(name, ast.Name) and name.id in _ERRORS:
            yield spans.start(name), spans.end(name), _ERRORS[name.id]


def method(spans: Spans, node: ast.AST) -> Found:
    if isinstance(node, ast.Attribute) and node.attr in _METHODS:
        yield spans.end(node) - len(node.attr), spans.end(node), _METHODS[node.attr]


def accumulation(spans: Spans, node: ast.AST) -> Found:
    if isinstance(node, ast.AugAssign):
        start, end = spans.end(node.target), spans.start(node.value)
        sign = spans.text[start:end].strip()
        for put in {"+=": ("=", "-="), "-=": ("=", "+="), "*=": ("=", "+=")}.get(sign, ("=",)):
            yield start, end, f" {put} "


def leave_loop(spans: Spans, node: ast.AST) -> Found:
    if isinstance(node, ast.Break):
        yield spans.start(node), spans.end(node), "continue"
    if isinstance(node, ast.Continue):
        yield spans.start(node), spans.end(node), "break"


OPERATORS: dict[str, Operator] = {
    found.__name__: found
    for found in (
        comparison_swap, boundary, arithmetic, boolean, negate_condition, constant_step, flag,
        slice_bound, return_value, drop_statement, early_return, swap_arguments, extreme, ordering,
        exception_type, method, accumulation, leave_loop,
    )
}  # fmt: skip


def mutations(text: str) -> list[Edit]:
    """Every edit of every operator that leaves a text that parses, in order of place."""
    spans = Spans(text)
    found: dict[tuple[int, int, str], Edit] = {}
    for node in spans.nodes():
        for name, operator in OPERATORS.items():
            for start, end, put in operator(spans, node):
                if text[start:end] != put:
                    found.setdefault((start, end, put), Edit(start, end, put, name))
    return sorted(edit for edit in found.values() if parses(apply(text, [edit])))
