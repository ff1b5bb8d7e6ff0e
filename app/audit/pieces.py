"""Scripts in pieces that a parser of bash reads in time.

Before it sees that a pipeline is broken, tree-sitter's grammar takes half as long again for each further
pipe, and open brackets cost it much as well: a line of 500 characters took four seconds. What an agent
writes is far from these bounds once long texts are folded.
"""

from __future__ import annotations

import re

_CHARS = 1_500
_DEEPEST = 24
_PIPES = 16
_BRACKETS = re.compile(r"[(){}\[\]]")


def is_small(piece: str) -> bool:
    """Whether a parser may have it."""
    return len(piece) <= _CHARS and piece.count("|") <= _PIPES and _depth(piece) <= _DEEPEST


def _depth(piece: str) -> int:
    """How many brackets are open at most, quotes not looked at."""
    depth = deepest = 0
    for sign in _BRACKETS.findall(piece):
        depth = depth + 1 if sign in "([{" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest


def pieces(script: str) -> list[str]:
    """The script in runs of whole lines, each small where its lines are."""
    if len(script) <= _CHARS and script.count("|") <= _PIPES:
        return [script]
    found: list[str] = []
    held: list[str] = []
    size = pipes = 0
    for line in script.split("\n"):
        more = line.count("|")
        if held and (size + len(line) > _CHARS or pipes + more > _PIPES):
            found.append("\n".join(held))
            held, size, pipes = [], 0, 0
        held.append(line)
        size, pipes = size + len(line) + 1, pipes + more
    return [*found, "\n".join(held)]
