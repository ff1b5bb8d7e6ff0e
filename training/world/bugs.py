"""Plants bugs in sound modules and keeps those that the hidden tests see.

A bug counts only when some hidden tests fail with it and pass without it (FAIL_TO_PASS), some pass
both ways (PASS_TO_PASS), and a probe's outcome differs. An instance is one bug, or two at once.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

from training.world.catalog import Task
from training.world.judge import Findings, Judge
from training.world.operators import mutations
from training.world.source import Edit, Spans, apply

_TRIED_MUTANTS = 48
_WORST_SHARE = 0.6  # a bug that breaks more of the hidden tests than this is no puzzle
_VISIBLE_SHARE = 0.25  # so many of a task's bugs may fail its visible tests


@dataclass(frozen=True)
class Bug:
    """Edits of the sound text. `seen` are the probes whose outcome differs, by number."""

    name: str
    operator: str
    edits: tuple[Edit, ...]
    function: str
    title: str
    behaviour: str
    seen: tuple[int, ...]
    shy: bool  # passes all visible tests


@dataclass(frozen=True)
class Instance:
    """A buggy module. Outcomes are those of all probes, sound and buggy."""

    id: str
    task: str
    bugs: tuple[Bug, ...]
    fail_to_pass: tuple[str, ...]
    pass_to_pass: tuple[str, ...]
    expected: tuple[str, ...]
    observed: tuple[str, ...]
    issue: str = ""
    shown: tuple[int, ...] = ()  # probes shown in the issue

    def source(self, task: Task) -> str:
        return apply(task.source, [edit for bug in self.bugs for edit in bug.edits])

    @property
    def seen(self) -> list[int]:
        pairs = zip(self.expected, self.observed, strict=True)
        return [number for number, (want, got) in enumerate(pairs) if want != got]


def to_json(instance: Instance) -> dict[str, Any]:
    return asdict(instance)


def from_json(facts: dict[str, Any]) -> Instance:
    bugs = tuple(
        Bug(**bug | {"edits": tuple(Edit(**e) for e in bug["edits"]), "seen": tuple(bug["seen"])})
        for bug in facts["bugs"]
    )
    lists = {key: tuple(value) for key, value in facts.items() if isinstance(value, list)}
    return Instance(**facts | lists | {"bugs": bugs})


def judged(sound: Findings, found: Findings | None) -> tuple[list[str], list[str]] | None:
    """(FAIL_TO_PASS, PASS_TO_PASS) of a buggy text; None where it does not count as a bug."""
    if found is None or "Timeout" in found.probes:
        return None
    passing = [name for name, passed in sound.hidden.items() if passed]
    fail_to_pass = [name for name in passing if not found.hidden.get(name)]
    pass_to_pass = [name for name in passing if found.hidden.get(name)]
    if not fail_to_pass or not pass_to_pass or found.probes == sound.probes:
        return None
    return fail_to_pass, pass_to_pass


def examine_sound(judge: Judge, task: Task) -> Findings:
    """Raises `SystemExit` where a task's own source fails its tests."""
    found = judge.examine(task, task.source)
    if found is None or not found.hidden or not found.visible:
        message = f"task {task.name}: its tests do not run"
        raise SystemExit(message)
    failed = [name for tests in (found.hidden, found.visible) for name in tests if not tests[name]]
    if failed:
        message = f"task {task.name}: its own source fails {', '.join(failed)}"
        raise SystemExit(message)
    return found


def bug_of(
    judge: Judge, task: Task, sound: Findings, edits: Sequence[Edit], words: tuple[str, str, str]
) -> Bug | None:
    """The bug that edits make, or None where they do not count; `words` are name, title, behaviour."""
    found = judge.examine(task, apply(task.source, edits))
    counted = judged(sound, found)
    if counted is None or found is None:
        return None
    if len(counted[0]) > _WORST_SHARE * len(sound.hidden):
        return None
    pairs = enumerate(zip(sound.probes, found.probes, strict=True))
    seen = tuple(number for number, (want, got) in pairs if want != got)
    function = Spans(task.source).function_at(edits[0].start)
    shy = bool(found.visible) and all(found.visible.values())
    return Bug(words[0], edits[0].operator, tuple(edits), function, words[1], words[2], seen, shy)


def hand_bugs(judge: Judge, task: Task, sound: Findings) -> Iterator[Bug]:
    for hand in task.bugs:
        start = task.source.find(hand.find)
        if start < 0:
            message = f"task {task.name}: bug {hand.name} is not found in its source"
            raise SystemExit(message)
        edit = Edit(start, start + len(hand.find), hand.replace)
        bug = bug_of(judge, task, sound, [edit], (hand.name, hand.title, hand.behaviour))
        if bug:
            yield bug


def mutant_bugs(judge: Judge, task: Task, sound: Findings, rng: Random) -> Iterator[Bug]:
    """Mutants that count, operators taking turns."""
    found = mutations(task.source)
    rng.shuffle(found)
    places: dict[str, int] = {}
    turns = []
    for edit in found:
        places[edit.operator] = places.get(edit.operator, 0) + 1
        turns.append((places[edit.operator], edit))
    turns.sort(key=lambda pair: pair[0])
    for _, edit in turns[:_TRIED_MUTANTS]:
        name = f"{edit.operator}-{edit.start}"
        bug = bug_of(judge, task, sound, [edit], (name, "", ""))
        if bug:
            yield bug


def forge(judge: Judge, task: Task, count: int, seed: str) -> list[Instance]:
    """`count` instances of a task, about a third of them two bugs at once."""
    rng = Random(f"{seed}/{task.name}")
    sound = examine_sound(judge, task)
    by_hand = list(hand_bugs(judge, task, sound))
    by_machine = list(mutant_bugs(judge, task, sound, rng))
    doubles = round(count * 0.3)
    singles = _choose(by_hand, by_machine, count - doubles, rng)
    pairs = _pairs(judge, task, sound, by_hand + by_machine, doubles, rng)
    made = [_instance(task, sound, (bug,), judge) for bug in singles] + pairs
    return [instance for instance in made if instance]


def _choose(by_hand: list[Bug], by_machine: list[Bug], count: int, rng: Random) -> list[Bug]:
    """Half by hand, half by machine, those that the visible tests miss before the others."""
    loud = round(count * _VISIBLE_SHARE)
    mixed = [bug for pair in itertools.zip_longest(by_hand, by_machine) for bug in pair if bug]
    shy = [bug for bug in mixed if bug.shy]
    others = [bug for bug in mixed if not bug.shy]
    chosen = [*others[:loud], *shy, *others[loud:]][:count]
    rng.shuffle(chosen)
    return chosen


def _pairs(
    judge: Judge, task: Task, sound: Findings, bugs: list[Bug], count: int, rng: Random
) -> list[Instance]:
    pairs = [pair for pair in itertools.combinations(bugs, 2) if _apart(task, *pair)]
    rng.shuffle(pairs)
    pairs.sort(key=lambda pair: not (pair[0].shy and pair[1].shy))
    made: list[Instance] = []
    used: dict[str, int] = {}
    for pair in pairs[: 6 * count]:
        if len(made) == count:
            break
        if any(used.get(bug.name, 0) >= 2 for bug in pair):
            continue
        instance = _instance(task, sound, pair, judge)
        if instance:
            made.append(instance)
            for bug in pair:
                used[bug.name] = used.get(bug.name, 0) + 1
    return made


def _apart(task: Task, one: Bug, two: Bug) -> bool:
    """Whether two bugs can be told, and mended, one without the other."""
    gap = max(two.edits[0].start - one.edits[-1].end, one.edits[0].start - two.edits[-1].end)
    differ = set(one.seen) - set(two.seen) and set(two.seen) - set(one.seen)
    return gap > 80 and one.function != two.function and bool(differ)


def _instance(task: Task, sound: Findings, bugs: tuple[Bug, ...], judge: Judge) -> Instance | None:
    found = judge.examine(task, apply(task.source, [e for bug in bugs for e in bug.edits]))
    counted = judged(sound, found)
    if counted is None or found is None:
        return None
    name = "+".join(bug.name for bug in bugs)
    return Instance(
        id=f"{task.name}__{name}",
        task=task.name,
        bugs=bugs,
        fail_to_pass=tuple(counted[0]),
        pass_to_pass=tuple(counted[1]),
        expected=sound.probes,
        observed=found.probes,
    )
