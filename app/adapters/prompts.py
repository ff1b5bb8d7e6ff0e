"""What tools wrap around an issue, taken off again: prompt templates and demonstrations."""

from __future__ import annotations

# (opening, closing) of the issue in the prompts of mini-swe-agent, SWE-agent, OpenHands, R2E-Gym, Terminus.
_ISSUE_MARKS = (
    ("<pr_description>", "</pr_description>"),
    ("<issue_description>", "</issue_description>"),
    ("ISSUE:\n", "INSTRUCTIONS:"),
    ("Please solve this issue: ", "\n\nYou can execute bash commands"),
    ("[ISSUE]", "[/ISSUE]"),
    ("Task Description:\n", "\n\nCurrent terminal state:\n"),
)
_LEAD_IN = "Consider the following PR description:"
_EXAMPLE_START, _EXAMPLE_END = "- START OF EXAMPLE -", "- END OF EXAMPLE -"
_TASK_MARKS = ("- NEW TASK DESCRIPTION -", "- END OF NEW TASK DESCRIPTION -")


def issue_in(prompt: str) -> str | None:
    """The issue inside a tool's prompt, or None where no known template is recognised."""
    for opening, closing in _ISSUE_MARKS:
        start = prompt.find(opening)
        end = prompt.find(closing, start + len(opening)) if start >= 0 else -1
        if end < 0:
            continue
        issue = prompt[start + len(opening) : end].strip().removeprefix(_LEAD_IN).strip()
        if issue:
            return issue
    return None


def with_foreword(issue: str, prompt: str) -> str:
    """The issue with what stands before the tag of mini-swe-agent's prompt.

    Its template begins with the tag, so words before it were written by whoever asked. Prompts of
    other tools begin with words of their own.
    """
    before, tag, _ = prompt.partition(_ISSUE_MARKS[0][0])
    return f"{before.strip()}\n\n{issue}" if tag and before.strip() else issue


def without_demonstration(text: str) -> str:
    """A leading user message without the worked example of another issue; "" if it is all example.

    Left in, the judge would read somebody else's success.
    """
    if text.lstrip().startswith("Here is a demonstration"):
        return ""
    start = text.find(_EXAMPLE_START)
    if start < 0:
        return text
    end = text.find(_EXAMPLE_END, start)
    if end < 0:
        return ""
    task = text.find(_TASK_MARKS[0], end)
    begin = _next_line(text, task if task >= 0 else end)
    stop = text.find(_TASK_MARKS[1], begin)
    return text[begin:stop].strip().rstrip("-").strip() if stop >= 0 else text[begin:].strip()


def _next_line(text: str, position: int) -> int:
    newline = text.find("\n", position)
    return len(text) if newline < 0 else newline + 1
