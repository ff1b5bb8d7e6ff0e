"""OpenAI chat messages, and the rows, bodies and logs that carry them.

Rows of SWE-Gym, SWE-smith and the like are dicts with `messages` (a list, or that list as a JSON
string) and perhaps a patch. Only named fields are read, so no outcome can enter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from app.adapters.fields import fact, listing, mapping, optional_text, without_run
from app.adapters.prompts import issue_in
from app.adapters.read import parse
from app.adapters.story import Record, Story, first_user, on_task
from app.adapters.text import content_text, shown
from app.adapters.text_calls import spelled_out
from app.adapters.toolcalls import calls_of
from app.errors import Invalid, UnknownFormat

ROLES: dict[str, Literal["user", "assistant", "observation"] | None] = {
    # System text tells which tool wrote the document; `exit` repeats the patch. Both are dropped.
    "system": None,
    "developer": None,
    "exit": None,
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "gpt": "assistant",
    "tool": "observation",
    "function": "observation",
    "observation": "observation",
}
# Content parts of the Anthropic API: its bodies look like chat, but say the calls in the content.
_FOREIGN_PARTS = frozenset({"tool_use", "tool_result", "server_tool_use"})
_VERDICTS = frozenset(
    f"{before}{word}{after}"
    for word in ("YES", "NO")
    for before, after in (("", ""), ("<JUDGEMENT>", "</JUDGEMENT>"), ("<", ">"))
)
# A row with these is a row of the data set itself: its `patch` is the gold patch. SWE-smith's rows
# (`traj_id`) carry patches of other repositories.
_PATCH_IS_NOT_THE_AGENTS = ("traj_id", "test_patch", "FAIL_TO_PASS", "PASS_TO_PASS")


def claims(document: object) -> bool:
    """A list of chat messages, or a dict with one."""
    if isinstance(document, dict):
        messages = document.get("messages")
        if isinstance(messages, str):
            return messages.lstrip().startswith("[")
        return messages == [] or (isinstance(messages, list) and _chat(messages))
    return isinstance(document, list) and (not document or _chat(document))


def fits(document: object) -> bool:
    """Looser, for callers who name the format: any list, or any dict with `messages`."""
    return isinstance(document, list) or (isinstance(document, dict) and "messages" in document)


def read(document: Any) -> Story:
    """A chat row, a request body with its response, or a bare list of messages."""
    if isinstance(document, list):
        return Story(_no_judgement(spelled_out(records(document))))
    messages = document.get("messages")
    if isinstance(messages, str):
        messages = parse(messages)
    answer = _answer(document.get("response"))
    told = _no_judgement(
        [*spelled_out(records(listing(messages, "messages"))), *spelled_out(answer)]
    )
    # Rows of data sets open with the prompt of the tool that made them.
    prompt = first_user(told) if "instance_id" in document else None
    wrapped = issue_in(prompt.text) if prompt else None
    stated = optional_text(document.get("problem_statement"), "problem_statement")
    return Story(
        records=told,
        issue=stated if stated and stated.strip() else wrapped,
        wrapped=wrapped is not None,
        patch=own_patch(document),
        exit=fact(document.get("exit_status")),
        instance_id=_instance(document),
    )


def records(messages: Sequence[object], *, named: str = "messages") -> list[Record]:
    """Messages to records. `named` is what the document calls the list, for error messages."""
    return on_task(record(message, n, named=named) for n, message in enumerate(messages))


def record(message: object, index: int | None, *, named: str = "messages") -> Record | None:
    """One message as a record; None where its role is left out."""
    where = f"{named}[{index}]"
    if not isinstance(message, dict):
        problem = f"{where} is not an object"
        raise Invalid(problem)
    role = message.get("role")
    if not isinstance(role, str):
        problem = f"{where} has no role"
        raise Invalid(problem)
    if role not in ROLES:
        problem = f"{where} has an unknown role: {shown(role)}"
        raise Invalid(problem)
    kind = ROLES[role]
    if kind is None:
        return None
    text = content_text(message.get("content"), f"{where}.content")
    if kind != "assistant":
        return Record(kind, text, index=index)
    refusal = optional_text(message.get("refusal"), f"{where}.refusal")
    text = "\n".join(t for t in (text, refusal) if t) if refusal else text
    return Record(kind, text, calls_of(message, where), index)


def _chat(items: Sequence[object]) -> bool:
    first = items[0]
    if not isinstance(first, dict) or not isinstance(first.get("role"), str):
        return False
    return not any(isinstance(item, dict) and _foreign(item) for item in items)


def _foreign(item: dict[Any, Any]) -> bool:
    """An item of another protocol: typed but without a role (Responses), or Anthropic's blocks."""
    if "role" not in item:
        return "type" in item
    content = item.get("content")
    if not isinstance(content, list):
        return False
    kinds = (part.get("type") for part in content if isinstance(part, dict))
    return any(isinstance(kind, str) and kind in _FOREIGN_PARTS for kind in kinds)


def _no_judgement(told: list[Record]) -> list[Record]:
    """Refuses rows that train R2E-Gym's verifier: a log to judge, then YES or NO, the outcome."""
    spoken = [record.text for record in told if record.role == "assistant"]
    asked = (record.text for record in told if record.role == "user")
    if len(spoken) != 1 or spoken[0].strip().upper() not in _VERDICTS:
        return told
    if not any("[PATCH]" in text or "INTERACTION LOG" in text for text in asked):
        return told
    message = "the messages are a judge's prompt and its verdict, not a trajectory"
    raise UnknownFormat(message)


def _answer(response: object) -> list[Record]:
    """The answer to a logged request: the assistant's last message, which the request lacks."""
    choices = response.get("choices") if isinstance(response, dict) else None
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        return []
    message = mapping(choices[0].get("message"), "response.choices[0].message")
    told = record({"role": "assistant", **message}, None, named="response") if message else None
    return [told] if told is not None else []


def _instance(row: dict[Any, Any]) -> str | None:
    """SWE-Gym's rows name the run behind the instance."""
    instance = fact(row.get("instance_id"))
    return without_run(instance) if "run_id" in row else instance


def own_patch(row: dict[Any, Any]) -> str | None:
    """The agent's own patch, by order of trust; null means that the next place is asked."""
    result = row.get("test_result")
    explicit = optional_text(row.get("model_patch"), "model_patch")
    if explicit is None and isinstance(result, dict):
        explicit = optional_text(result.get("git_patch"), "test_result.git_patch")
    if explicit is None and not any(key in row for key in _PATCH_IS_NOT_THE_AGENTS):
        explicit = optional_text(row.get("patch"), "patch")
    return explicit
