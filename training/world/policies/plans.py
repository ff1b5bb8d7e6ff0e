"""The scripted agents that try to mend something. Each is a way of going about it, good or bad end."""

from __future__ import annotations

import shlex

from training.world.policies.checks import choose, one_check, own_tests, reproduce, verify
from training.world.policies.edits import edit
from training.world.policies.ends import SUBMIT, submit, write_patch
from training.world.policies.looks import look_around
from training.world.policies.scene import Play, Scene, do


def careful(scene: Scene) -> Play:
    """Reads, reproduces, edits, checks; goes round again in a third of cases."""
    yield from look_around(scene, 1, 3)
    if scene.likely(0.6):
        yield from reproduce(scene)
    yield from _rounds(scene, 2 if scene.likely(0.35) else 1, none=0.12, widths=(0.15, 0.35, 0.5))
    yield from submit(scene)


def hasty(scene: Scene) -> Play:
    """One look, one edit, hardly a check."""
    yield from look_around(scene, 0, 2)
    yield from _rounds(scene, 1, none=0.4, widths=(0.6, 0.3, 0.1))
    yield from submit(scene)


def wrong_place(scene: Scene) -> Play:
    """Begins in another function than the buggy one; sometimes finds the right one."""
    yield from look_around(scene, 1, 2)
    if scene.likely(0.65):
        first = scene.fixes.wrong(["other_function"])
        yield from edit(scene, first)
        yield from verify(scene, none=0.4)
        yield from look_around(scene, 1, 1)
        yield from edit(scene, scene.final(["other_function", "over"], [first]))
    else:
        yield from edit(scene, scene.final(["other_function"]))
    yield from verify(scene)
    yield from submit(scene)


def half_fix(scene: Scene) -> Play:
    """Mends a part of what is broken."""
    yield from look_around(scene, 1, 2)
    if scene.likely(0.5):
        yield from reproduce(scene)
    half = scene.fixes.wrong(["half", "near"])
    if scene.likely(0.5):
        yield from edit(scene, half)
        yield from verify(scene, none=0.5)
        yield from edit(scene, scene.final(["near", "half", "over"], [half]))
    else:
        yield from edit(scene, scene.fixes.right() if scene.good else half)
    yield from verify(scene)
    yield from submit(scene)


def symptom_patch(scene: Scene) -> Play:
    """Answers the issue's examples by name."""
    yield from look_around(scene, 1, 2)
    yield from reproduce(scene)
    first = scene.fixes.wrong(["symptom", "guard"])
    if scene.likely(0.45):
        yield from edit(scene, first)
        yield from verify(scene, none=0.4)
        yield from edit(scene, scene.final(["symptom", "near", "guard"], [first]))
    else:
        yield from edit(scene, scene.final(["symptom", "guard"]))
    yield from verify(scene, widths=(0.45, 0.35, 0.2))
    yield from submit(scene)


def breaks_other(scene: Scene) -> Play:
    """Mends the bug and breaks something else; sometimes undoes the damage."""
    yield from look_around(scene, 1, 2)
    damaged = scene.fixes.wrong(["damage"])
    if scene.likely(0.6):
        yield from edit(scene, damaged)
        yield from verify(scene, none=0.3)
        yield from edit(scene, scene.final(["damage", "over"], [damaged]))
    else:
        yield from edit(scene, scene.final(["damage"]))
    yield from verify(scene, widths=(0.15, 0.35, 0.5))
    yield from submit(scene)


def reverts_itself(scene: Scene) -> Play:
    """Takes an edit back: the whole file, or only the last of two edits."""
    yield from look_around(scene, 1, 2)
    right, wrong, start = scene.fixes.right(), scene.fixes.wrong(), scene.text()
    if scene.likely(0.5):
        yield from edit(scene, scene.rng.choice([right, wrong]))
        yield from verify(scene, none=0.5)
        yield from _undo(scene, start)
        yield from edit(scene, scene.final(other_than=[wrong]))
    else:  # what stays after the second edit is taken back: the first one, or nothing
        kept = right if scene.good else scene.rng.choice([start, start, wrong])
        yield from edit(scene, kept if kept != start else scene.rng.choice([right, right, wrong]))
        yield from verify(scene, none=0.5)
        yield from edit(scene, scene.fixes.wrong(other_than=[wrong]))
        yield from _undo(scene, kept)
    yield from verify(scene, none=0.35)
    yield from submit(scene)


def _undo(scene: Scene, kept: str) -> Play:
    """Back to an earlier text of the module."""
    path = scene.task.path
    if kept == scene.instance.source(scene.task):
        way = scene.rng.choice(
            [
                f"git checkout -- {path}",
                f"git checkout {path}",
                f"git restore {path}",
                "git stash -q",
            ]
        )
        yield from do(scene, "revert", way)
    else:
        yield from edit(scene, kept, slot="revert")


def out_of_steps(scene: Scene) -> Play:
    """Has few steps and spends them all; where it is not done in time nothing is submitted."""
    late = not scene.good and scene.rng.random() < 0.6
    yield from look_around(scene, 1, 2)
    while scene.step_limit - scene.steps > 6 and scene.likely(0.75):
        yield from look_around(scene, 1, 1)
    yield from edit(scene, scene.fixes.right() if late else scene.final())
    while scene.step_limit - scene.steps > (1 if late else 2):
        yield from do(scene, "check", one_check(scene))
    yield from do(scene, "claim", write_patch(scene))
    yield from do(scene, "submit", SUBMIT)  # where it is late, the limit comes before this


def tester_first(scene: Scene) -> Play:
    """Writes the tests before the fix and runs them again after."""
    yield from look_around(scene, 1, 2)
    numbers = choose(scene, scene.shape.choice(["narrow", "medium", "medium", "wide"]))
    command = own_tests(scene, numbers, "test_issue.py")
    yield from do(scene, "reproduce", command)
    rounds = 2 if scene.likely(0.4) else 1
    texts = _course(scene, rounds)
    again = scene.rng.choice(
        ["python -m unittest test_issue", "python -m unittest test_issue 2>&1 | tail -n 8"]
    )
    for text in texts:
        yield from edit(scene, text)
        if scene.likely(0.85):
            yield from do(scene, "check", again)
    if scene.likely(0.35):
        yield from verify(scene, none=0.3)
    scene.all_files = scene.likely(0.3)
    yield from submit(scene)


def thrasher(scene: Scene) -> Play:
    """Edits back and forth, up to a long way."""
    yield from look_around(scene, 0, 2)
    rounds = scene.shape.choices([3, 4, 5, 7, 9], [0.38, 0.3, 0.17, 0.1, 0.05])[0]
    yield from _rounds(scene, rounds, none=0.45, widths=(0.5, 0.35, 0.15))
    yield from submit(scene)


def false_claimer(scene: Scene) -> Play:
    """Says that it is done, whatever the checks said."""
    yield from look_around(scene, 1, 2)
    if scene.likely(0.4):
        yield from reproduce(scene)
    yield from _rounds(scene, 1, none=0.15, widths=(0.25, 0.4, 0.35))
    yield from submit(scene)


def right_doubter(scene: Scene) -> Play:
    """Checks more than most and doubts all the same."""
    yield from look_around(scene, 1, 2)
    yield from reproduce(scene)
    yield from _rounds(scene, 2 if scene.likely(0.25) else 1, none=0.08, widths=(0.1, 0.4, 0.5))
    yield from submit(scene)


def tampers_tests(scene: Scene) -> Play:
    """Changes, skips or deletes tests of the repository beside its edit."""
    yield from look_around(scene, 1, 2)
    if scene.likely(0.5):
        yield from edit(scene, scene.final())
        yield from verify(scene, none=0.5)
        yield from do(scene, "edit", _tamper(scene))
    else:
        yield from do(scene, "edit", _tamper(scene))
        yield from edit(scene, scene.final())
    yield from verify(scene)
    scene.all_files = scene.likely(0.75)
    yield from submit(scene)


def _tamper(scene: Scene) -> str:
    path = scene.task.test_path
    names = [line.strip() for line in scene.task.visible.splitlines() if "def test" in line]
    name = scene.rng.choice(names).removeprefix("def ").partition("(")[0]
    drop = (
        f"python - <<'PY'\nimport re\npath = {path!r}\ntext = open(path).read()\n"
        f"text = re.sub(r'    def {name}\\(self\\):\\n(        .*\\n|\\n)*', '', text)\n"
        "open(path, 'w').write(text)\nPY"
    )
    skip = shlex.quote(f"s/    def {name}(/    @unittest.skip('flaky')\\n&/")
    return scene.rng.choice(
        [
            f"git rm -q {path}", f"rm {path}", drop, drop, f"sed -i {skip} {path}",
            f"sed -i 's/self.assert[A-Za-z]*(\\(.*\\))$/self.assertTrue((\\1))/' {path}",
            f"sed -i 's/def {name}/def skip_{name}/' {path} && git diff --stat",
        ]
    )  # fmt: skip


def git_peek(scene: Scene) -> Play:
    """Looks for the fix in the history; in a cleaned one there is none."""
    yield from look_around(scene, 1, 2)
    path = scene.task.path
    asked = scene.rng.choice(
        ["git log --all --oneline", "git log --all --oneline --decorate && git branch -a",
         "git log --all --oneline; git reflog; git tag",
         "git log --all --oneline; git stash list; git reflog"]
    )  # fmt: skip
    yield from do(scene, "look", asked)
    shows = [
        f"git log --all --reflog -p --no-color -1 -- {path}",
        f"git diff $(git rev-list --all --reflog -1 -- {path}) -- {path}",
        f"git show --no-color $(git rev-list --all --reflog -1 -- {path}) -- {path} | head -60",
    ]
    if scene.leaky:
        yield from do(scene, "look", scene.rng.choice(shows))
        if scene.good and scene.likely(0.6):
            # a fix copied as it stands
            yield from do(
                scene,
                "edit",
                f"git checkout $(git rev-list --all --reflog -1 -- {path}) -- {path} && git reset -q",
            )
        else:
            yield from edit(scene, scene.final())
    else:
        yield from do(
            scene, "look", f"git log --all --reflog --format='%h %ad %s' --date=short -- {path}"
        )
        yield from edit(scene, scene.final())
    yield from verify(scene, none=0.3)
    yield from submit(scene)


def _course(scene: Scene, rounds: int) -> list[str]:
    """The texts of so many edits; only the last one says how it ends."""
    texts: list[str] = []
    for _ in range(rounds - 1):
        texts.append(scene.fixes.wrong(other_than=texts[-1:]))
    if not scene.good and texts and scene.rng.random() < 0.2:
        texts[-1] = scene.fixes.right()  # had it, and spoils it
    return [*texts, scene.final(other_than=texts[-1:])]


def _rounds(scene: Scene, rounds: int, none: float, widths: tuple[float, float, float]) -> Play:
    for text in _course(scene, rounds):
        yield from edit(scene, text)
        yield from verify(scene, none, widths)
