"""What one request comes to: who asked, what became of its items, its line in the log, its spans.

The log gets names of ours, codes and numbers; never text, never a header, never a name that the caller
gave an item: an item is its request and its index.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fastapi import Request

from app.api.caller import NOBODY, Caller
from app.errors import ItemError
from app.scorer import Outcome

if TYPE_CHECKING:  # an extra that need not be installed
    from app.api.traces import Trace

_LOG = logging.getLogger("swe_rm.request")
_QUIET = frozenset(
    {"/livez", "/readyz", "/health", "/v2/health/live", "/v2/health/ready", "/metrics"}
)
UNMATCHED = "unmatched"


@dataclass(slots=True)
class Account:
    """Times are of the monotonic clock; `taken_at` is when the items were let into the house, `wait_s`
    and `engine_s` are of the item that took longest."""

    request_id: str
    trace: Trace | None = None
    caller: Caller = NOBODY
    route: str = UNMATCHED
    code: str | None = None
    began_at: float = field(default_factory=time.monotonic)
    taken_at: float | None = None
    parse_s: float = 0.0
    wait_s: float = 0.0
    engine_s: float = 0.0
    scored: int = 0
    failed: int = 0
    retryable: int = 0
    prompt_tokens: int = 0
    computed_tokens: int = 0

    def parsed(self, received_at: float, parse_s: float) -> None:
        self.parse_s = parse_s
        if self.trace:
            self.trace.stage("parse", received_at, parse_s)

    def taken(self) -> None:
        self.taken_at = time.monotonic()

    def item(self, index: int, outcome: Outcome) -> None:
        """One finished item; a failed one has a line of its own in the log."""
        if isinstance(outcome, ItemError):
            self.failed += 1
            self.retryable += outcome.retryable
            facts = {"request_id": self.request_id, "index": index, "code": outcome.code}
            _LOG.info("item failed", extra=facts)
        else:
            self.scored += 1
            self.prompt_tokens += len(outcome.prepared.prompt.ids)
            self.computed_tokens += outcome.computed_tokens + outcome.step_tokens
            self.wait_s = max(self.wait_s, outcome.wait_s)
            self.engine_s = max(self.engine_s, outcome.engine_s)
        if self.trace and self.taken_at is not None:
            self.trace.item(index, outcome, self.taken_at)

    def close(self, method: str, status: int) -> float:
        """The seconds it took. Writes the line of the request; of a good probe only for who wants all."""
        seconds = time.monotonic() - self.began_at
        if self.trace:
            self.trace.end(self.route, method, status, self.code)
        quiet = self.route in _QUIET and status < 400
        level = logging.DEBUG if quiet else logging.INFO
        if _LOG.isEnabledFor(level):
            _LOG.log(level, "request", extra=self._facts(method, status, seconds))
        return seconds

    def _facts(self, method: str, status: int, seconds: float) -> dict[str, object]:
        facts: dict[str, object] = {
            "request_id": self.request_id,
            "route": self.route,
            "method": method,
            "status": status,
            "key_id": self.caller.key_id,
            "ms": _ms(seconds),
        }
        if self.code:
            facts["code"] = self.code
        if self.scored or self.failed:
            facts |= self._items()
        return facts

    def _items(self) -> dict[str, int | float]:
        return {
            "scored": self.scored,
            "failed": self.failed,
            "retryable": self.retryable,
            "prompt_tokens": self.prompt_tokens,
            "computed_tokens": self.computed_tokens,
            "parse_ms": _ms(self.parse_s),
            "wait_ms": _ms(self.wait_s),
            "engine_ms": _ms(self.engine_s),
        }


def account_of(request: Request) -> Account:
    account: Account = request.state.account
    return account


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
