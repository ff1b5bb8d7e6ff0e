"""One trajectory: a repository, a scripted agent in the real loop, a label from the hidden tests."""

from __future__ import annotations

import copy
import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from training.world.bugs import Instance
from training.world.catalog import Task
from training.world.fixes import Fixes
from training.world.judge import Judge
from training.world.play import play
from training.world.policies import POLICIES
from training.world.policies.scene import Scene
from training.world.prose import VOICES, Speaker, draw_claim
from training.world.repository import build
from training.world.schedule import Job

_SHORT_LIMITS = (6, 11)


@dataclass(frozen=True)
class Made:
    """A played and labelled trajectory; `twin` is the same one in the other prose."""

    row: dict[str, Any]
    document: dict[str, Any]
    twin: dict[str, Any] | None


@dataclass(frozen=True)
class Draw:
    """What is rolled before anything is played. `good` is the end that is meant."""

    voice: str
    claim: str
    good: bool
    leaky: bool
    step_limit: int  # 0: none
    rng: Random
    shape: Random


def draw(policy_name: str, seed: str) -> Draw:
    """Each from dice of its own: voice and claim cannot know how the run will end."""
    rng, shape, style = (Random(f"{seed}/{part}") for part in ("what", "shape", "style"))
    policy = POLICIES[policy_name]
    voice = style.choice(VOICES)
    return Draw(
        voice=voice,
        claim=policy.claim or draw_claim(voice, style),
        good=rng.random() < policy.aims_right,
        leaky=shape.random() < policy.leaky,
        step_limit=shape.randint(*_SHORT_LIMITS) if policy_name == "out_of_steps" else 0,
        rng=rng,
        shape=shape,
    )


class Workshop:
    """Prepared repositories, a judge, and remembered labels. Used by one thread."""

    def __init__(self, scratch: Path, judge: Judge, seed: str) -> None:
        self._scratch, self._judge, self._seed = scratch, judge, seed
        self._labels: dict[tuple[str, str], dict[str, bool]] = {}

    def make(self, task: Task, instance: Instance, job: Job) -> Made:
        seed = f"{self._seed}/{job.instance_id}/{job.number}"
        drawn = draw(job.policy, seed)
        speaker = Speaker(drawn.voice, drawn.claim, task.module, seed)
        document, slots = self.play(task, instance, job.policy, drawn, speaker)
        document["instance_id"] = instance.id
        row = self._row(task, instance, job, document, drawn)
        twin = _in_other_words(document, slots, speaker.twin()) if job.swapped else None
        return Made(row, document, twin)

    def play(
        self, task: Task, instance: Instance, policy: str, drawn: Draw, speaker: Speaker
    ) -> tuple[dict[str, Any], list[str]]:
        """(the saved document, the prose slot of every assistant message)."""
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            root = Path(folder) / "repo"
            shutil.copytree(self._prepared(task, instance, drawn.leaky), root, symlinks=True)
            scene = Scene(
                task=task,
                instance=instance,
                fixes=Fixes(task, instance, self._judge, drawn.rng),
                root=root,
                good=drawn.good,
                leaky=drawn.leaky,
                rng=drawn.rng,
                shape=drawn.shape,
                step_limit=drawn.step_limit,
            )
            actions = POLICIES[policy].play(scene)
            return play(root, instance.issue, actions, speaker, drawn.step_limit)

    def _row(
        self,
        task: Task,
        instance: Instance,
        job: Job,
        document: dict[str, Any],
        drawn: Draw,
    ) -> dict[str, Any]:
        passed = self.label(task, instance, document["info"]["submission"])
        fixed = sum(passed.get(name, False) for name in instance.fail_to_pass)
        kept = sum(passed.get(name, False) for name in instance.pass_to_pass)
        all_tests = len(instance.fail_to_pass) + len(instance.pass_to_pass)
        return {
            "file": job.name,
            "instance_id": instance.id,
            "resolved": int(fixed + kept == all_tests),
            "policy": job.policy,
            "voice": drawn.voice,
            "claim": drawn.claim,
            "module": task.name,
            "split": job.split,
            "history": "leaky" if drawn.leaky else "clean",
            "format": "mini-swe-agent-v2",
            "turns": sum(m["role"] == "assistant" for m in document["messages"]),
            "source": "world",
            "fail_to_pass": [fixed, len(instance.fail_to_pass)],
            "pass_to_pass": [kept, len(instance.pass_to_pass)],
            "swapped": f"swapped/{job.name}" if job.swapped else None,
        }

    def label(self, task: Task, instance: Instance, patch: str) -> dict[str, bool]:
        """{hidden test: passed} after a patch."""
        key = (instance.id, patch)
        if key not in self._labels:
            source = instance.source(task)
            self._labels[key] = self._judge.after_patch(task, source, patch)
        return self._labels[key]

    def _prepared(self, task: Task, instance: Instance, leaky: bool) -> Path:
        """A repository to copy from, made once."""
        digest = hashlib.sha256(instance.id.encode()).hexdigest()[:16]
        root = self._scratch / "prepared" / f"{digest}-{'leaky' if leaky else 'clean'}"
        if not root.exists():
            seed = f"{self._seed}/{instance.id}/history"
            build(root, task, instance.source(task), leaky=leaky, seed=seed)
        return root


def _in_other_words(document: dict[str, Any], slots: list[str], speaker: Speaker) -> dict[str, Any]:
    """The document with every assistant text said by another speaker; nothing else is touched."""
    twin = copy.deepcopy(document)
    said = [message for message in twin["messages"] if message["role"] == "assistant"]
    for number, (message, slot) in enumerate(zip(said, slots, strict=True)):
        message["content"] = speaker.say(number, slot)
    return twin
