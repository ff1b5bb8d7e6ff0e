"""Trying things out: the evidence that real agents leave behind, whatever it shows."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from training.world.issues import is_error
from training.world.policies.scene import Play, Scene, do

_LABELS = (
    ("ok", "BAD"),
    ("PASS", "FAIL"),
    ("ok  ", "FAIL"),
    ("pass", "fail"),
    ("+", "-"),
    ("yes", "NO"),
)
WIDTHS = ("narrow", "medium", "wide")


def reproduce(scene: Scene) -> Play:
    """The issue's examples, before anything is changed."""
    script = printing(scene, scene.instance.shown)
    yield from do(scene, "reproduce", _run(scene, script))


def verify(scene: Scene, none: float = 0.2, widths: Sequence[float] = (0.3, 0.4, 0.3)) -> Play:
    """What is tried after an edit: nothing in a share `none` of cases, else one to three checks.

    Only the shape decides, never what the checks will show.
    """
    if scene.likely(none):
        if scene.likely(0.2):
            yield from do(scene, "review", "git diff")
        return
    kinds = ["examples", "table", "asserts", "visible", "own_tests"]
    weights = [0.25, 0.34, 0.13, 0.2, 0.08]
    count = scene.shape.choices([1, 2, 3], [0.68, 0.27, 0.05])[0]
    chosen = list(dict.fromkeys(scene.shape.choices(kinds, weights)[0] for _ in range(count)))
    width = scene.shape.choices(WIDTHS, widths)[0]
    together = scene.likely(0.2)
    commands = [_check(scene, kind, width) for kind in chosen]
    if together:
        yield from do(scene, "check", *commands)
    else:
        for command in commands:
            yield from do(scene, "check", command)
    if scene.likely(0.12):
        yield from do(
            scene, "review", scene.rng.choice(["git diff", f"git diff -- {scene.task.path}"])
        )


def one_check(scene: Scene) -> str:
    """The command of a single check of any kind and width."""
    kind = scene.shape.choice(["examples", "table", "asserts", "visible", "visible", "diff"])
    if kind == "diff":
        return "git diff"
    return _check(scene, kind, scene.shape.choice(["narrow", "narrow", "medium", "wide"]))


def _check(scene: Scene, kind: str, width: str) -> str:
    if kind == "visible":
        return visible(scene)
    numbers = choose(scene, width)
    if kind == "examples":
        return _run(scene, printing(scene, numbers))
    if kind == "asserts":
        return _run(scene, asserting(scene, numbers))
    if kind == "own_tests":
        return own_tests(scene, numbers)
    return _run(scene, table(scene, numbers))


def visible(scene: Scene) -> str:
    name = scene.task.test_path.removesuffix(".py").replace("/", ".")
    return scene.rng.choice(
        [
            "python -m unittest", "python -m unittest 2>&1 | tail -n 5", f"python -m unittest {name}",
            "python -m unittest discover -s tests -t . 2>&1 | tail -n 12",
            f"python -m unittest {name} 2>&1 | tail -n 3", "python -m unittest -q",
        ]
    )  # fmt: skip


def choose(scene: Scene, width: str) -> list[int]:
    """Probes to try: the issue's; with most of those that differ; with many others."""
    instance = scene.instance
    if width == "narrow":
        return list(instance.shown)[: scene.rng.choice([1, 2, 4])]
    others = [n for n in range(len(instance.expected)) if n not in instance.seen]
    near = [n for n in others if scene.function in scene.task.probes[n].expression]
    hidden = [n for n in instance.seen if n not in instance.shown]
    wanted = (2, 1, 1) if width == "medium" else (3, 2, 4)
    more = [
        number
        for pool, count in zip((hidden, near, others), wanted, strict=True)
        for number in _short_ones(scene, pool, count)
    ]
    return list(dict.fromkeys([*instance.shown, *more]))


def _short_ones(scene: Scene, numbers: list[int], count: int) -> list[int]:
    """So many of these probes, those that are quick to write before others."""
    probes = scene.task.probes
    drawn = scene.rng.sample(numbers, min(2 * count, len(numbers)))
    return sorted(drawn, key=lambda n: len(probes[n].setup) + len(probes[n].expression))[:count]


def _run(scene: Scene, script: str) -> str:
    """A script by heredoc, or as a file that is written and run."""
    roll = scene.rng.random()
    if roll < 0.7:
        mark = scene.rng.choice(["PY", "EOF"])
        return f"python - <<'{mark}'\n{script}\n{mark}"
    name = scene.rng.choice(["repro.py", "check.py", "try_it.py", "/tmp/check.py", "verify.py"])
    name = name.replace("/tmp/", "")
    return f"cat > {name} <<'EOF'\n{script}\nEOF\npython {name}"


def _imports(scene: Scene, numbers: Sequence[int]) -> str:
    """The import of what the probes name."""
    text = "\n".join(
        f"{scene.task.probes[n].setup}\n{scene.task.probes[n].expression}" for n in numbers
    )
    used = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    names = [
        name
        for node in ast.parse(scene.task.source).body
        for name in _defined(node)
        if name in used
    ]
    where = f"{scene.task.package}.{scene.task.module}"
    return f"from {where} import {', '.join(names) if names else '*'}"


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    return []


def printing(scene: Scene, numbers: Sequence[int]) -> str:
    """Prints each value; what it should be stands beside it, or only in the issue."""
    wanted = scene.rng.random() < 0.5
    named = scene.rng.random() < 0.4
    lines = [_imports(scene, numbers)]
    for number in numbers:
        probe = scene.task.probes[number]
        want = scene.instance.expected[number].strip()
        lines += probe.setup.splitlines()
        label = f"{probe.expression!r}, '=', " if named else ""
        aside = f", {f'(expected {want})'!r}" if wanted else ""
        if is_error(want):
            lines += ["try:", f"    print({label}{probe.operand}{aside})"]
            lines += ["except Exception as e:"]
            lines += [f"    print({label}f'{{type(e).__name__}}: {{e}}'{aside})"]
        else:
            lines.append(f"print({label}repr({probe.operand}){aside})")
    return "\n".join(lines)


def asserting(scene: Scene, numbers: Sequence[int]) -> str:
    lines = [_imports(scene, numbers)]
    for number in numbers:
        probe, want = scene.task.probes[number], scene.instance.expected[number].strip()
        lines += probe.setup.splitlines()
        if is_error(want):
            kind = want.partition(":")[0]
            lines += ["try:", f"    {probe.expression}", "except Exception as e:"]
            lines += [f"    assert type(e).__name__ == {kind!r}, e", "else:"]
            lines += [f"    raise AssertionError('no {kind}')"]
        else:
            lines += [f"got = {probe.expression}", _assertion(want)]
    lines.append(f"print({scene.rng.choice(['all good', 'ok', 'done', 'passed', 'fine'])!r})")
    return "\n".join(lines)


def _assertion(want: str) -> str:
    if _comparable(want):
        return f"assert got {'is' if want in ('None', 'True', 'False') else '=='} {want}, got"
    return f"assert repr(got) == {want!r}, got"


def _comparable(want: str) -> bool:
    try:
        return repr(ast.literal_eval(want)) == want and "nan" not in want
    except (ValueError, SyntaxError, TypeError):
        return False


def table(scene: Scene, numbers: Sequence[int]) -> str:
    """Value and expectation side by side, marked or bare."""
    good, bad = scene.rng.choice(_LABELS)
    probes = [scene.task.probes[number] for number in numbers]
    wants = [scene.instance.expected[number].strip() for number in numbers]
    prepared = any(probe.setup for probe in probes)
    rows = [
        f"    ({f'{probe.setup!r}, ' if prepared else ''}{probe.expression!r}, {want!r}),"
        for probe, want in zip(probes, wants, strict=True)
    ]
    mark = f"{good!r} if got == want else {bad!r}, " if scene.rng.random() < 0.7 else ""
    order = scene.rng.choice(
        ["call, '->', got, '| expected', want", "call, 'got', got, 'want', want"]
    )
    return "\n".join(
        [
            f"import {scene.task.package}.{scene.task.module} as m",
            f"for {'setup, ' if prepared else ''}call, want in [",
            *rows,
            "]:",
            "    try:",
            *(["        exec(setup, names := dict(vars(m)))"] if prepared else []),
            f"        got = repr(eval(call, {'names' if prepared else 'dict(vars(m))'}))",
            "    except Exception as e:",
            "        got = f'{type(e).__name__}: {e}'.strip()",
            f"    print({mark}{order})",
        ]
    )


def own_tests(scene: Scene, numbers: Sequence[int], name: str = "") -> str:
    """A test file of the agent's own, written and run."""
    name = name or scene.rng.choice(
        ["test_issue.py", "test_fix.py", "test_report.py", "test_new.py"]
    )
    tail = scene.rng.choice(["", " 2>&1 | tail -n 12", " 2>&1 | tail -n 4"])
    body = test_file(scene, numbers)
    module = name.removesuffix(".py")
    return f"cat > {name} <<'EOF'\n{body}\nEOF\npython -m unittest {module}{tail}"


def test_file(scene: Scene, numbers: Sequence[int]) -> str:
    lines = [
        "import unittest",
        "",
        f"from {scene.task.package}.{scene.task.module} import *",
        "",
        "",
    ]
    lines.append("class TestReport(unittest.TestCase):")
    for count, number in enumerate(numbers, start=1):
        probe, want = scene.task.probes[number], scene.instance.expected[number].strip()
        lines.append(f"    def test_case_{count}(self):")
        lines += [f"        {line}" for line in probe.setup.splitlines()]
        if is_error(want):
            lines += ["        with self.assertRaises(Exception) as caught:"]
            lines += [f"            {probe.expression}"]
            lines += [
                f"        self.assertEqual(type(caught.exception).__name__, {want.partition(':')[0]!r})"
            ]
        elif _comparable(want):
            lines.append(f"        self.assertEqual({probe.operand}, {want})")
        else:
            lines.append(f"        self.assertEqual(repr({probe.operand}), {want!r})")
        lines.append("")
    return "\n".join(lines).rstrip()
