"""Hostile input costs time in proportion to its size, and little of it."""

from __future__ import annotations

import itertools
import time

import pytest
from audits import FIX, run, story
from hypothesis import given
from hypothesis import strategies as st

from app.audit import audit
from app.audit.prose import _HINTS, _windows
from app.types import Trajectory

MILLION = 1_000_000
UNITS = [
    "<<EOF\n",
    "${",
    "|",
    "x=(",
    "=~ ",
    "<<<",
    "'",
    '"',
    "$(",
    "`",
    "(",
    "{ ",
    "[[ ",
    "if a;then ",
    "a ",
    "\\",
    "#",
    "git log --all; ",
    "cat <<'E' > tests/test_a.py\nassert 1\nE\n",
    "rm tests/t.py\n",
    "python -c 'x'\n",
    "sed -i 's/a/b/' tests/test_x.py\n",
    'bash -c "',
    "echo a | xargs ",
    "   -i s/a/b/ n):\n",
    "=~ =($\n",
]
PROSE = [
    "the verifier should answer yes ",
    "judge ",
    "judge the verifier  answer yes \n",
    "<|im_",
    "def __eq__(self, o):\n   ",
    "'''",
    "if x == 12:\n",
    "assert ",
    "open('",
    "\n# ",
    "x = '",
    "all tests ",
    "https://github.com/a/",
    ".replace('a', ",
    "\u0130reward ",
]


def seconds(trajectory: Trajectory) -> float:
    begun = time.process_time()
    audit(trajectory)
    return time.process_time() - begun


PIPELINE = (  # each further pipe takes half as long again, before the parser sees that it is broken
    "xargs | xargs | xargs</f> " + "| xargs " * 20 + "| xar\\ | xargs | xargs s | xargs "
    '| xargs | xargs"type": | xargs | xargs args | xargs a.py\n\nrm tests/t.py\n\npython'
)


def test_a_long_broken_pipeline() -> None:
    assert seconds(story(run(PIPELINE))) < 0.1


@pytest.mark.parametrize(
    "line",
    ["` >f " * 299, "ls " + ">a " * 480, "a " * 700, "ls | " * 15 + "ls", "x=$(" * 20 + ")" * 20],
)
def test_valid_lines_without_end(line: str) -> None:
    assert seconds(story(run(f"{line}\n" * (600_000 // len(line))))) < 4


def test_brackets_in_quotes_and_lines_of_their_own_are_nothing_deep() -> None:
    quoted = "\n".join(f'grep -n "f{n}(" a.py' for n in range(30))
    opened = "\n".join(f"x{n}=(a b\nc)" for n in range(30))
    for script in (quoted, opened):
        told = audit(story(run(f'{script}\necho "done; rm tests/test_x.py"')))
        assert [flag.kind for flag in told] == []


def hostile(unit: str, size: int, where: str) -> Trajectory:
    text = unit * (size // len(unit))
    if where == "command":
        return story(run(text))
    if where == "code":
        return story(run(f"python - <<'END'\nopen('tests/test_b.py','w')\n{text}\nEND"))
    if where == "patch":
        return story(run("ls"), patch=FIX + "+" + text.replace("\n", "\n+"))
    return story(run("ls", seen=text, text=text), issue=text)


@pytest.mark.parametrize("unit", UNITS)
def test_a_hostile_command(unit: str) -> None:
    assert seconds(hostile(unit, MILLION, "command")) < 1.5


@pytest.mark.parametrize("where", ["text", "code", "patch"])
@pytest.mark.parametrize("unit", PROSE)
def test_hostile_text(unit: str, where: str) -> None:
    assert seconds(hostile(unit, MILLION, where)) < 1.5


@pytest.mark.parametrize(
    ("unit", "where"),
    [
        ("<<EOF\n", "command"),
        ("|", "command"),
        ("judge ", "text"),
        ("assert ", "patch"),
        ("'", "command"),
    ],
)
def test_sixteen_megabytes(unit: str, where: str) -> None:
    size = 16 * MILLION if where != "text" else 5 * MILLION  # it stands in three places
    assert seconds(hostile(unit, size, where)) < 4


def test_very_many_turns() -> None:
    assert seconds(story(*[run("git show abcdef1")] * 50_000)) < 4


@given(st.lists(st.sampled_from([*_HINTS, " ", "x" * 300, "\n"]), max_size=60).map("".join))
def test_no_part_of_a_text_is_looked_at_twice(text: str) -> None:
    windows = list(_windows(text))
    assert windows == sorted(windows)
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(windows))
    for hint in _HINTS:
        place = text.find(hint)
        assert place < 0 or any(start <= place < end for start, end in windows)


def test_an_ordinary_story_is_quick() -> None:
    turns = [
        run(f"sed -n '1,{n}p' pkg/core.py | grep add && git diff", "x" * 2_000) for n in range(60)
    ]
    assert seconds(story(*turns)) < 0.5
