"""The keys as the file has them, and what each has used of its day."""

from __future__ import annotations

import hmac
import logging
import math
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from app.api.access.keys import Key, digest, read_keys
from app.api.caller import Caller, local_caller
from app.errors import QuotaSpent, Unauthenticated

_LOG = logging.getLogger("swe_rm.access")
LOOK_EVERY_S = 1.0
_DAY_S = 86_400
_MOST_SECRET_CHARS = 256


class Access(Protocol):
    """Who comes in, and what it may cost."""

    def enter(self, secret: str | None) -> Caller:
        """The caller who holds the secret. Raises `Unauthenticated`."""

    def check_quota(self, caller: Caller) -> None:
        """Raises `QuotaSpent` when the tokens of the day are used up."""

    def bill(self, key_id: str, tokens: int) -> None:
        """Tokens that the engine computed for a key."""


class NoKeys:
    """Everybody who reaches the server may score; pre-rendered prompts only if the operator says so."""

    def __init__(self, *, trust_prompts: bool = False) -> None:
        self._caller = local_caller(trusts_prompts=trust_prompts)

    def enter(self, secret: str | None) -> Caller:
        return self._caller

    def check_quota(self, caller: Caller) -> None:
        return

    def bill(self, key_id: str, tokens: int) -> None:
        return


class Keyring:
    """Looks at the file at most once in `LOOK_EVERY_S`, when somebody asks: a key that is revoked is
    out with the first request after that. A file that cannot be read leaves the last good keys.

    Quotas count the tokens computed since midnight UTC, in this process only: a restart begins anew.
    A request that is in the house when the quota ends is finished. Raises, when made, what `read_keys`
    raises.
    """

    def __init__(
        self,
        file: Path,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._file = file
        self._clock = clock
        self._ticks = ticks
        self._seen = _stamp(file)
        self._looked_at = ticks()
        self._keys = read_keys(file)
        self._used_tokens: dict[str, int] = {}
        self._day = self._today()

    @property
    def keys(self) -> tuple[Key, ...]:
        return self._keys

    def enter(self, secret: str | None) -> Caller:
        self._look()
        if secret is None:
            message = "a key is needed: one Authorization header, Bearer KEY, or Basic with it as password"
            raise Unauthenticated(message)
        key = self._holder(secret)
        now = datetime.fromtimestamp(self._clock(), UTC)
        if key is None or key.state(now) != "active":
            why = f"the key {key.name} is {key.state(now)}" if key else "no such key"
            raise Unauthenticated(why)
        return key.caller

    def check_quota(self, caller: Caller) -> None:
        allowed = next(
            (k.quota_tokens_per_day for k in self._keys if k.name == caller.key_id), None
        )
        used = self._used().get(caller.key_id, 0)
        if allowed is None or used < allowed:
            return
        message = (
            f"the key {caller.key_id} has used its {allowed} tokens of the day; "
            "the next day begins at midnight UTC"
        )
        rest_s = math.ceil((self._day + 1) * _DAY_S - self._clock())
        limits = {"measured": used, "allowed": allowed}
        raise QuotaSpent(message, limits=limits, retry_after_s=max(1, rest_s))

    def bill(self, key_id: str, tokens: int) -> None:
        used = self._used()
        used[key_id] = used.get(key_id, 0) + tokens

    def _holder(self, secret: str) -> Key | None:
        """Compares with every key, each in constant time, whether one fits or not."""
        theirs = digest(secret[:_MOST_SECRET_CHARS])
        fits = [key for key in self._keys if hmac.compare_digest(theirs, key.hash)]
        return fits[0] if fits else None

    def _used(self) -> dict[str, int]:
        if self._today() != self._day:
            self._day, self._used_tokens = self._today(), {}
        return self._used_tokens

    def _today(self) -> int:
        return int(self._clock() // _DAY_S)

    def _look(self) -> None:
        if self._ticks() - self._looked_at < LOOK_EVERY_S:
            return
        self._looked_at = self._ticks()
        stamp = _stamp(self._file)
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            self._keys = read_keys(self._file)
        except (OSError, ValueError) as cause:
            why = cause.strerror if isinstance(cause, OSError) else cause
            _LOG.error("keys not read again, the last good ones hold: %s", why)
            return
        _LOG.info("keys read again: %d", len(self._keys))


def _stamp(file: Path) -> tuple[int, int, int] | None:
    """Changes when the file does; None while there is none."""
    try:
        found = os.stat(file)  # noqa: PTH116
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
