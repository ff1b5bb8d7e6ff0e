"""HTTP without a client: requests as data, and what a status, headers and body mean.

A `Call` is a whole method call as data: exchanges with the server, and how their results are read
together. An exchange is a generator that yields what to do next (send a `Request`, keep a `Pause`)
and is given the answer; so the sync and the async client differ only in how they send and wait.
"""

from __future__ import annotations

import gzip
import inspect
import math
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

import httpx

from . import clock
from .errors import RETRYABLE_STATUSES, Problem, ProtocolError, SweRmError, UsageError, server_error
from .fields import Fields, parse_json
from .retries import Terms, seconds
from .transports import CONNECT_TIMEOUT_S, ENDS_AT, SILENCE
from .version import __version__

GRACE_S = 60.0  # beyond the server's own deadline, for the journey of a large body and its answer
MAX_DETAIL_CHARS = 2000
GZIP_FROM_BYTES = 16 * 1024
GZIP_LEVEL = 1  # text of trajectories: a quarter of the size, at 100 MB/s and more
NDJSON = "application/x-ndjson"
STREAM_SILENCE_S = 120.0  # a stream says something every 15 s; silence means that it is dead

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `wait_s`: how long it may take in all; None: the client's `timeout_s`."""

    method: str
    path: str
    body: bytes | None = None
    wait_s: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return f"{self.method} {self.path}"

    def for_httpx(self, default_wait_s: float) -> dict[str, Any]:
        """Arguments of `httpx.Client.request`. A body of 16 kB or more travels as gzip."""
        wait_s = default_wait_s if self.wait_s is None else self.wait_s
        headers, body = dict(self.headers), self.body
        if body is not None:
            headers["Content-Type"] = "application/json"
            if len(body) >= GZIP_FROM_BYTES:
                headers["Content-Encoding"] = "gzip"
                body = gzip.compress(body, GZIP_LEVEL, mtime=0)
        extensions = {ENDS_AT: clock.now_s() + wait_s}
        if headers.get("Accept") == NDJSON:
            extensions[SILENCE] = STREAM_SILENCE_S
        return {
            "method": self.method,
            "url": self.path,
            "content": body,
            "headers": headers,
            "extensions": extensions,
            "timeout": httpx.Timeout(wait_s, connect=min(wait_s, CONNECT_TIMEOUT_S)),
        }


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait so many seconds before going on."""

    seconds: float


Step: TypeAlias = Request | Pause
Exchange: TypeAlias = Generator[Step, Fields | None, T]


@dataclass(frozen=True, slots=True)
class Call(Generic[R]):
    """`start` begins the exchanges; `read` takes their results in the same order."""

    start: Callable[[Terms], Sequence[Exchange[Any]]]
    read: Callable[[Sequence[Any]], R]


class Running(Generic[T]):
    """An exchange under way. `step` is what to do next; None: it is over, see `result`.

    Whatever the exchange raises passes through `advance` and `fail`.
    """

    def __init__(self, exchange: Exchange[T]) -> None:
        self._exchange = exchange
        self.step: Step | None = None
        self.advance(None)

    def advance(self, answer: Fields | None) -> None:
        """Hands in the answer to a request, None after a pause."""
        self._go_on(lambda: self._exchange.send(answer))

    def fail(self, error: SweRmError) -> None:
        """The step failed; the exchange decides what that means."""
        self._go_on(lambda: self._exchange.throw(error))

    def _go_on(self, resume: Callable[[], Step]) -> None:
        try:
            self.step = resume()
        except StopIteration as end:
            self.step = None
            self.result: T = end.value


def ask(request: Request) -> Exchange[Fields]:
    """The exchange that sends one request and is its answer."""
    answer = yield request
    assert answer is not None
    return answer


def one_request(request: Request, read: Callable[[Fields], R]) -> Call[R]:
    """The call that is a single request."""
    return Call(lambda terms: (ask(request),), lambda answers: read(answers[0]))


def wait_s(timeout_s: float | None, wait_s: float | None) -> float | None:
    """How long a request may take that gives the server `timeout_s`. Raises `UsageError`."""
    if wait_s is not None:
        return check_seconds(wait_s, "wait_s")
    return None if timeout_s is None else check_seconds(timeout_s, "timeout_s") + GRACE_S


def server_share_s(wait_s: float) -> float:
    """What the server may have of `wait_s`, so that its answer still arrives in time."""
    return wait_s - min(GRACE_S, wait_s / 10)


def check_seconds(value: float, name: str) -> float:
    """Raises `UsageError` unless it is a positive, finite number of seconds."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value <= 0:
        message = f"{name} must be a positive number of seconds, not {value!r}"
        raise UsageError(message)
    return float(value)


def headers(api_key: str | None) -> dict[str, str]:
    """Headers of every request. A key that no header can carry is a `UsageError`, never shown."""
    common = {"User-Agent": f"swe-rm-client/{__version__}", "Accept": "application/json"}
    if api_key is None:
        return common
    if not api_key or not all("!" <= char <= "~" for char in api_key):
        message = "api_key must be printable ASCII without spaces; for no key pass None"
        raise UsageError(message)
    return {**common, "Authorization": f"Bearer {api_key}"}


def read_answer(response: httpx.Response, label: str) -> Fields:
    """The JSON object of a 200. Raises `ServerError` for a refusal, `ProtocolError` otherwise."""
    check_status(response, label)
    return Fields(parse_json(response.content), label)


def check_status(response: httpx.Response, label: str) -> None:
    """Raises unless it is a 200; the body of any other answer must have been read."""
    if response.status_code >= 400:
        raise server_error(_problem(response))
    if response.status_code != 200:
        message = f"{label} answered {response.status_code}, which is neither 200 nor an error"
        raise ProtocolError(message)


def _problem(response: httpx.Response) -> Problem:
    """Reads a problem document. Anything else (a proxy's page) keeps its status and has no code."""
    body: Mapping[str, Any] = {}
    with suppress(ProtocolError):
        body = Fields(parse_json(response.content), "problem").raw
    status, code, detail = response.status_code, body.get("code"), body.get("detail")
    retryable = body.get("retryable")
    if not isinstance(retryable, bool):
        asked = response.headers.get("x-should-retry")
        retryable = asked == "true" if asked else status in RETRYABLE_STATUSES
    stranger = "answered without a problem document; is this the address of a swe-rm-server?"
    return Problem(
        status=status,
        code=code if isinstance(code, str) else None,
        detail=detail[:MAX_DETAIL_CHARS] if isinstance(detail, str) else stranger,
        retryable=retryable,
        retry_after_s=seconds(response.headers.get("Retry-After")),
        request_id=response.headers.get("X-Request-Id"),
    )


def dress(method: Callable[..., Any], build: Callable[..., Any]) -> None:
    """Gives a client's method the name, docstring and parameters of the builder behind it."""
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    theirs = inspect.signature(build).parameters.values()
    described: Any = method
    described.__name__ = described.__qualname__ = build.__name__
    described.__doc__ = build.__doc__
    described.__signature__ = inspect.Signature([own, *theirs])
