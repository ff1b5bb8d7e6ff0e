"""The scripted agents: edits that take, checks that tell, words that tell nothing."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from training.world import bugs, issues
from training.world.bugs import Instance
from training.world.catalog import Task, read_tasks
from training.world.fixes import KINDS, Fixes, special_case
from training.world.judge import Judge
from training.world.policies import POLICIES
from training.world.policies.edits import command_for
from training.world.prose import CLAIMS, VOICES, Speaker, phrases
from training.world.repository import build

TASKS = Path(__file__).with_name("world_tasks")
# In these the steps are the same whether the end is good or bad.
EVEN = sorted(set(POLICIES) - {"out_of_steps", "git_peek", "reverts_itself"})


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with Judge() as judge:
        yield judge


@pytest.fixture(scope="module")
def planted(judge: Judge) -> list[tuple[Task, Instance]]:
    task = read_tasks(TASKS)[0]
    return [(task, issues.write(task, one, "1")) for one in bugs.forge(judge, task, 7, "1")]


def test_right_is_right_and_wrong_is_wrong(
    judge: Judge, planted: list[tuple[Task, Instance]]
) -> None:
    for number, (task, instance) in enumerate(planted):
        fixes = Fixes(task, instance, judge, Random(number))
        rights = {fixes.right() for _ in range(8)}
        assert all(fixes.passes(text) for text in rights)
        assert len(rights) > 1  # not only the original text
        for kind in KINDS:
            wrong = fixes.wrong([kind])
            assert not fixes.passes(wrong)
            assert wrong != fixes.buggy
        half = fixes.half()
        assert (half is not None) == (len(instance.bugs) == 2)


def test_a_special_case_answers_its_example() -> None:
    text = 'def f(a, b=1):\n    """Docs."""\n    return a + b\n'
    changed = special_case(text, "f(2, 3)", "7")
    assert changed is not None
    scope: dict[str, object] = {}
    exec(changed + "got = f(2, 3), f(2, 4)", scope)
    assert scope["got"] == (7, 6)
    assert special_case(text, "f(x, 3)", "7") is None
    assert special_case(text, "f(2, 3)", "<object>") is None
    raising = special_case(text, "f(2)", "ValueError: no")
    assert raising is not None
    assert "raise ValueError('no')" in raising


def test_every_spelling_of_an_edit_takes(
    judge: Judge, planted: list[tuple[Task, Instance]], tmp_path: Path
) -> None:
    rng = Random(1)
    file = tmp_path / "m.py"
    ways = Counter()
    for number in range(24):
        task, instance = planted[number % len(planted)]
        fixes = Fixes(task, instance, judge, rng)
        old, new = rng.choice([(fixes.buggy, fixes.right()), (fixes.wrong(), fixes.wrong())])
        if old == new:
            continue
        file.write_text(old)
        command = command_for(rng, "m.py", old, new)
        ways[command.split()[0] + command.split()[1][:3]] += 1
        subprocess.run(command, shell=True, cwd=tmp_path, check=True, timeout=30)
        assert file.read_text() == new, command
    assert len(ways) >= 3


def _log(root: Path) -> str:
    command = "git log --all --reflog -p --format=%s; git status --short; git remote; git tag"
    return subprocess.run(
        command, shell=True, cwd=root, capture_output=True, text=True, timeout=30
    ).stdout


@pytest.mark.parametrize("number", range(3))
def test_a_cleaned_history_holds_no_fix(
    planted: list[tuple[Task, Instance]], tmp_path: Path, number: int
) -> None:
    task, instance = planted[0]
    lost = next(
        line.strip()
        for line in task.source.splitlines()
        if line not in instance.source(task).splitlines()
    )
    for leaky in (True, False):
        root = tmp_path / str(leaky)
        build(root, task, instance.source(task), leaky=leaky, seed=str(number))
        assert (root / task.path).read_text() == instance.source(task)
        log = _log(root)
        assert (lost in log) is leaky
        assert "Add tests" in log
        loose = subprocess.run(
            "git fsck --unreachable --no-reflogs", shell=True, cwd=root, capture_output=True,
            text=True, timeout=30,
        )  # fmt: skip
        assert leaky or "unreachable" not in loose.stdout


def test_claims_know_nothing_of_the_outcome() -> None:
    pytest.importorskip("minisweagent", reason="needs mini-swe-agent (the extra `training`)")
    from training.world.run import draw

    runs = 2500
    for name, policy in POLICIES.items():
        drawn = [draw(name, f"t/{name}/{n}") for n in range(runs)]
        good = [one for one in drawn if one.good]
        bad = [one for one in drawn if not one.good]
        assert 0.1 < len(good) / runs < 0.9
        for field, values in (("claim", CLAIMS), ("voice", VOICES)):
            for value in values:
                share = [sum(getattr(o, field) == value for o in s) / len(s) for s in (good, bad)]
                spread = (0.25 / len(good) + 0.25 / len(bad)) ** 0.5
                assert abs(share[0] - share[1]) < 4 * spread, (name, value)
        if policy.claim:
            assert {one.claim for one in drawn} == {policy.claim}


def test_prose_is_varied() -> None:
    found = phrases()
    for slot, pool in found.items():
        assert len(pool) == len(set(pool)) >= 20, slot
    texts = {Speaker("plain", "success", "m", str(n)).say(0, "look") for n in range(300)}
    assert len(texts) == len(found["look"])


def test_a_twin_claims_the_contrary() -> None:
    successes, doubts = set(phrases()["claim_success"]), set(phrases()["claim_doubt"])
    for n in range(20):
        one = Speaker("confident", "success", "m", str(n))
        said = {one.say(5, "claim"), one.say(6, "submit")}
        other = {one.twin().say(5, "claim"), one.twin().say(6, "submit")}
        assert len(said & successes) == 1
        assert not said & doubts
        assert len(other & doubts) == 1
        assert not other & successes


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_a_policy_ends_as_meant_and_its_steps_do_not_tell(
    judge: Judge, planted: list[tuple[Task, Instance]], tmp_path: Path, name: str
) -> None:
    pytest.importorskip("minisweagent", reason="needs mini-swe-agent (the extra `training`)")
    from training.world.run import Workshop, draw

    task, instance = planted[-1]
    workshop = Workshop(tmp_path, judge, "1")
    slots = {}
    for good in (True, False) if name in EVEN else (True,):
        drawn = replace(draw(name, f"x/{name}"), good=good)
        speaker = Speaker("plain", "none", task.module, "1")
        document, slots[good] = workshop.play(task, instance, name, drawn, speaker)
        assert document["info"]["exit_status"] in ("Submitted", "LimitsExceeded")
        passed = workshop.label(task, instance, document["info"]["submission"])
        assert (
            all(passed.get(test) for test in (*instance.fail_to_pass, *instance.pass_to_pass))
            is good
        )
    if name in EVEN:
        assert slots[True] == slots[False]
