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

_SHORT_LIMITS = (7, 14)


@dataclass(frozen=True)
class Made:
    """A played and labelled trajectory; `twin` is the same one in the other prose."""

    row: dict[str, Any]
    document: dict[str, Any]
    twin: dict[str, Any] | None


class Workshop:
    """Prepared repositories, a judge, and remembered labels. Used by one thread."""

    def __init__(self, scratch: Path, judge: Judge, seed: str) -> None:
        self._scratch, self._judge, self._seed = scratch, judge, seed
        self._labels: dict[tuple[str, str], dict[str, bool]] = {}

    def make(self, task: Task, instance: Instance, job: Job) -> Made:
        seed = f"{self._seed}/{job.instance_id}/{job.number}"
        rng, shape, style = (Random(f"{seed}/{part}") for part in ("what", "shape", "style"))
        policy = POLICIES[job.policy]
        voice = style.choice(VOICES)
        claim = policy.claim or draw_claim(voice, style)
        good, leaky = rng.random() < policy.aims_right, shape.random() < policy.leaky
        limit = shape.randint(*_SHORT_LIMITS) if job.policy == "out_of_steps" else 0
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            root = Path(folder) / "repo"
            shutil.copytree(self._prepared(task, instance, leaky), root, symlinks=True)
            fixes = Fixes(task, instance, self._judge, rng)
            scene = Scene(task, instance, fixes, root, good, leaky, rng, shape, step_limit=limit)
            speaker = Speaker(voice, claim, task.module, seed)
            document, slots = play(root, instance.issue, policy.play(scene), speaker, limit)
        document["instance_id"] = instance.id
        row = self._row(task, instance, job, document, leaky)
        row |= {"voice": voice, "claim": claim}
        twin = _in_other_words(document, slots, speaker.twin()) if job.swapped else None
        return Made(row, document, twin)

    def _row(
        self,
        task: Task,
        instance: Instance,
        job: Job,
        document: dict[str, Any],
        leaky: bool,
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
            "voice": "",
            "claim": "",
            "module": task.name,
            "split": job.split,
            "history": "leaky" if leaky else "clean",
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
