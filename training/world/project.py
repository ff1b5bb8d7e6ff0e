"""The files of the repository that an agent works in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from training.world.catalog import Task

_README = """# {package}

{summary}

    from {package}.{module} import *

Run the tests with `python -m unittest`.
"""
_VERSIONS = '''"""Version numbers of this package."""

MAJOR, MINOR, PATCH = 1, 4, 2


def version():
    """The version as text."""
    return f"{MAJOR}.{MINOR}.{PATCH}"


def at_least(major, minor=0):
    """Whether this version is not older than `major.minor`."""
    return (MAJOR, MINOR) >= (major, minor)
'''


def project_files(task: Task, source: str) -> dict[str, str]:
    """The repository's files: path → text."""
    return {
        "README.md": _README.format(package=task.package, module=task.module, summary=task.summary),
        f"{task.package}/__init__.py": f'"""{task.summary}"""\n',
        f"{task.package}/_version.py": _VERSIONS,
        task.path: source,
        "tests/__init__.py": "",
        task.test_path: task.visible,
    }


def write_files(root: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")
