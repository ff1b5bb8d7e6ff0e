"""Which trajectories are made, in which order, and to which split a module belongs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from random import Random

from training.world.bugs import Instance
from training.world.policies import POLICIES

_TEST_SHARE, _CALIBRATION_SHARE = 0.225, 0.08
_TWIN_SHARE = 0.1  # of the test split


@dataclass(frozen=True)
class Job:
    """One trajectory to be made: everything else follows from this and the seed."""

    number: int  # among those of its instance
    instance_id: str
    task: str
    policy: str
    split: str
    swapped: bool  # a twin with the other prose is written as well

    @property
    def name(self) -> str:
        digest = hashlib.sha256(self.instance_id.encode()).hexdigest()[:4]
        short = self.instance_id.split("__", 1)[1][:60]
        return f"{self.task}/{short}-{digest}/{self.number}.traj.json.gz"


def splits(modules: Sequence[str], seed: str) -> dict[str, str]:
    """Module → split. A module is in one split only; with three or more there is one in each."""
    order = sorted(modules)
    Random(f"{seed}/splits").shuffle(order)
    tests = max(1, round(_TEST_SHARE * len(order))) if len(order) > 1 else 0
    calibrations = max(1, round(_CALIBRATION_SHARE * len(order))) if len(order) > 2 else 0
    kinds = ["test"] * tests + ["calibration"] * calibrations
    kinds += ["train"] * (len(order) - len(kinds))
    return dict(zip(order, kinds, strict=True))


def jobs(instances: Sequence[Instance], trajectories: int, seed: str) -> list[Job]:
    """All trajectories, in rounds over all instances, so that every prefix is a fair sample."""
    split_of = splits(sorted({instance.task for instance in instances}), seed)
    rng = Random(f"{seed}/rounds")
    found: list[Job] = []
    turns = {instance.id: _policies(instance, seed) for instance in instances}
    for number in range(ceil(trajectories / len(instances))):
        order = list(instances)
        rng.shuffle(order)
        for instance in order[: trajectories - len(found)]:
            split = split_of[instance.task]
            swapped = rng.random() < _TWIN_SHARE and split == "test"
            policy = turns[instance.id][number % len(turns[instance.id])]
            found.append(Job(number, instance.id, instance.task, policy, split, swapped))
    return found


def _policies(instance: Instance, seed: str) -> list[str]:
    """The policies that take turns on an instance; some want two bugs and mostly get them."""
    rng = Random(f"{seed}/{instance.id}/policies")
    names = list(POLICIES)
    two = [name for name in names if POLICIES[name].wants_two_bugs]
    if len(instance.bugs) > 1:
        names += two
    elif rng.random() < 0.6:
        names = [name for name in names if name not in two]
    rng.shuffle(names)
    return names
