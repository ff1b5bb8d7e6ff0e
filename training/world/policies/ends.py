"""How a run ends: the patch is written, perhaps looked at, and submitted."""

from __future__ import annotations

from training.world.policies.scene import Play, Scene, do

SUBMIT = "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT && cat patch.txt"


def submit(scene: Scene) -> Play:
    yield from do(scene, "claim", write_patch(scene))
    if scene.likely(0.06):
        yield from do(scene, "review", "cat patch.txt")
    yield from do(scene, "submit", SUBMIT)


def write_patch(scene: Scene) -> str:
    """The command that leaves the patch in patch.txt."""
    path, package = scene.task.path, scene.task.package
    if scene.all_files:
        return scene.rng.choice(
            ["git add -A && git diff --cached > patch.txt", "git diff HEAD > patch.txt"]
        )
    tail = scene.rng.choice(
        ["", "", "", "", "", " && wc -l patch.txt", " && cat patch.txt", " && git status --short"]
    )
    roll = scene.rng.random()
    if roll < 0.06:
        return f"git add -A {package} && git diff --cached > patch.txt{tail}"
    way = scene.rng.choice(
        [f"git diff -- {path}", f"git diff -- {path}", "git diff", f"git diff {package}"]
    )
    return f"{way} > patch.txt{tail}"
