"""What a fix leaves in the module: right texts of several spellings, wrong texts of many kinds."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Iterable
from functools import lru_cache
from random import Random

from training.world.bugs import Instance
from training.world.catalog import Task
from training.world.issues import is_error
from training.world.judge import Judge
from training.world.operators import mutations
from training.world.respell import remark, respell
from training.world.source import Edit, Spans, apply, parses

_ATTEMPTS = 8
_NEAR = 160  # characters: a mutation within is "the same place"


@lru_cache(maxsize=64)
def _mutations(source: str) -> tuple[Edit, ...]:
    return tuple(mutations(source))


def changed_lines(old: str, new: str) -> list[int]:
    """Lines of `new`, counted from 1, that differ from `old`."""
    matcher = difflib.SequenceMatcher(a=old.splitlines(), b=new.splitlines(), autojunk=False)
    lines: list[int] = []
    for tag, _, _, start, end in matcher.get_opcodes():
        if tag != "equal":
            lines.extend(range(start + 1, max(end, start + 1) + 1))
    return lines


class Fixes:
    """All texts that agents may leave behind for one instance. Raises nothing: where a kind cannot be
    made, another one stands in."""

    def __init__(self, task: Task, instance: Instance, judge: Judge, rng: Random) -> None:
        self.task, self.instance, self.rng = task, instance, rng
        self.sound, self.buggy = task.source, instance.source(task)
        self._judge = judge
        self._passed: dict[str, bool] = {self.buggy: False, self.sound: True}

    def passes(self, text: str) -> bool:
        """Whether a text resolves the instance."""
        if text not in self._passed:
            found = self._judge.examine(self.task, text) if parses(text) else None
            needed = (*self.instance.fail_to_pass, *self.instance.pass_to_pass)
            self._passed[text] = found is not None and all(found.hidden.get(n) for n in needed)
        return self._passed[text]

    def right(self) -> str:
        """The sound text, or one that behaves the same."""
        lines = changed_lines(self.buggy, self.sound)
        spelled = self.sound
        roll = self.rng.random()
        if roll < 0.35:
            spelled = respell(self.sound, lines, self.rng)
        elif roll < 0.5:
            spelled = remark(self.sound, lines, self.rng)
        elif roll < 0.65:
            spelled = self._touched_elsewhere(self.sound)
        return spelled if self.passes(spelled) else self.sound

    def wrong(self, kinds: Iterable[str] = (), other_than: Iterable[str] = ()) -> str:
        """A text that the hidden tests refuse: of the first of these kinds that can be made."""
        taken = {*other_than}
        for kind in (*kinds, *self.rng.sample(tuple(KINDS), len(KINDS))):
            for _ in range(_ATTEMPTS):
                text = KINDS[kind](self)
                if text is None:
                    break
                if self.rng.random() < 0.3 and kind not in ("symptom", "cosmetic"):
                    text = self._dressed(text)
                if text != self.buggy and text not in taken and not self.passes(text):
                    return text
        return self.buggy

    def _dressed(self, text: str) -> str:
        """The same trimmings that right fixes wear."""
        lines = changed_lines(self.buggy, text)
        return self.rng.choice((respell, remark))(text, lines, self.rng)

    def _touched_elsewhere(self, text: str) -> str:
        """A meaningless change in some other function."""
        spans = Spans(text)
        ours = {bug.function for bug in self.instance.bugs}
        others = [node for name, node in spans.functions() if name not in ours]
        if not others:
            return text
        node = self.rng.choice(others)
        return respell(text, range(node.lineno + 1, (node.end_lineno or 0) + 1), self.rng)

    def _edits(self) -> list[Edit]:
        return [edit for bug in self.instance.bugs for edit in bug.edits]

    def near(self) -> str | None:
        """Another mutation of the sound text where a bug was: too much, too little, beside it."""
        bug = self.rng.choice(self.instance.bugs)
        start = min(edit.start for edit in bug.edits) - _NEAR
        end = max(edit.end for edit in bug.edits) + _NEAR
        close = [
            edit
            for edit in _mutations(self.sound)
            if start <= edit.start
            and edit.end <= end
            and Spans(self.sound).function_at(edit.start) == bug.function
        ]
        if not close:
            return None
        edit = self.rng.choice(close)
        kept = [e for b in self.instance.bugs if b is not bug for e in b.edits]
        if self.rng.random() < 0.6:  # of two bugs the other one is often mended
            kept = []
        if any(edit.overlaps(other) for other in kept):
            return None
        return apply(self.sound, [edit, *kept])

    def over(self) -> str | None:
        """The bug stays and something beside it is changed as well."""
        names = {bug.function for bug in self.instance.bugs}
        return self._with(lambda name: name in names, self._edits())

    def other_function(self) -> str | None:
        """The bug stays; another function is changed."""
        names = {bug.function for bug in self.instance.bugs}
        if self.rng.random() < 0.4:
            return self._touched_elsewhere(self.buggy)
        return self._with(lambda name: name not in names, self._edits())

    def damage(self) -> str | None:
        """The bug is mended; something else is broken."""
        names = {bug.function for bug in self.instance.bugs}
        return self._with(lambda name: name not in names, [])

    def half(self) -> str | None:
        """One of two bugs is mended."""
        if len(self.instance.bugs) < 2:
            return None
        return apply(self.sound, self.rng.choice(self.instance.bugs).edits)

    def cosmetic(self) -> str | None:
        """The buggy lines, spelled otherwise."""
        text = respell(self.buggy, changed_lines(self.sound, self.buggy), self.rng)
        return None if text == self.buggy else text

    def symptom(self) -> str | None:
        """An issue's example answered by name; the bug stays (one of two may be mended)."""
        number = self.rng.choice(self.instance.shown)
        text = self.buggy
        if len(self.instance.bugs) > 1 and self.rng.random() < 0.5:
            text = apply(self.sound, self.rng.choice(self.instance.bugs).edits)
        return special_case(
            text, self.task.probes[number].expression, self.instance.expected[number]
        )

    def guard(self) -> str | None:
        """An early return for empty input at the head of the buggy function."""
        spans = Spans(self.buggy)
        bug = self.rng.choice(self.instance.bugs)
        for name, node in spans.functions():
            parameters = [a.arg for a in node.args.args if a.arg not in ("self", "cls")]
            if name == bug.function and parameters:
                parameter = self.rng.choice(parameters)
                test = self.rng.choice([f"{parameter} is None", f"not {parameter}"])
                answer = self.rng.choice(["None", "[]", "0", "False", parameter])
                return _at_head(spans, node, f"if {test}:", f"return {answer}")
        return None

    def _with(self, fits: Callable[[str], bool], kept: list[Edit]) -> str | None:
        """The sound text with the kept edits and one mutation in a function that fits."""
        spans = Spans(self.sound)
        found = [
            edit
            for edit in _mutations(self.sound)
            if fits(spans.function_at(edit.start)) and not any(edit.overlaps(k) for k in kept)
        ]
        return apply(self.sound, [self.rng.choice(found), *kept]) if found else None


KINDS: dict[str, Callable[[Fixes], str | None]] = {
    kind.__name__: kind
    for kind in (
        Fixes.near, Fixes.over, Fixes.other_function, Fixes.damage, Fixes.half, Fixes.cosmetic,
        Fixes.symptom, Fixes.guard,
    )
}  # fmt: skip


def special_case(text: str, expression: str, outcome: str) -> str | None:
    """The text with `if these arguments: that outcome` at the head of the function that a call names.

    None where the call has no literal arguments or its outcome is no literal.
    """
    call = ast.parse(expression, mode="eval").body
    if not isinstance(call, ast.Call) or not call.args:
        return None
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    spans = Spans(text)
    node = next((n for full, n in spans.functions() if full.split(".")[-1] == name), None)
    if node is None:
        return None
    parameters = [a.arg for a in node.args.args if a.arg not in ("self", "cls")]
    tests = []
    for parameter, argument in zip(parameters, call.args, strict=False):
        if not _literal(ast.unparse(argument)):
            return None
        tests.append(f"{parameter} == {ast.unparse(argument)}")
    if is_error(outcome):
        kind, _, message = outcome.partition(": ")
        leave = f"raise {kind}({message!r})"
    elif _literal(outcome):
        leave = f"return {outcome}"
    else:
        return None
    return _at_head(spans, node, f"if {' and '.join(tests)}:", leave) if tests else None


def _literal(text: str) -> bool:
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError):
        return False
    return True


def _at_head(spans: Spans, node: ast.FunctionDef, test: str, leave: str) -> str | None:
    body = node.body
    documented = isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    if documented and len(body) < 2:
        return None
    first = body[1] if documented else body[0]
    position = spans.text.rfind("\n", 0, spans.start(first)) + 1
    space = " " * (spans.start(first) - position)
    put = f"{space}{test}\n{space}    {leave}\n"
    changed = apply(spans.text, [Edit(position, position, put)])
    return changed if parses(changed) else None
