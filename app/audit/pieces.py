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
_QUOTED = re.compile(r"'[^']*'|\"(?:\\.|[^\"\\])*\"")
_BRACKETS = re.compile(r"[(){}\[\]]")


def is_small(piece: str) -> bool:
    """Whether a parser may have it."""
    return len(piece) <= _CHARS and piece.count("|") <= _PIPES and _depth(piece)[0] <= _DEEPEST


def pieces(script: str) -> list[str]:
    """The script in runs of whole lines, each small where its lines are."""
    if is_small(script):
        return [script]
    found: list[str] = []
    held: list[str] = []
    size = pipes = depth = 0
    for line in script.split("\n"):
        start = line[: _CHARS + 1]  # of one that is too long anyway no more is looked at
        more, (deepest, after) = line.count("|"), _depth(start, depth)
        if held and (size + len(line) > _CHARS or pipes + more > _PIPES or deepest > _DEEPEST):
            found.append("\n".join(held))
            held, size, pipes, after = [], 0, 0, _depth(start)[1]
        held.append(line)
        size, pipes, depth = size + len(line) + 1, pipes + more, after
    return [*found, "\n".join(held)]


def _depth(text: str, depth: int = 0) -> tuple[int, int]:
    """How many brackets outside of quotes are open (at most, at the end), `depth` being open before."""
    deepest = depth
    for sign in _BRACKETS.findall(_QUOTED.sub("", text)):
        depth = depth + 1 if sign in "([{" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest, depth
