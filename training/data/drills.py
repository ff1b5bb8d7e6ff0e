"""Drills: made-up little trajectories that teach how evidence is read, before real ones are.

An issue says what calls should give; the agent runs them; the answer is <YES> exactly when all that
was seen after the last change is what was asked for, and nothing else broke. Nothing is executed: the
values are drawn, so there is no end of them. A model of this size finds the comparison of two values
far apart in a text sooner here than in whole trajectories.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from app.types import Observation, ToolCall, Trajectory, Turn

_NOUNS = (
    "parse", "split", "merge", "clamp", "wrap", "rank", "total", "slug", "match", "pack",
    "cover", "shift", "count", "trim", "group", "score", "walk", "find", "fold", "plan", "join",
    "pick", "scale", "index", "round", "chunk", "tail", "head", "span", "next",
)  # fmt: skip
_THINGS = (
    "range", "words", "rows", "cells", "items", "tree", "path", "date", "price", "name",
    "token", "graph", "queue", "page", "key",
)  # fmt: skip
_ASKS = (
    "{call} returns {bad}, it should return {good}.",
    "Calling {call} gives {bad} instead of {good}.",
    "{call}\nActual: {bad}\nExpected: {good}",
    "I expect {call} to be {good} but I get {bad}.",
    ">>> {call}\n{bad}\nThat is wrong, {good} is right.",
    "`{call}` -> `{bad}` (should be `{good}`)",
)
_SAYS = (
    "Let me check the result.", "Now I run the examples from the issue.", "Checking.", "",
    "I verify the change.", "Let me see what it gives.", "This should be fixed.", "Not sure about this.",
)  # fmt: skip
_WRAP = "<returncode>{code}</returncode>\n<output>\n{text}</output>"


def drills(seed: int, count: int) -> Iterator[tuple[Trajectory, bool]]:
    """`count` trajectories and whether each resolved its issue; about half did."""
    for number in range(count):
        yield _drill(random.Random(f"{seed}/{number}"))


def _drill(draw: random.Random) -> tuple[Trajectory, bool]:
    resolved = draw.random() < 0.5
    name = f"{draw.choice(_NOUNS)}_{draw.choice(_THINGS)}"
    cases = [_case(draw, name) for _ in range(draw.randint(1, 3))]
    issue = "\n".join(
        draw.choice(_ASKS).format(call=call, bad=bad, good=good) for call, bad, good in cases
    )
    wrong = set() if resolved else {draw.randrange(len(cases))}
    seen = [(call, bad if n in wrong else good, good) for n, (call, bad, good) in enumerate(cases)]
    turns = []
    if draw.random() < 0.5:  # what was seen before the change is the bug, whatever came of it
        turns.append(_run(draw, [(call, bad, good) for call, bad, good in cases]))
    turns.append(_edit(draw, name))
    tested = draw.random() < 0.4
    shown = not tested or draw.random() < 0.5
    if tested and shown and not resolved and draw.random() < 0.5:
        seen = [(call, good, good) for call, _, good in seen]  # only the tests tell
        turns += [_run(draw, seen), _tests(draw, name, failures=draw.randint(1, 2))]
    elif tested:
        failures = 0 if resolved else draw.randint(1, 2)
        turns += [_run(draw, seen)] * shown + [_tests(draw, name, failures)]
    else:
        turns.append(_run(draw, seen))
    return Trajectory(issue, tuple(turns), patch=_patch(draw, name)), resolved


def _case(draw: random.Random, name: str) -> tuple[str, str, str]:
    """(call, wrong value, right value)"""
    call = f"{name}({', '.join(_value(draw) for _ in range(draw.randint(1, 2)))})"
    good = _value(draw)
    bad = _near(draw, good) if draw.random() < 0.6 else _value(draw)
    while bad == good:
        bad = _value(draw)
    return call, bad, good


def _value(draw: random.Random) -> str:
    kind = draw.randrange(6)
    if kind == 0:
        return str(draw.randint(-20, 999))
    if kind == 1:
        return repr(round(draw.uniform(-50, 500), draw.randint(1, 2)))
    if kind == 2:
        return repr(" ".join(draw.choices(_THINGS + _NOUNS, k=draw.randint(1, 3))))
    if kind == 3:
        return repr([draw.randint(0, 30) for _ in range(draw.randint(0, 5))])
    if kind == 4:
        return repr([draw.choice(_THINGS)[: draw.randint(1, 5)] for _ in range(draw.randint(1, 3))])
    return draw.choice(("True", "False", "None", "ValueError", "KeyError", "{}", "''", "[]"))


def _near(draw: random.Random, good: str) -> str:
    """A value that looks like the right one."""
    digits = [n for n, char in enumerate(good) if char.isdigit()]
    if digits:
        at = draw.choice(digits)
        return good[:at] + str((int(good[at]) + draw.choice((1, 9))) % 10) + good[at + 1 :]
    if good.endswith("]") and ", " in good:
        return good.rsplit(", ", 1)[0] + "]"
    return good.swapcase() if good.startswith("'") else draw.choice(("True", "False", "None"))


def _run(draw: random.Random, seen: list[tuple[str, str, str]]) -> Turn:
    style = draw.randrange(4)
    calls = [call for call, _, _ in seen]
    if style == 0:
        command = 'python -c "' + "; ".join(f"print({call})" for call in calls) + '"'
        text = "".join(f"{value}\n" for _, value, _ in seen)
    elif style == 1:
        command = "cat > check.py <<'EOF'\n" + "".join(
            f"print(repr({call}), 'expected', {good!r})\n" for call, _, good in seen
        ) + "EOF\npython check.py"  # fmt: skip
        text = "".join(f"{value} expected {good}\n" for _, value, good in seen)
    elif style == 2:
        command = "python repro.py"
        text = "".join(f"{call} = {value}\n" for call, value, _ in seen)
    else:
        command = "python check.py"
        text = "".join(
            f"{call}: got {value}, expected {good} {'ok' if value == good else 'MISMATCH'}\n"
            for call, value, good in seen
        )
    return _turn(draw, command, text, 0)


def _tests(draw: random.Random, name: str, failures: int) -> Turn:
    ran = draw.randint(max(4, failures), 12)
    head = "." * (ran - failures) + "F" * failures
    told = "".join(
        f"FAIL: test_{name}_{n} (tests.test_{name}.Test{name.title()})\nAssertionError: "
        f"{_value(draw)} != {_value(draw)}\n\n"
        for n in range(failures)
    )
    end = f"FAILED (failures={failures})" if failures else "OK"
    text = f"{head}\n{told}Ran {ran} tests in 0.00{draw.randint(1, 9)}s\n\n{end}\n"
    return _turn(draw, "python -m unittest", text, 1 if failures else 0)


def _edit(draw: random.Random, name: str) -> Turn:
    old, fresh = (
        draw.choice(("<", "<=", "+ 1", "- 1", "min", "and")),
        draw.choice((">", ">=", "", "max", "or")),
    )
    return _turn(draw, f"sed -i 's/{old}/{fresh}/' {name}.py", "", 0)


def _turn(draw: random.Random, command: str, text: str, code: int) -> Turn:
    call = ToolCall("bash", (("command", command),))
    return Turn(draw.choice(_SAYS), (call,), (Observation(_WRAP.format(code=code, text=text)),))


def _patch(draw: random.Random, name: str) -> str:
    line = draw.randint(3, 90)
    old, fresh = (
        f"    if {draw.choice(_THINGS)} {sign} {draw.randint(0, 9)}:" for sign in ("<", "<=")
    )
    return (
        f"diff --git a/{name}.py b/{name}.py\n--- a/{name}.py\n+++ b/{name}.py\n"
        f"@@ -{line},3 +{line},3 @@\n-{old}\n+{fresh}\n"
    )
