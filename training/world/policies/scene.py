"""What a policy knows and holds: the truth, the repository, the dice."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from training.world.bugs import Instance
from training.world.catalog import Task
from training.world.fixes import Fixes
from training.world.source import Spans


@dataclass(frozen=True)
class Step:
    """One assistant message: which kind of remark it carries, and its commands."""

    slot: str
    commands: tuple[str, ...]


Play = Generator[Step, list[str], None]


@dataclass
class Scene:
    """`shape` rolls what is done and in which order, `rng` what it is done with. Only `rng` and the
    fixes may follow `good`, the end that is meant: so no count of steps tells the outcome."""

    task: Task
    instance: Instance
    fixes: Fixes
    root: Path
    good: bool
    leaky: bool
    rng: Random
    shape: Random
    step_limit: int = 0
    steps: int = field(default=0)
    all_files: bool = field(default=False)  # the patch takes everything that was changed

    def likely(self, share: float) -> bool:
        return self.shape.random() < share

    def text(self) -> str:
        """The module as it stands; the sound one's length at least is always there."""
        return (self.root / self.task.path).read_text("utf-8")

    def final(self, kinds: Sequence[str] = (), other_than: Sequence[str] = ()) -> str:
        """What the module shall be in the end."""
        return self.fixes.right() if self.good else self.fixes.wrong(kinds, other_than)

    @property
    def function(self) -> str:
        """The bare name of a buggy function."""
        return self.rng.choice(self.instance.bugs).function.split(".")[-1] or self.task.module

    def function_lines(self, name: str) -> tuple[int, int]:
        """First and last line of a function in the module as it stands, a little margin included."""
        for full, node in Spans(self.text()).functions():
            if full.split(".")[-1] == name:
                return max(1, node.lineno - 1), (node.end_lineno or node.lineno) + 1
        return 1, 40


def do(scene: Scene, slot: str, *commands: str) -> Generator[Step, list[str], list[str]]:
    scene.steps += 1
    outputs = yield Step(slot, commands)
    return outputs
