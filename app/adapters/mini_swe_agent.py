"""mini-swe-agent `*.traj.json`, v1 (commands as text) and v2 (tool calls, text, Responses API).

All three dialects become the same turns, so that no trace is left of which one wrote the document.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from app.adapters.fields import fact, listing, mapping, optional_text
from app.adapters.messages import record
from app.adapters.prompts import issue_in, with_foreword
from app.adapters.story import Record, Story, first_user, leading, on_task
from app.adapters.text import content_text, shown
from app.adapters.toolcalls import bash, call
from app.errors import Invalid

_V1, _FAMILY = "mini-swe-agent-1", "mini-swe-agent-"
_V1_FENCE, _V2_FENCE = "```bash", "```mswea_bash_command"


def claims_v1(document: object) -> bool:
    return _tag(document) == _V1


def claims_v2(document: object) -> bool:
    """Forks count the tag on (1.1, 1.2, …); their messages are v2's."""
    tag = _tag(document)
    return tag != _V1 and tag.startswith(_FAMILY)


def fits(document: object) -> bool:
    """Old files are a bare list of messages without the envelope."""
    return isinstance(document, list) or (isinstance(document, dict) and "messages" in document)


def read_v1(document: Any) -> Story:
    return _read(document, _V1_FENCE)


def read_v2(document: Any) -> Story:
    return _read(document, _V2_FENCE)


def split_command(text: str, fence: str) -> tuple[str, str] | None:
    """(prose, command) of a text with exactly one fenced command; None for any other text.

    The same rule by which the tool itself decided what to run.
    """
    found = _fences(text, fence)
    if len(found) != 1:
        return None
    start, body, end = found[0]
    before, after = text[:start].strip(), text[end + len("\n```") :].strip()
    prose = "\n\n".join(part for part in (before, after) if part)
    return prose, text[body:end].strip()


def _fences(text: str, fence: str) -> list[tuple[int, int, int]]:
    """(start, body, end) of the first two fences. One pass: the text may be hostile."""
    found: list[tuple[int, int, int]] = []
    position = 0
    while len(found) < 2 and (start := text.find(fence, position)) >= 0:
        body = start + len(fence)
        while body < len(text) and text[body] in " \t\r":
            body += 1
        position = body
        if body >= len(text) or text[body] != "\n":
            continue
        end = text.find("\n```", body + 1)
        if end < 0:
            break
        found.append((start, body + 1, end))
        position = end + len("\n```")
    return found


def _tag(document: object) -> str:
    tag = document.get("trajectory_format") if isinstance(document, dict) else None
    return tag if isinstance(tag, str) else ""


def _read(document: Any, fence: str) -> Story:
    envelope = document if isinstance(document, dict) else {"messages": document}
    info = mapping(envelope.get("info"), "info")
    patch = optional_text(info.get("submission"), "info.submission")
    messages = listing(envelope.get("messages"), "messages")
    records = on_task(_record(message, n, fence) for n, message in enumerate(messages))
    if records and patch is not None and _is_submission(records[-1], patch):
        records.pop()
    records = _without_streaks(records)
    prompt = first_user(records)
    issue = issue_in(prompt.text) if prompt else None
    return Story(
        records=records,
        issue=with_foreword(issue, prompt.text) if prompt and issue else issue,
        wrapped=issue is not None,
        patch=patch,
        exit=fact(info.get("exit_status")),
        instance_id=fact(envelope.get("instance_id")),
    )


def _is_submission(last: Record, patch: str) -> bool:
    """v1 ends in a user message that is the submitted patch itself: it is told as the patch."""
    return last.role == "user" and last.text.strip() == patch.strip()


def _without_streaks(records: Sequence[Record]) -> list[Record]:
    """One record for a notice that the tool repeats: answers without a valid command leave nothing
    but that notice, up to 93 times in a run. Words and calls of the agent stay as they are."""
    told = leading(records)
    after = records[len(told) :]
    for (role, _), same in groupby(after, key=lambda record: (record.role, record.text)):
        run = list(same)
        if role != "user" or len(run) == 1:
            told += run
        else:
            told.append(replace(run[0], text=f"{run[0].text}\n[{len(run)} times]"))
    return told


def _record(message: object, index: int, fence: str) -> Record | None:
    if isinstance(message, dict) and "role" not in message:
        if message.get("object") == "response":
            return _response(message, index)
        if message.get("type") == "function_call_output":
            text = content_text(message.get("output"), f"messages[{index}].output")
            return Record("observation", text, index=index)
    told = record(message, index)
    if told is None or told.role != "assistant" or told.calls:
        return told
    split = split_command(told.text, fence)
    return Record("assistant", split[0], (bash(split[1]),), index) if split else told


def _response(entry: dict[Any, Any], index: int) -> Record:
    """One answer of the Responses API: its text items joined, its function calls in order."""
    texts, calls = [], []
    for n, item in enumerate(listing(entry.get("output"), f"messages[{index}].output")):
        where = f"messages[{index}].output[{n}]"
        kind = item.get("type") if isinstance(item, dict) else None
        if not isinstance(kind, str):
            problem = f"{where} is no typed item"
            raise Invalid(problem)
        if kind == "message":
            texts.append(content_text(item.get("content"), f"{where}.content"))
        elif kind == "function_call":
            calls.append(call(item, where))
        elif kind != "reasoning":
            texts.append(f"[{shown(kind)}]")
    return Record("assistant", "\n".join(texts), tuple(calls), index)
