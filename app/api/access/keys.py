"""The file of keys: a JSON line each, the secret never in it.

A secret holds 256 random bits and is made here, never chosen by anybody. So one SHA-256 of it is safe
at rest: nobody can guess through that many. A slow hash (scrypt) would protect words that people pick;
here it would only cost tens of milliseconds of every request, of refused ones too.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from app.api.caller import LOCAL_KEY, Caller, Scope
from app.types import Priority

SCOPES: tuple[Scope, ...] = get_args(Scope)
PREFIX = "swerm_"
_SECRET_BYTES = 32


class Key(BaseModel):
    """One line of the file. A revoked key keeps its line: its name owns scores and outcomes, so it
    is never given again."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    hash: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$", repr=False)]
    scopes: tuple[Scope, ...] = Field(min_length=1)
    created: AwareDatetime
    expires: AwareDatetime | None = None
    revoked: AwareDatetime | None = None
    quota_tokens_per_day: Annotated[int, Field(ge=1)] | None = None
    priority_ceiling: Priority = "interactive"
    unscored_reward: float | None = None

    @field_validator("name")
    @classmethod
    def _not_local(cls, name: str) -> str:
        if name == LOCAL_KEY:
            message = f"{LOCAL_KEY} is the name of callers without a key; choose another"
            raise ValueError(message)
        return name

    @property
    def caller(self) -> Caller:
        return Caller(
            self.name, frozenset(self.scopes), self.priority_ceiling, self.unscored_reward
        )

    def state(self, now: datetime) -> str:
        """`active`, `expired` or `revoked`."""
        if self.revoked:
            return "revoked"
        return "expired" if self.expires and self.expires <= now else "active"


def digest(secret: str) -> str:
    """What the file holds of a secret."""
    return "sha256:" + hashlib.sha256(secret.encode()).hexdigest()


def read_keys(file: Path) -> tuple[Key, ...]:
    """All keys of the file. Raises `OSError`, and `ValueError` naming the line, never quoting it."""
    found = []
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        if line.strip():
            found.append(_read(line, f"{file.name} line {number}"))
    for what in ("name", "hash"):
        if len({getattr(key, what) for key in found}) < len(found):
            message = f"{file.name}: two keys have the same {what}"
            raise ValueError(message)
    return tuple(found)


def make_key(file: Path, name: str, scopes: Sequence[str], **terms: Any) -> str:
    """Adds a key to the file, which is made if it is missing; the secret, which is nowhere else.

    `terms` are the other fields of `Key`. Raises `OSError`, and `ValueError` for a bad or known name.
    """
    secret = PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    now = datetime.now(UTC)
    fields = {"name": name, "hash": digest(secret), "scopes": scopes, "created": now} | terms
    key = _valid(fields, "the key")
    if key.expires and key.expires <= now:
        message = "expires: lies in the past"
        raise ValueError(message)
    with _alone(file):
        known = read_keys(file) if file.exists() else ()
        if name in {each.name for each in known}:
            message = f"there is a key {name} already; a name is given once, for it owns scores"
            raise ValueError(message)
        _write(file, [*known, key])
    return secret


def revoke_key(file: Path, name: str) -> None:
    """Raises `OSError`, and `ValueError` for an unknown name."""
    with _alone(file):
        known = read_keys(file)
        if name not in {each.name for each in known}:
            message = f"there is no key {name}; `swe-rm keys list` shows all"
            raise ValueError(message)
        at = {"revoked": datetime.now(UTC)}
        _write(
            file,
            [k.model_copy(update=at) if k.name == name and not k.revoked else k for k in known],
        )


def _read(line: str, place: str) -> Key:
    try:
        return Key.model_validate_json(line)
    except ValidationError as cause:
        raise ValueError(_said(cause, place)) from None


def _valid(fields: Mapping[str, Any], place: str) -> Key:
    try:
        return Key.model_validate(fields)
    except ValidationError as cause:
        raise ValueError(_said(cause, place)) from None


def _said(cause: ValidationError, place: str) -> str:
    """The first problem, without the value: somebody may have put a secret there."""
    first = cause.errors(include_url=False, include_context=False, include_input=False)[0]
    field = ".".join(map(str, first["loc"])) or "line"
    return f"{place}: {field}: {first['msg'].removeprefix('Value error, ')}"


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """One writer at a time, by a lock on the folder."""
    file.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _write(file: Path, keys: Iterable[Key]) -> None:
    """The whole file anew, for its owner only, in one step: a server never reads half of it."""
    lines = [key.model_dump_json(exclude_none=True) for key in keys]
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # mode 0600
    fresh = Path(name)
    try:
        with os.fdopen(handle, "w") as out:
            out.write("\n".join(lines) + "\n")
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(file)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
