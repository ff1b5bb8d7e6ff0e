"""Short runs made long: turns in which the agent reads files that have nothing to do with its issue.

What became of the issue stays what it was. So a model learns to find the evidence of a few turns among
very many, and to give its verdict there as surely as behind a short text.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace

from app.types import Observation, ToolCall, Trajectory, Turn

# About as long as a look at a file is in runs of mini-swe-agent, which cuts observations at 10,000.
_SHORTEST_CHARACTERS, _LONGEST_CHARACTERS = 300, 9_000
_SAYS = ("", "Let me look at this file.", "I read this part first.", "Let me see what else is there.",
         "Reading on.", "How is this done elsewhere?")  # fmt: skip
_CHARACTERS_PER_TOKEN = 3  # of the small model's tokenizer, a little less than it has in code
_WRAP = "<returncode>0</returncode>\n<output>\n{text}</output>"


def up_to(
    trajectory: Trajectory, tokens: int, files: Sequence[tuple[str, str]], draw: random.Random
) -> Trajectory:
    """Lengthened to something between what it has and about `tokens`, evenly in the logarithm."""
    most = _CHARACTERS_PER_TOKEN * tokens
    own = len(trajectory.issue) + sum(_characters(turn) for turn in trajectory.turns)
    own = min(most, max(1, own))
    return lengthened(trajectory, int(own * (most / own) ** draw.random()) - own, files, draw)


def lengthened(
    trajectory: Trajectory, characters: int, files: Sequence[tuple[str, str]], draw: random.Random
) -> Trajectory:
    """At least `characters` longer, by turns put at drawn places, none behind the last turn that was
    there. `files`: (name, text), none empty."""
    added: list[Turn] = []
    left = characters
    while left > 0:
        turn = _look(files, draw)
        left -= len(turn.observations[0].text)
        added.append(turn)
    behind = max(0, len(trajectory.turns) - 1)
    turns: list[list[Turn]] = [[] for _ in range(behind + 1)]
    for turn in added:
        turns[draw.randint(0, behind)].append(turn)
    own = trajectory.turns
    mixed = [t for at, some in enumerate(turns) for t in (*some, *own[at : at + 1])]
    return replace(trajectory, turns=tuple(mixed))


def _look(files: Sequence[tuple[str, str]], draw: random.Random) -> Turn:
    name, text = draw.choice(files)
    bounds = (math.log(_SHORTEST_CHARACTERS), math.log(_LONGEST_CHARACTERS))
    size = int(math.exp(draw.uniform(*bounds)))
    begin = text.rfind("\n", 0, draw.randint(0, max(0, len(text) - size))) + 1
    shown = text[begin : begin + size]
    first = text.count("\n", 0, begin) + 1
    command = f"sed -n '{first},{first + shown.count(chr(10))}p' {name}"
    call = ToolCall("bash", (("command", command),))
    return Turn(draw.choice(_SAYS), (call,), (Observation(_WRAP.format(text=shown)),))


def _characters(turn: Turn) -> int:
    said = len(turn.text) + sum(len(text) for call in turn.calls for _, text in call.arguments)
    return said + sum(len(each.text) for each in turn.observations)
