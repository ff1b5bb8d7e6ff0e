"""Parsed values → requests and items of the contract, or an error that names the field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from app.errors import Invalid, InvalidRequest
from app.schema import Item
from app.schema.requests import Name

_Request = TypeVar("_Request", bound=BaseModel)
_TEXTS = ("trajectory", "messages", "prompt", "issue", "patch")
_MAX_PROBLEMS = 10
_MAX_PLACE_CHARS = 100
_NAME: TypeAdapter[str | None] = TypeAdapter(Name)


@dataclass(frozen=True, slots=True)
class Named:
    """How the sender calls an item and its group; None where there is no name that can be echoed.

    `document` is its text, None unless the operator wants texts kept.
    """

    id: str | None = None
    instance_id: str | None = None
    group: str | None = None
    group_size: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    document: str | None = None


def name_of(value: object) -> Named:
    """The names of an item, of an invalid one too; its tags are those of a valid one."""
    if not isinstance(value, dict):
        return Named()
    size = value.get("group_size")
    return Named(
        _echoable(value.get("id")),
        _echoable(value.get("instance_id")),
        _echoable(value.get("group")),
        size if type(size) is int and size > 0 else None,
        tags if isinstance(tags := value.get("tags"), dict) else {},
    )


def text_of(value: object) -> str | None:
    """The document of an item as JSON, where an operator wants texts kept."""
    if not isinstance(value, dict):
        return None
    return json.dumps({name: value[name] for name in _TEXTS if value.get(name) is not None})


def _echoable(name: object) -> str | None:
    try:
        return _NAME.validate_python(name, strict=True)
    except (ValidationError, UnicodeError):
        return None


def read_item(value: object) -> Item:
    """Raises `Invalid`, naming the field."""
    try:
        return Item.model_validate(value)
    except (ValidationError, UnicodeError) as cause:
        raise Invalid(problems(cause)[0]["message"]) from cause


def read_request(kind: type[_Request], value: object) -> _Request:
    """Raises `InvalidRequest` with the first problem; `param` names the field."""
    try:
        return kind.model_validate(value)
    except (ValidationError, UnicodeError) as cause:
        found = problems(cause)
        message = "; ".join(problem["message"] for problem in found)
        raise InvalidRequest(message, param=found[0]["param"]) from cause


def problems(cause: Exception) -> list[dict[str, str]]:
    """At most ten problems, each with the field and a sentence; never the value that was sent."""
    if not isinstance(cause, ValidationError):
        return [{"param": "", "message": "text holds characters that cannot be encoded"}]
    found = []
    for error in cause.errors(include_url=False, include_context=False, include_input=False):
        place = ".".join(map(str, error["loc"])).encode("ascii", "replace").decode()
        place = place[:_MAX_PLACE_CHARS]
        found.append({"param": place, "message": f"{place or 'item'}: {error['msg'][:200]}"})
        if len(found) == _MAX_PROBLEMS:
            break
    return found
