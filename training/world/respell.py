"""Other spellings of the same behaviour: changes of a text that mean nothing."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from random import Random

from training.world.source import Edit, Spans, apply, parses

_FLIPPED = {ast.Lt: ">", ast.Gt: "<", ast.LtE: ">=", ast.GtE: "<=", ast.Eq: "==", ast.NotEq: "!="}
_OPPOSITE = {ast.Lt: ">=", ast.Gt: "<=", ast.LtE: ">", ast.GtE: "<", ast.Eq: "!=", ast.NotEq: "=="}
_NAMES = ("result", "value", "out", "answer", "found")
_REMARKS = (
    "see the docstring", "as documented", "keep in step with the docs", "edge case", "note the order",
    "both ends count here", "checked against the docs", "the usual convention", "mind the boundary",
    "see the issue", "callers rely on this", "same rule as elsewhere", "do not reorder",
)  # fmt: skip


def respell(text: str, lines: Collection[int], rng: Random) -> str:
    """The text with one or two of these lines spelled otherwise; the text itself where none can be.

    Nearly always the same behaviour, yet not promised: the tests decide.
    """
    options = [edit for edit in _spellings(text, rng) if _line(text, edit) in lines]
    rng.shuffle(options)
    for edit in options:
        changed = apply(text, [edit])
        if parses(changed):
            return changed
    return remark(text, lines, rng)


def remark(text: str, lines: Collection[int], rng: Random) -> str:
    """The text with a comment above one of these lines."""
    rows = text.splitlines(keepends=True)
    fitting = [n for n in lines if n <= len(rows) and rows[n - 1].strip()]
    rng.shuffle(fitting)
    for number in fitting:
        row = rows[number - 1]
        space = row[: len(row) - len(row.lstrip())]
        note = f"{space}# {rng.choice(_REMARKS)}\n"
        changed = "".join([*rows[: number - 1], note, *rows[number - 1 :]])
        if parses(changed) and ast.dump(ast.parse(changed)) == ast.dump(ast.parse(text)):
            return changed
    return text


def _line(text: str, edit: Edit) -> int:
    return text.count("\n", 0, edit.start) + 1


def _spellings(text: str, rng: Random) -> Iterator[Edit]:
    spans = Spans(text)
    for node in spans.nodes():
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            yield from _comparison(spans, node)
        elif isinstance(node, ast.If | ast.While) and isinstance(node.test, ast.Compare):
            yield from _negated(spans, node.test)
        elif isinstance(node, ast.AugAssign):
            target = spans.of(node.target)
            sign = text[spans.end(node.target) : spans.start(node.value)].strip()[:-1]
            value = spans.of(node.value)
            if not isinstance(node.value, ast.Constant | ast.Name | ast.Attribute | ast.Call):
                value = f"({value})"
            yield Edit(spans.start(node), spans.end(node), f"{target} = {target} {sign} {value}")
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.BinOp | ast.Call):
            space = " " * node.col_offset
            name = rng.choice(_NAMES)
            put = f"{name} = {spans.of(node.value)}\n{space}return {name}"
            yield Edit(spans.start(node), spans.end(node), put)


def _comparison(spans: Spans, node: ast.Compare) -> Iterator[Edit]:
    left, right, kind = node.left, node.comparators[0], type(node.ops[0])
    simple = (ast.Name, ast.Constant, ast.Attribute, ast.Call, ast.Subscript, ast.BinOp)
    if kind in _FLIPPED and isinstance(left, simple) and isinstance(right, simple):
        put = f"{spans.of(right)} {_FLIPPED[kind]} {spans.of(left)}"
        yield Edit(spans.start(node), spans.end(node), put)


def _negated(spans: Spans, test: ast.Compare) -> Iterator[Edit]:
    kind = type(test.ops[0])
    if len(test.ops) == 1 and kind in _OPPOSITE:
        inner = f"{spans.of(test.left)} {_OPPOSITE[kind]} {spans.of(test.comparators[0])}"
        yield Edit(spans.start(test), spans.end(test), f"not ({inner})")
