"""Generated load: RL groups whose trajectories share their beginning, cut from Python's own sources."""

from __future__ import annotations

import random
import sysconfig
from functools import cache
from pathlib import Path
from typing import Any

_TURNS = 6


def groups(count: int, size: int, chars: int, seed: int) -> list[list[dict[str, Any]]]:
    """`count` groups of `size` items of about `chars` characters; 40 % of each is its group's."""
    random_ = random.Random(seed)
    text = _corpus()

    def cut(length: int) -> str:
        start = random_.randrange(len(text) - length)
        return text[start : start + length]

    found = []
    for _ in range(count):
        shared = cut(int(chars * 0.4))
        found.append([_item(shared, cut(int(chars * 0.6))) for _ in range(size)])
    return found


def item(chars: int, seed: int) -> dict[str, Any]:
    """One alone. Text of a kind that a model can judge: of noise it says nothing, and the server so."""
    ((found,),) = groups(1, 1, chars, seed)
    return found


def _item(shared: str, own: str) -> dict[str, Any]:
    messages = [{"role": "user", "content": f"Fix what is wrong here:\n{shared}"}]
    step = len(own) // _TURNS
    for at in range(0, step * _TURNS, step):
        messages.append({"role": "assistant", "content": "THOUGHT: I look at the next part."})
        messages.append({"role": "user", "content": own[at : at + step]})
    return {"messages": messages, "patch": "diff --git a/a.py b/a.py\n"}


@cache
def _corpus() -> str:
    folder = Path(sysconfig.get_paths()["stdlib"])
    return "".join(file.read_text(errors="ignore") for file in sorted(folder.glob("*.py")))
