"""Compare two lists of lines and apply the differences."""

from itertools import groupby
from typing import NamedTuple

__all__ = ["Edit", "PatchError", "diff", "hunks", "lcs_length", "patch", "similarity", "unified"]


class Edit(NamedTuple):
    """One line of a comparison: sign " ", "-" or "+", and the line.

    `old` and `new` are the numbers of old and new lines before it.
    """

    sign: str
    line: str
    old: int
    new: int


class PatchError(ValueError):
    """Edits that do not fit the lines they are applied to."""


def _table(old, new, same):
    """table[i][j] is the length of the longest common subsequence of old[i:] and new[j:]."""
    table = [[0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i in reversed(range(len(old))):
        for j in reversed(range(len(new))):
            if same(old[i]) == same(new[j]):
                table[i][j] = table[i + 1][j + 1] + 1
            else:
                table[i][j] = max(table[i + 1][j], table[i][j + 1])
    return table


def _key(ignore_case, ignore_space):
    def same(line):
        line = "".join(line.split()) if ignore_space else line
        return line.lower() if ignore_case else line

    return same


def lcs_length(old, new):
    """Return how many lines the longest common subsequence of both has."""
    return _table(old, new, str)[0][0]


def diff(old, new, ignore_case=False, ignore_space=False):
    """Return the edits from old to new, with as many kept lines as possible.

    In a changed place, removed lines come before added ones. `ignore_space` ignores all
    white space; a kept line is shown as it is in `new`.
    """
    same = _key(ignore_case, ignore_space)
    table = _table(old, new, same)
    edits = []
    i = j = 0
    for _ in range(len(old) + len(new)):
        if i < len(old) and j < len(new) and same(old[i]) == same(new[j]):
            edits.append(Edit(" ", new[j], i, j))
            i, j = i + 1, j + 1
        elif i < len(old) and (j == len(new) or table[i + 1][j] >= table[i][j + 1]):
            edits.append(Edit("-", old[i], i, j))
            i += 1
        elif j < len(new):
            edits.append(Edit("+", new[j], i, j))
            j += 1
    return edits


def hunks(edits, context=3):
    """Group the changes with up to `context` kept lines around them; kept lines further off
    are left out. Changes whose contexts touch or overlap are one group."""
    changed = [place for place, edit in enumerate(edits) if edit.sign != " "]
    near = [any(abs(place - c) <= context for c in changed) for place in range(len(edits))]
    groups = []
    for wanted, places in groupby(range(len(edits)), key=lambda place: near[place]):
        if wanted:
            groups.append([edits[place] for place in places])
    return groups


def _span(first, count):
    if count == 0:
        return f"{first},0"
    return str(first + 1) if count == 1 else f"{first + 1},{count}"


def unified(old, new, context=3):
    """Return the comparison as lines of a unified diff without file names.

    A range is "start,count" with start from 1; a count of 1 is left out, and an empty
    range names the line before it. Equal texts give no lines.
    """
    lines = []
    for group in hunks(diff(old, new), context):
        removed = sum(edit.sign != "+" for edit in group)
        added = sum(edit.sign != "-" for edit in group)
        lines.append(f"@@ -{_span(group[0].old, removed)} +{_span(group[0].new, added)} @@")
        lines.extend(edit.sign + edit.line for edit in group)
    return lines


def patch(lines, edits):
    """Apply edits (all, or only the groups of `hunks` joined) to lines; return the new lines.

    Raises PatchError that names the line, from 1, where a kept or removed line is another.
    """
    result = []
    place = 0
    for edit in edits:
        result.extend(lines[place : edit.old])
        place = max(place, edit.old)
        if edit.sign != "+":
            if place >= len(lines) or lines[place] != edit.line:
                raise PatchError(f"line {place + 1} is not {edit.line!r}")
            place += 1
        if edit.sign != "-":
            result.append(edit.line)
    return result + lines[place:]


def similarity(old, new):
    """Return 2 * common / all lines, from 0 to 1, to three places; two empty lists give 1."""
    total = len(old) + len(new)
    return round(2 * lcs_length(old, new) / total, 3) if total else 1.0
