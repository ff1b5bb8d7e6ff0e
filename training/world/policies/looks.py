"""Exploring: lists, searches, readings; now and then a slip."""

from __future__ import annotations

from collections.abc import Callable

from training.world.policies.scene import Play, Scene, do

_LONG_SHARE = 0.03  # reads on and on


def look_around(scene: Scene, least: int, most: int) -> Play:
    """Some steps of exploring; nearly always the buggy function is read among them."""
    count = scene.shape.randint(least, most)
    if scene.steps == 0 and scene.step_limit == 0 and scene.likely(_LONG_SHARE):
        count += scene.shape.randint(6, 16)
        yield from do(scene, "look", f"cat {scene.task.path}")
    if count > 1 and scene.likely(0.55):
        yield from do(scene, "look", _overview(scene))
        count -= 1
    if scene.likely(0.12):
        yield from do(scene, "look", _slip(scene))
    for number in range(count):
        together = scene.likely(0.12)
        commands = [_reading(scene) if number == 0 or scene.likely(0.45) else _aside(scene)]
        if together:
            commands.append(_aside(scene))
        yield from do(scene, "look", *commands)


def _overview(scene: Scene) -> str:
    task = scene.task
    return scene.rng.choice(
        [
            "ls", "ls -R | head -30", "git ls-files", "find . -name '*.py' | sort", "cat README.md",
            f"ls {task.package} tests", "find . -name '*.py' -not -path './.git/*' | xargs wc -l",
            "git status --short && ls", f"ls && cat {task.package}/__init__.py", "git log --oneline",
        ]
    )  # fmt: skip


def _reading(scene: Scene) -> str:
    """A reading of a place that matters."""
    task, name = scene.task, scene.function
    start, end = scene.function_lines(name)
    choices: list[tuple[float, Callable[[], str]]] = [
        (0.42, lambda: f"sed -n '{start},{end}p' {task.path}"),
        (0.1, lambda: f"nl -ba {task.path} | sed -n '{start},{end}p'"),
        (0.16, lambda: f"grep -n -A {end - start} 'def {name}' {task.path}"),
        (0.08, lambda: f"sed -n '/def {name}/,/^$/p' {task.path}"),
        (0.02, lambda: f"cat {task.path}"),
        (0.06, lambda: _inspect(task.package, task.module, name, scene)),
        (0.06, lambda: f"head -n {max(end, 20)} {task.path} | tail -n {end - start + 4}"),
    ]
    weights = [weight for weight, _ in choices]
    return scene.rng.choices([make for _, make in choices], weights)[0]()


def _inspect(package: str, module: str, name: str, scene: Scene) -> str:
    full = next(
        (b.function for b in scene.instance.bugs if b.function.split(".")[-1] == name), name
    )
    code = f"import inspect, {package}.{module} as m; print(inspect.getsource(m.{full or name}))"
    return f'python -c "{code}"'


def _aside(scene: Scene) -> str:
    task, name = scene.task, scene.function
    word = scene.rng.choice(["return", "raise", "def ", "if not", "for "])
    return scene.rng.choice(
        [
            f"grep -n 'def ' {task.path}",
            f"grep -rn '{name}' --include=*.py . | head -8",
            f"grep -n '{word}' {task.path} | head -8",
            f"head -n 12 {task.path}",
            f"cat {task.package}/_version.py",
            f"grep -n 'def test' {task.test_path}",
            f"sed -n '1,14p' {task.test_path}",
            f"wc -l {task.path} {task.test_path}",
            "git log --oneline | head -5",
            f"git log --format='%h %s' -- {task.path}",
            f"grep -n '{name}' {task.test_path}",
            "python --version 2>&1 | cut -c1-9; ls tests",
        ]
    )


def _slip(scene: Scene) -> str:
    """A command that comes to nothing."""
    task = scene.task
    return scene.rng.choice(
        [
            f"cat {task.package}/{task.module}s.py",
            f"cat src/{task.path}",
            f"grep -rn 'class {task.module.title()}Error' .",
            f"grep -n 'TODO' {task.path}",
            f"cd {task.package}/src && ls",
            f"sed -n '1,40p' {task.module}.py",
            f"python -m pytests {task.test_path}",
            f'python -c "import {task.module}"',
            f"cat tests/{task.module}_test.py",
            f"ls {task.package}/{task.module}",
        ]
    )
