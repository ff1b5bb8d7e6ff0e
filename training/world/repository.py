"""The git repository that an agent works in: a plausible history, cleaned or leaky."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from random import Random

from training.world.catalog import Task
from training.world.project import project_files, write_files

_GIT_S = 120.0
_IDENTITY = {
    "GIT_AUTHOR_NAME": "Maintainer",
    "GIT_AUTHOR_EMAIL": "maintainer@example.org",
    "GIT_COMMITTER_NAME": "Maintainer",
    "GIT_COMMITTER_EMAIL": "maintainer@example.org",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}
HIDING_PLACES = ("branch", "reflog", "remote", "tag")
_SUBJECTS = (
    "Fix {module}", "Correct {module}", "{module}: fix reported behaviour", "Bugfix in {module}",
    "Fix wrong results in {module}", "Address the reports about {module}",
)  # fmt: skip


def git(root: Path, *args: str, day: int = 1) -> None:
    """Raises `CalledProcessError`, `TimeoutExpired`. `day` of May dates a commit."""
    date = f"2024-05-{day:02d}T12:00:00+0000"
    dates = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
    environment = {"PATH": os.environ["PATH"], "HOME": str(root)} | _IDENTITY | dates
    command = ["git", "-c", "gc.auto=0", "-c", "core.hooksPath=/dev/null", *args]
    subprocess.run(
        command, cwd=root, env=environment, check=True, capture_output=True, timeout=_GIT_S
    )


def build(root: Path, task: Task, buggy: str, *, leaky: bool, seed: str) -> None:
    """A checkout of the buggy module at `root`. In a leaky one the fix is left to be found."""
    rng = Random(seed)
    files = project_files(task, buggy)
    root.mkdir(parents=True)
    git(root, "init", "-q", "--template=", "-b", "main")
    git(root, "config", "core.abbrev", "7")
    tests = [path for path in files if path.startswith("tests/")]
    rest = [path for path in files if path not in (*tests, "README.md", task.path)]
    for day, (subject, paths) in enumerate(
        [
            ("Initial import", ["README.md", f"{task.package}/__init__.py"]),
            (f"Add {task.module}", [task.path]),
            ("Add tests", tests),
            ("Version helpers", rest),
        ],
        start=2,
    ):
        write_files(root, {path: files[path] for path in paths})
        git(root, "add", "-A", day=day)
        git(root, "commit", "-q", "--allow-empty", "-m", subject, day=day)
    _later(root, task, rng)
    if not leaky:
        clean(root)


def _later(root: Path, task: Task, rng: Random) -> None:
    """The upstream fix, made after the base commit and left in one place outside the branch."""
    place = rng.choice(HIDING_PLACES)
    subject = rng.choice(_SUBJECTS).format(module=task.module)
    (root / task.path).write_text(task.source, "utf-8")
    git(root, "commit", "-q", "-a", "-m", subject, day=20)
    if place == "branch":
        git(root, "branch", f"fix/{task.module}")
    elif place == "remote":
        git(root, "remote", "add", "origin", "https://example.org/project.git")
        git(root, "update-ref", "refs/remotes/origin/main", "HEAD")
    elif place == "tag":
        git(root, "tag", "v1.4.3")
    git(root, "reset", "-q", "--hard", "HEAD~1", day=21)


def clean(root: Path) -> None:
    """Take away what was committed after the base: the way SWE-Lego does it (arXiv 2601.01426).

    Remotes, other branches and later tags are removed, the reflog expires, loose objects are pruned.
    """
    git(root, "reset", "-q", "--hard")
    for remote in _names(root, "remote"):
        git(root, "remote", "remove", remote)
    for branch in _names(root, "for-each-ref", "--format=%(refname:short)", "refs/heads"):
        if branch != "main":
            git(root, "branch", "-q", "-D", branch)
    for tag in _names(root, "tag", "--no-merged", "HEAD"):
        git(root, "tag", "-d", tag)
    (root / ".git" / "ORIG_HEAD").unlink(missing_ok=True)
    git(root, "reflog", "expire", "--expire=now", "--all")
    git(root, "gc", "-q", "--prune=now", "--aggressive")


def _names(root: Path, *args: str) -> list[str]:
    found = subprocess.run(
        ["git", *args], cwd=root, check=True, capture_output=True, text=True, timeout=_GIT_S
    )
    return found.stdout.split()
