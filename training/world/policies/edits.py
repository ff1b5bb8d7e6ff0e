"""Turns a change of the module into a command, spelled the ways that agents spell it."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Callable, Generator
from random import Random

from training.world.policies.scene import Scene, Step, do

_WHOLE_FILE_CHARACTERS = 2600


def edit(scene: Scene, target: str, slot: str = "edit") -> Generator[Step, list[str], None]:
    """Bring the module from how it stands to `target`; in a tenth of cases at the second attempt."""
    old = scene.text()
    tail = ""
    if scene.likely(0.12):
        tail = scene.rng.choice([f" && git diff -- {scene.task.path}", " && git diff --stat"])
    if scene.likely(0.1):
        yield from do(scene, slot, _missed(scene, old))
    if target == old:
        yield from do(scene, slot, f"git diff --stat -- {scene.task.path}")
        return
    command = command_for(scene.rng, scene.task.path, old, target)
    joined = command + tail if "\n" not in command else command + tail.replace(" && ", "\n")
    yield from do(scene, slot, joined)
    if scene.text() != target:
        yield from do(scene, slot, _replace(scene.rng, scene.task.path, scene.text(), target))


def command_for(rng: Random, path: str, old: str, new: str) -> str:
    """A shell command that turns a file's text into another."""
    ways: list[tuple[float, Callable[[Random, str, str, str], str | None]]] = [
        (0.34, _sed), (0.36, _replace), (0.2, _patch), (0.1, _whole_file),
    ]  # fmt: skip
    made = None
    for _ in range(4):
        way = rng.choices([w for _, w in ways], [share for share, _ in ways])[0]
        made = way(rng, path, old, new)
        if made:
            return made
    return _replace(rng, path, old, new)


def _hunks(old: str, new: str) -> list[tuple[int, int, list[str], list[str]]]:
    """(first, last line of the old text from 1, old lines, new lines) of every change."""
    before, after = old.splitlines(), new.splitlines()
    matcher = difflib.SequenceMatcher(a=before, b=after, autojunk=False)
    return [
        (i + 1, j, before[i:j], after[k:m])
        for tag, i, j, k, m in matcher.get_opcodes()
        if tag != "equal"
    ]


def _sed(rng: Random, path: str, old: str, new: str) -> str | None:
    """By line number, from the last change to the first, or as a substitution."""
    parts = []
    for start, end, before, after in reversed(_hunks(old, new)):
        if len(after) > 3:
            return None
        if len(before) == len(after) == 1 and rng.random() < 0.6:
            found = _substitution(before[0], after[0])
            parts.append(f"{start}{found}" if found else f"{start}c\\\n{after[0]}")
        elif not before:
            parts.append(f"{start - 1}a\\\n" + "\\\n".join(after))
        elif not after:
            parts.append(f"{start},{end}d" if end > start else f"{start}d")
        else:
            place = f"{start},{end}" if end > start else f"{start}"
            parts.append(f"{place}c\\\n" + "\\\n".join(after))
    if any("\n " in part or "\\" in part.replace("\\\n", "") for part in parts):
        # sed eats leading blanks and backslashes of inserted text; keep them from it
        parts = [re.sub(r"\n( +)", lambda m: "\n\\" + m.group(1), part) for part in parts]
    return "\n".join(f"sed -i {shlex.quote(part)} {path}" for part in parts)


def _substitution(before: str, after: str) -> str | None:
    """`s/old/new/` on the part that differs, widened to words."""
    head = len(_shared(before, after))
    tail = len(_shared(before[head:][::-1], after[head:][::-1]))
    while head and re.match(r"[\w<>=!]", before[head - 1]):
        head -= 1
    while tail and re.match(r"[\w<>=!]", before[len(before) - tail]):
        tail -= 1
    cut, put = before[head : len(before) - tail], after[head : len(after) - tail]
    if not cut.strip():
        return None
    if before.find(cut) != head:
        cut, put = before.strip(), after.strip()
    mark = next((m for m in "/|#@" if m not in cut + put), None)
    if mark is None or before.find(cut) < 0:
        return None
    cut = re.sub(r"([][\\.*^$])", r"\\\1", cut)
    put = put.replace("\\", "\\\\").replace("&", "\\&")
    return f"s{mark}{cut}{mark}{put}{mark}"


def _shared(one: str, two: str) -> str:
    count = 0
    for a, b in zip(one, two, strict=False):
        if a != b:
            break
        count += 1
    return one[:count]


def _replace(rng: Random, path: str, old: str, new: str) -> str:
    """A small Python program with old and new text."""
    plain = rng.random() < 0.6
    if plain:
        lines = [f"path = {path!r}", "text = open(path).read()"]
    else:
        lines = ["from pathlib import Path", f"path = Path({path!r})", "text = path.read_text()"]
    asserted = rng.random() < 0.7
    for before, after in _unique_blocks(old, new):
        if asserted:
            lines += [f"old = {_block(before)}", f"new = {_block(after)}"]
            lines += ["assert text.count(old) == 1", "text = text.replace(old, new)"]
        else:
            lines.append(f"text = text.replace({_block(before)}, {_block(after)}, 1)")
    lines.append("open(path, 'w').write(text)" if plain else "path.write_text(text)")
    return "python - <<'PY'\n" + "\n".join(lines) + "\nPY"


def _block(text: str) -> str:
    if text.count("\n") > 1 and '"""' not in text and "\\" not in text and not text.endswith('"'):
        return f'"""\\\n{text}"""' if text.endswith("\n") else f'"""{text}"""'
    return repr(text)


def _unique_blocks(old: str, new: str) -> list[tuple[str, str]]:
    """(old, new) blocks of whole lines; the old ones occur once in the text they are replaced in."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    matcher = difflib.SequenceMatcher(a=before, b=after, autojunk=False)
    blocks: list[tuple[str, str]] = []
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag == "equal":
            continue
        up = down = 0
        while old.count("".join(before[i - up : j + down])) != 1 or (i - up == j + down):
            if i - up > 0 and up <= down:
                up += 1
            elif j + down < len(before):
                down += 1
            elif i - up > 0:
                up += 1
            else:
                break
        cut = "".join(before[i - up : j + down])
        put = "".join([*before[i - up : i], *after[k:m], *before[j : j + down]])
        blocks.append((cut, put))
    result = old
    for cut, put in blocks:
        result = result.replace(cut, put, 1)
    return blocks if result == new else [(old, new)]


def _patch(rng: Random, path: str, old: str, new: str) -> str | None:
    context = rng.choice([1, 2, 3])
    lines = difflib.unified_diff(
        old.splitlines(keepends=True), new.splitlines(keepends=True), f"a/{path}", f"b/{path}",
        n=context,
    )  # fmt: skip
    flags = " --unidiff-zero" if context == 0 else ""
    return f"git apply{flags} - <<'EOF'\n{''.join(lines)}EOF"


def _whole_file(rng: Random, path: str, old: str, new: str) -> str | None:
    if len(new) > _WHOLE_FILE_CHARACTERS or not new.endswith("\n"):
        return None
    return f"cat > {path} <<'EOF'\n{new}EOF"


def _missed(scene: Scene, old: str) -> str:
    """An edit that does not take: the text it looks for is not there."""
    rng, path = scene.rng, scene.task.path
    lines = [line.strip() for line in old.splitlines() if "return " in line or "if " in line]
    line = rng.choice(lines) if lines else "return None"
    wanted = line.replace(" ", "  ", 1) if rng.random() < 0.5 else line + ";"
    if rng.random() < 0.5 and "/" not in wanted:
        plain = re.sub(r"([][\\.*^$])", r"\\\1", wanted)
        return f"sed -i {shlex.quote(f's/{plain}/{plain} /')} {path} && git diff --stat"
    program = f"path = {path!r}\ntext = open(path).read()\nold = {wanted!r}\nassert old in text, 'no match'"
    return f"python - <<'PY'\n{program}\nopen(path, 'w').write(text.replace(old, {line!r}))\nPY"
