"""Everything that this client raises, as one tree. No branch of it carries a number to score with.

    SweRmError                     catch this one to catch them all
    ├── UsageError                 a wrong argument, found before sending (a ValueError too)
    ├── TransportError             no answer of the contract arrived
    │   ├── ConnectionFailed       could not connect, or the connection broke          retryable
    │   ├── TimedOut               the client's own clock ran out                      retryable
    │   └── ProtocolError          an answer came, but not one that API.md allows
    ├── ServerError                the server refused the whole request
    │   ├── BadRequest             400, 405, 415, 422 and any other 4xx
    │   ├── Unauthorized           401
    │   ├── Forbidden              403
    │   ├── NotFound               404  route, model or calibration
    │   ├── Conflict               409
    │   ├── TooLarge               413
    │   ├── QuotaExceeded          429  a key's own quota; see retry_after_s           retryable
    │   ├── Unavailable            502, 503  draining or restarting; see retry_after_s retryable
    │   │   └── Overloaded         503  code `overloaded`: refused at the door         retryable
    │   ├── DeadlineExceeded       504                                                 retryable
    │   └── InternalServerError    any other 5xx
    └── ItemFailed                 one item of an answered request was not scored

`retryable` above is the default; what the server says in its answer wins. Every error can be
pickled, so that it crosses process borders (Ray, multiprocessing) whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


class SweRmError(Exception):
    """Root of the tree. `retryable`: the same call may succeed later, unchanged.

    `retry_after_s` is the wait in seconds that the server asked for; None when it named none.
    """

    retryable: bool = False
    retry_after_s: float | None = None


class UsageError(SweRmError, ValueError):
    """A wrong argument, found before anything was sent."""


class TransportError(SweRmError):
    """No answer of the contract arrived. Whether the server did the work is unknown."""


class ConnectionFailed(TransportError):
    """The server was not reached, or the connection broke. Scoring again is harmless."""

    retryable = True


class TimedOut(TransportError):
    """The client waited `timeout_s` (or 10 s for a connection) in vain. Finished verdicts stay in
    the server's memo, so asking again costs less."""

    retryable = True


class ProtocolError(TransportError):
    """An answer that API.md does not allow: no JSON, NaN, a probability outside [0, 1], a result
    too few or too many, … Nothing of such an answer is used."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What the server said when it refused a request. `code` is None when something in between (a
    proxy, another server) answered without a problem document."""

    status: int
    code: str | None
    detail: str
    retryable: bool
    retry_after_s: float | None = None
    request_id: str | None = None


class ServerError(SweRmError):
    """The server refused the whole request. Decide by `code`; `detail` is for people."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem
        self.status = problem.status
        self.code = problem.code
        self.detail = problem.detail
        self.request_id = problem.request_id
        self.retryable = problem.retryable
        self.retry_after_s = problem.retry_after_s

    def __str__(self) -> str:
        return f"{self.status} {self.code or '(no code)'}: {self.detail}"


class BadRequest(ServerError):
    """The request is not what the route takes."""


class Unauthorized(ServerError):
    """No key, or one that the server does not know."""


class Forbidden(ServerError):
    """The key lacks the scope."""


class NotFound(ServerError):
    """No such route, model or calibration."""


class Conflict(ServerError):
    """The server's state does not allow it: `revision_unavailable`, `generation_conflict`, …"""


class TooLarge(ServerError):
    """`body_too_large` or `too_many_items`. Sending it again never helps."""


class QuotaExceeded(ServerError):
    """The key's own quota is spent."""


class Unavailable(ServerError):
    """The server takes no work just now: `draining`, `engine_restarting`, or a proxy's 502."""


class Overloaded(Unavailable):
    """Refused at the door, before any work: it could not have finished in time."""


class DeadlineExceeded(ServerError):
    """Not finished in time (a proxy's 504; the server itself reports `deadline` item by item)."""


class InternalServerError(ServerError):
    """A defect of the server."""


@dataclass(frozen=True, slots=True)
class ItemProblem:
    """Why one item was not scored. `limits` holds the numbers that the message speaks of, such as
    `measured` and `allowed` tokens of `too_long`."""

    code: str
    message: str
    retryable: bool
    retry_after_s: float | None = None
    limits: Mapping[str, object] = field(default_factory=dict)


class ItemFailed(SweRmError):
    """An item's score was asked for, and it has none. `index` is the item's place in the call."""

    def __init__(self, index: int, item_id: str | None, error: ItemProblem) -> None:
        super().__init__(index, item_id, error)
        self.index = index
        self.item_id = item_id
        self.error = error
        self.code = error.code
        self.retryable = error.retryable
        self.retry_after_s = error.retry_after_s

    def __str__(self) -> str:
        name = f"item {self.index}" + (f" ({self.item_id})" if self.item_id else "")
        return f"{name} was not scored: {self.code}: {self.error.message}"


_BY_STATUS: Mapping[int, type[ServerError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    429: QuotaExceeded,
    502: Unavailable,
    503: Unavailable,
    504: DeadlineExceeded,
}
RESENT_STATUSES = frozenset({502, 503, 504})  # by the transport, which never repeats a 4xx
RETRYABLE_STATUSES = RESENT_STATUSES | {429}  # by the caller, later


def server_error(problem: Problem) -> ServerError:
    """The leaf for a refusal: by its code where one has a class of its own, else by its status."""
    if problem.code == "overloaded":
        return Overloaded(problem)
    fallback = InternalServerError if problem.status >= 500 else BadRequest
    return _BY_STATUS.get(problem.status, fallback)(problem)
