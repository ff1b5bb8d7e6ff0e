"""What hidden tests, visible tests and probes say of a source text or of a patch."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from training.world.catalog import Task
from training.world.project import project_files, write_files

_LIMIT_S = 60.0  # forks.py counts processor time; this is for what sleeps
_APPLY_S = 60.0
_SCRIPT = Path(__file__).with_name("forks.py")


@dataclass(frozen=True)
class Findings:
    """Of one text: {test: passed} of both test files, and the outcome of every probe."""

    hidden: Mapping[str, bool]
    visible: Mapping[str, bool]
    probes: tuple[str, ...]


class Judge:
    """One server of forks and a scratch folder. Used by one thread; a context manager."""

    def __init__(self) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="world-judge-")
        self._root = Path(self._scratch.name)
        self._prepared: set[str] = set()
        # Sets must have one order everywhere, and -I would ignore the seed of their hashes.
        environment = {"PATH": os.environ.get("PATH", os.defpath), "PYTHONHASHSEED": "0"}
        self._server = subprocess.Popen(
            [sys.executable, "-s", "-P", str(_SCRIPT), str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            start_new_session=True,
        )

    def __enter__(self) -> Judge:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: object, traceback: TracebackType | None
    ) -> None:
        self._server.kill()
        self._server.communicate()
        self._scratch.cleanup()

    def examine(self, task: Task, source: str) -> Findings | None:
        """Everything about a source text of the module; None when it hangs or dies."""
        root = self._folder(task)
        (root / task.path).write_text(source, "utf-8")
        tests = {"hidden": self._tests(task, "hidden"), "visible": self._tests(task, "visible")}
        answer = self._ask(task, root, tests, [(p.setup, p.expression) for p in task.probes])
        if answer is None:
            return None
        found = answer["tests"]
        return Findings(found["hidden"], found["visible"], tuple(answer["probes"]))

    def hidden(self, task: Task, root: Path) -> dict[str, bool]:
        """{test: passed} of the hidden tests on a checkout; nothing passes where it hangs or dies."""
        answer = self._ask(task, root, {"hidden": self._tests(task, "hidden")}, [])
        return dict(answer["tests"]["hidden"]) if answer else {}

    def after_patch(self, task: Task, source: str, patch: str) -> dict[str, bool]:
        """`hidden` on a fresh checkout of `source` with a patch applied; its tests folder is ours."""
        with tempfile.TemporaryDirectory(prefix="world-label-", dir=self._root) as name:
            root = Path(name)
            write_files(root, project_files(task, source))
            if patch.strip():
                applied = subprocess.run(
                    ["git", "apply", "--whitespace=nowarn", "-"],
                    cwd=root,
                    input=patch.encode(),
                    capture_output=True,
                    timeout=_APPLY_S,
                    env={
                        "PATH": os.environ.get("PATH", os.defpath),
                        "GIT_CEILING_DIRECTORIES": name,
                    },
                )
                if applied.returncode:
                    return {}
            shutil.rmtree(root / "tests", ignore_errors=True)
            return self.hidden(task, root)

    def _folder(self, task: Task) -> Path:
        root = self._root / task.name
        if task.name not in self._prepared:
            write_files(root, project_files(task, task.source))
            for kind, text in (("hidden", task.hidden), ("visible", task.visible)):
                (self._root / f"{task.name}.{kind}.py").write_text(text, "utf-8")
            self._prepared.add(task.name)
        return root

    def _tests(self, task: Task, kind: str) -> str:
        self._folder(task)
        return str(self._root / f"{task.name}.{kind}.py")

    def _ask(
        self,
        task: Task,
        root: Path,
        tests: Mapping[str, str],
        probes: Sequence[tuple[str, str]],
    ) -> dict[str, dict[str, dict[str, bool]]] | None:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        request = {
            "root": str(root),
            "package": task.package,
            "module": task.module,
            "tests": tests,
            "probes": probes,
            "limit_s": _LIMIT_S,
        }
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        line = self._server.stdout.readline()
        if not line:
            message = "the server of forks ended"
            raise RuntimeError(message)
        answer = json.loads(line)
        return answer if isinstance(answer, dict) else None
