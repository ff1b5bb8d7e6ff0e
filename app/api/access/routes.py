"""Which path needs which scope. What stands in no table is not here: 404, and only for a caller who is.

Decided on the very path that the router takes (`scope["path"]`, percent-decoded once by the server) and
by equality, so there is nothing to normalise and nothing that two readers could read in two ways. The
Host header, the query and the method's case have no part in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.api.caller import Scope


@dataclass(frozen=True, slots=True)
class Door:
    """One of `scopes` opens it; with none, any key does. `computes`: it makes the engine work, so a
    spent quota shuts it. `path` is the label of the route before the router has seen it."""

    path: str
    scopes: tuple[Scope, ...] = ()
    computes: bool = False


PUBLIC = frozenset(
    {"/", "/livez", "/readyz", "/health", "/v2/health/live", "/v2/health/ready"},
)  # status only
# The inspector's pages and assets: no data, no secret; what they ask for needs a key.
_SHELLS = re.compile(r"/ui(/(compare|quality|queue|static/[a-z_-]+\.(js|css|svg)))?")
_SCORING = (
    "/score", "/rerank", "/v1/rerank", "/v2/rerank", "/get_reward", "/rm", "/classify", "/verify",
    "/v1/chat/completions",
)  # fmt: skip
_ANY_KEY = (
    "/info", "/version", "/v1/models", "/docs", "/docs/oauth2-redirect", "/redoc", "/openapi.json",
    "/seed_session",
)  # fmt: skip
_READING = "/calibrations"  # to look is for who reports outcomes, to change for admins
_DOORS = (
    *(Door(path, ("score",), computes=True) for path in _SCORING),
    *(Door(path) for path in _ANY_KEY),
    Door("/tokenize", ("score",)),
    Door("/rewards", ("score",)),
    Door("/receipts/verify", ("score", "outcomes")),
    Door("/outcomes", ("outcomes",)),
    Door("/quality", ("outcomes", "metrics", "admin")),
    Door("/calibrations/active", ("admin",)),
    Door("/metrics", ("metrics",)),
    Door("/load", ("score", "metrics")),
)
_EXACT = {door.path: door for door in _DOORS}
# Everything below these; the label is as long as the prefix, whatever is asked for.
_BELOW = {
    "/scores/": Door("/scores/{score_id}", ("score", "outcomes")),
}
_SEEING = Door(_READING, ("outcomes", "metrics", "admin"))
_FITTING = Door(_READING, ("admin",))


def is_public(path: str) -> bool:
    """Whether strangers may have it."""
    return path in PUBLIC or _SHELLS.fullmatch(path) is not None


def door_of(path: str, method: str) -> Door | None:
    """None for a path that no table knows."""
    if path == _READING:
        return _SEEING if method in ("GET", "HEAD") else _FITTING
    below = (door for prefix, door in _BELOW.items() if path.startswith(prefix))
    return _EXACT.get(path) or next(below, None)
