"""The log: one JSON object a line on stderr, ours and the libraries' alike.

Only the facts named here get into a line, whatever a caller of `logging` passes. Of an exception the log
has its type and where it came up: its message may quote a trajectory. Of a library's message it has the
first line.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, Literal, TextIO

import structlog

FACTS = (
    "request_id", "route", "method", "status", "key_id", "ms", "code", "index", "scored", "failed",
    "retryable", "prompt_tokens", "computed_tokens", "parse_ms", "wait_ms", "engine_ms",
)  # fmt: skip
OURS = "swe_rm"
_FRAMES = 6
_FOREIGN_CHARS = 300


@contextmanager
def configured(
    level: str, kind: Literal["json", "console"] | None = None, stream: TextIO | None = None
) -> Iterator[bool]:
    """Takes the root logger over for a while. `kind` None: for people where `stream` is a terminal,
    else JSON. Gives True when it is for people.
    """
    stream = stream or sys.stderr
    people = kind == "console" or (kind is None and stream.isatty())
    last: Any = (
        structlog.dev.ConsoleRenderer(colors=stream.isatty())
        if people
        else structlog.processors.JSONRenderer()
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(allow=FACTS),
                _wordless,
            ],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    root = logging.getLogger()
    before = root.handlers[:], root.level
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    try:
        yield people
    finally:
        root.handlers[:] = before[0]
        root.setLevel(before[1])


def _wordless(
    logger: Any, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Takes out what may quote a request."""
    event.pop("stack_info", None)
    if found := event.pop("exc_info", None):
        kind, _, trace = found if isinstance(found, tuple) else sys.exc_info()
        event["exception"] = kind.__name__ if kind else "unknown"
        frames = traceback.extract_tb(trace)[-_FRAMES:]
        event["at"] = [f"{'/'.join(f.filename.split('/')[-2:])}:{f.lineno}" for f in frames]
    if event["logger"].partition(".")[0] != OURS:
        event["event"] = str(event["event"]).strip().partition("\n")[0][:_FOREIGN_CHARS]
    return event
