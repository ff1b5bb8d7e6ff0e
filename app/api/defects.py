"""Exceptions that nobody foresaw: counted, and logged without a word of what the request said.

The message of such an exception may quote a trajectory, so the log gets its type and where it came up.
"""

from __future__ import annotations

import logging
import traceback

from app.api.house import House

_LOG = logging.getLogger("swe_rm.defect")
_INNERMOST_FRAMES = 6


def note(house: House, where: str, defect: BaseException, request_id: str = "-") -> None:
    """`where` is a route: it becomes the label of `swe_rm_defects_total`."""
    house.metrics.defects.labels(where).inc()
    _LOG.error("%s request=%s %s at %s", where, request_id, type(defect).__name__, _place(defect))


def _place(defect: BaseException) -> str:
    """file:line of the innermost frames, the place of the exception first."""
    frames = traceback.extract_tb(defect.__traceback__)[-_INNERMOST_FRAMES:]
    places = [f"{'/'.join(f.filename.split('/')[-2:])}:{f.lineno}" for f in reversed(frames)]
    return " < ".join(places) or "nowhere"
