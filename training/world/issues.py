"""Writes the issue of an instance from what its probes show, in several styles."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from training.world.bugs import Instance
from training.world.catalog import Task

_RAISED = re.compile(r"[A-Za-z_]\w*: ")


def is_error(outcome: str) -> bool:
    """Whether an outcome is an exception's type and message, not a value's repr."""
    return _RAISED.match(outcome) is not None


def said(outcome: str) -> str:
    return f"raises `{outcome.strip()}`" if is_error(outcome) else f"returns `{outcome}`"


def write(task: Task, instance: Instance, seed: str) -> Instance:
    """The instance with its issue, and the numbers of the probes that the issue shows."""
    rng = Random(f"{seed}/{instance.id}/issue")
    shown = _choose(task, instance, rng)
    writer = _Writer(task, instance, shown, rng)
    issue = f"{writer.title()}\n\n{writer.style()(writer)}".strip()
    return replace(instance, issue=issue, shown=tuple(shown))


def _choose(task: Task, instance: Instance, rng: Random) -> list[int]:
    """One probe for every bug, and up to two others; the rest is kept back."""
    seen = instance.seen

    def short(number: int) -> int:
        return len(task.probes[number].setup) + len(task.probes[number].expression)

    shown: list[int] = []
    for bug in instance.bugs:
        fitting = [n for n in seen if n in bug.seen and n not in shown] or seen
        shown.append(min(rng.sample(fitting, min(2, len(fitting))), key=short))
    others = [n for n in seen if n not in shown]
    rng.shuffle(others)
    shown += others[: rng.choice([0, 0, 1, 1, 2])]
    return list(dict.fromkeys(shown))


class _Writer:
    def __init__(self, task: Task, instance: Instance, shown: Sequence[int], rng: Random) -> None:
        self.task, self.instance, self.shown, self.rng = task, instance, shown, rng

    def style(self) -> Callable[[_Writer], str]:
        return self.rng.choice(_STYLES)

    def title(self) -> str:
        first = self._title_of(0)
        if len(self.instance.bugs) == 1:
            return first
        return self.rng.choice(
            [
                f"{first}; also: {_lower(self._title_of(1))}",
                f"{first}, and {_lower(self._title_of(1))}",
                f"Two problems in {self.task.module}: {_lower(first)}; {_lower(self._title_of(1))}",
                f"Several wrong results from `{self.task.module}`",
                f"{self.task.package}.{self.task.module}: a couple of bugs",
            ]
        )

    def _title_of(self, number: int) -> str:
        bug = self.instance.bugs[number]
        if bug.title:
            return bug.title
        probe = self.shown[number]
        expression = self.task.probes[probe].expression
        want, got = self.instance.expected[probe], self.instance.observed[probe]
        name = _called(expression)
        if is_error(got):
            kind = got.partition(":")[0]
            titles = [f"{kind} from `{expression}`", f"`{name}` raises {kind}"]
        elif is_error(want):
            titles = [f"`{expression}` does not raise", f"No error from `{expression}`"]
        else:
            titles = [f"`{expression}` gives `{got}`", f"Wrong result of `{name}`"]
            titles += [f"`{name}` returns the wrong value", f"Unexpected result of `{expression}`"]
        return self.rng.choice(titles)

    def behaviours(self) -> list[str]:
        """A sentence for every bug."""
        found = []
        for number, bug in enumerate(self.instance.bugs):
            probe = self.shown[number]
            want, got = self.instance.expected[probe], self.instance.observed[probe]
            plain = (
                f"`{self.task.probes[probe].expression}` {said(got)}, but it should {_base(want)}."
            )
            found.append(bug.behaviour if bug.behaviour and self.rng.random() < 0.8 else plain)
        return found

    def call(self, number: int, prompt: str = "") -> str:
        probe = self.task.probes[number]
        lines = [*probe.setup.splitlines(), probe.expression]
        if not prompt:
            return "\n".join(lines)
        return "\n".join(("... " if _inside(line) else prompt) + line for line in lines)

    def repl(self, number: int) -> str:
        got = self.instance.observed[number]
        if is_error(got):
            shown = f"Traceback (most recent call last):\n  ...\n{got.strip()}"
        else:
            shown = got if got != "None" else ""
        return f"{self.call(number, '>>> ')}\n{shown}".rstrip()

    def script(self) -> str:
        head = f"from {self.task.package}.{self.task.module} import *\n"
        parts = []
        for number in self.shown:
            probe = self.task.probes[number]
            setup = f"{probe.setup}\n" if probe.setup else ""
            comment = f"  # {said(self.instance.observed[number])}".replace("`", "")
            parts.append(f"{setup}{probe.expression}{comment}")
        return head + "\n".join(parts)

    def pairs(self) -> list[tuple[str, str, str]]:
        """(call, observed, expected) of what is shown."""
        facts = self.instance
        return [
            (
                "; ".join(self.call(n).splitlines()),
                facts.observed[n].strip(),
                facts.expected[n].strip(),
            )
            for n in self.shown
        ]


def _lower(title: str) -> str:
    return title[:1].lower() + title[1:]


def _base(outcome: str) -> str:
    return f"raise `{outcome.strip()}`" if is_error(outcome) else f"return `{outcome}`"


def _inside(line: str) -> bool:
    return line.startswith((" ", "\t"))


def _called(expression: str) -> str:
    found = re.findall(r"([A-Za-z_]\w*)\(", expression)
    return (
        found[-1]
        if found and expression.startswith(("[", "list(", "sorted("))
        else (found[0] if found else expression)
    )


def _terse(w: _Writer) -> str:
    return "\n".join(f"`{call}` -> `{got}`, expected `{want}`" for call, got, want in w.pairs())


def _session(w: _Writer) -> str:
    lead = w.rng.choice(["", "To reproduce:\n\n", "In a fresh interpreter:\n\n", "See:\n\n"])
    session = "\n".join(w.repl(n) for n in w.shown)
    wants = "\n".join(f"- `{call}`: `{want}`" for call, _, want in w.pairs())
    head = f">>> from {w.task.package}.{w.task.module} import *"
    return f"{lead}```\n{head}\n{session}\n```\n\nExpected:\n{wants}"


def _story(w: _Writer) -> str:
    opening = w.rng.choice(
        [
            "We have been using this package for a while in a small internal tool and are happy with it.",
            "First of all, thank you for this library, it saved us a lot of work.",
            "I spent most of yesterday hunting a strange number in one of our reports.",
            "A colleague reported odd results, and it took us some time to find out where they come from.",
            "I am not sure whether I use this correctly, but the documentation reads as if I do.",
            "While preparing a demo I ran into something that surprised me.",
        ]
    )
    middle = w.rng.choice(
        [
            "After stripping everything away, this is what is left:",
            "I could reduce it to this:",
            "Here is the smallest case that I could find:",
            "It boils down to the following:",
        ]
    )
    cases = "\n".join(
        f"* `{c}` gives `{got}` where I expect `{want}`" for c, got, want in w.pairs()
    )
    end = w.rng.choice(
        ["There may be other inputs with the same problem; I have not tried many.",
         "I looked at the docstrings, and they agree with what I expect.",
         "Happy to help if you need more information.", "No other package is involved.", ""]
    )  # fmt: skip
    return f"{opening} {' '.join(w.behaviours())}\n\n{middle}\n\n{cases}\n\n{end}".rstrip()


def _checklist(w: _Writer) -> str:
    cases = "\n".join(f"- [ ] `{call}` is `{want}` (is `{got}`)" for call, got, want in w.pairs())
    return f"{' '.join(w.behaviours())}\n\nTo be done:\n{cases}\n- [ ] nothing else changes"


def _question(w: _Writer) -> str:
    call, got, want = w.pairs()[0]
    rest = "".join(f"\nLikewise `{c}`: `{g}`, not `{e}`?" for c, g, e in w.pairs()[1:])
    ask = w.rng.choice(
        ["Is this intended?", "Is that on purpose?", "Am I missing something?",
         "Shouldn't this behave differently?"]
    )  # fmt: skip
    return f"I would expect `{call}` to give `{want}`, but I see `{got}`. {ask}{rest}"


def _regression(w: _Writer) -> str:
    version = w.rng.choice(["1.4.1", "1.4.0", "1.3.2", "the last release"])
    lines = [f"Worked in {version}, broken on main.", *w.behaviours(), ""]
    lines += [f"    {call}\n    before: {want}\n    after:  {got}" for call, got, want in w.pairs()]
    return "\n".join(lines)


def _template(w: _Writer) -> str:
    wants = "\n".join(f"{want}" for _, _, want in w.pairs())
    gots = "\n".join(f"{got}" for _, got, _ in w.pairs())
    steps = "\n".join(w.call(n) for n in w.shown)
    head = f"from {w.task.package}.{w.task.module} import *"
    return (
        f"### What happens\n{' '.join(w.behaviours())}\n\n### Steps\n```python\n{head}\n{steps}\n```\n\n"
        f"### Actual\n```\n{gots}\n```\n\n### Expected\n```\n{wants}\n```"
    )


def _script(w: _Writer) -> str:
    wants = ", ".join(f"`{want}`" for _, _, want in w.pairs())
    return f"{' '.join(w.behaviours())}\n\n```python\n{w.script()}\n```\n\nIt should be {wants}."


_STYLES: tuple[Callable[[_Writer], str], ...] = (
    _terse, _session, _story, _checklist, _question, _regression, _template, _script,
)  # fmt: skip
