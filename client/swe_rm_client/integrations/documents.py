"""What a framework has (prompt, completion, a row of the data set) → `Item`.

Of a row only fields are read that cannot hold the solution: `trajectory` (what the agent did, in any
format; wins over prompt and completion), `issue` or `problem_statement`, `model_patch`, `instance_id`
and `execution`. A row's `patch` is never read: in SWE-bench, SWE-Gym and their kind it is the gold
patch, and a verifier that saw it would reward every attempt.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..items import Item

FACTS = ("trajectory", "issue", "problem_statement", "model_patch", "instance_id", "execution")
CHATML = "<|im_start|>"


def item_of(
    prompt: Any, completion: Any, facts: Mapping[str, Any], group: str | None = None
) -> Item:
    """`prompt` and `completion` are text or lists of chat messages; None where there is none.

    Text in which a chat template shows travels as it is, and the server parses it; other text
    becomes one message.
    """
    issue = facts.get("issue")
    known: dict[str, Any] = {
        "issue": _text(facts.get("problem_statement") if issue is None else issue),
        "patch": _text(facts.get("model_patch")),
        "instance_id": _name(facts.get("instance_id")),
        "execution": plain(facts.get("execution")),
        "group": group,
    }
    whole = plain(facts.get("trajectory"))
    if whole is not None:
        return Item(trajectory=whole, **known)
    if isinstance(prompt, str) and isinstance(completion, str) and CHATML in prompt:
        return Item(trajectory=prompt + completion, **known)
    return Item(messages=[*_messages(prompt, "user"), *_messages(completion, "assistant")], **known)


def row_of(columns: Mapping[str, Any], index: int, n_rows: int) -> dict[str, Any]:
    """The facts of one row, where a framework hands over whole columns."""
    row = {}
    for name in FACTS:
        column = plain(columns.get(name))
        if isinstance(column, list) and len(column) == n_rows:
            row[name] = column[index]
    return row


def group_of(prompt: Any) -> str:
    """A name for all that answer the same prompt."""
    text = json.dumps(plain(prompt), sort_keys=True, default=str)
    return "prompt-" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def plain(value: Any) -> Any:
    """The same value without NumPy's types, which parquet readers leave in rows, and without OmegaConf's,
    which Hydra leaves in settings."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray)):
        return [plain(entry) for entry in value]
    return value


def as_message(message: Any) -> dict[str, Any]:
    """A chat message of any kind (dict, pydantic model, flat tool calls) as OpenAI writes it."""
    if hasattr(message, "model_dump"):
        message = message.model_dump(mode="json", exclude_none=True)
    found = {key: message[key] for key in ("role", "content", "tool_call_id") if key in message}
    calls = message.get("tool_calls")
    if calls:
        found["tool_calls"] = [call if "function" in call else _wrapped(call) for call in calls]
    return found


def _wrapped(call: Mapping[str, Any]) -> dict[str, Any]:
    function = {"name": call.get("name"), "arguments": call.get("arguments")}
    return {"id": call.get("id"), "type": "function", "function": function}


def _messages(value: Any, role: str) -> list[dict[str, Any]]:
    value = plain(value)
    if value is None or value == "":
        return []
    if isinstance(value, str):
        return [{"role": role, "content": value}]
    listed: Sequence[Any] = value if isinstance(value, list) else [value]
    return [as_message(message) for message in listed]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _name(value: Any) -> str | None:
    return None if value is None else str(value)[:256]
