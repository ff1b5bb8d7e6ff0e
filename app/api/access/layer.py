"""The door: who is nobody gets 401, who may not gets 403, whose day is used up gets 429.

Plain ASGI, before the router and before any byte of a body is read. Everything is shut unless a table
says otherwise. There are no CORS headers: no page of another site may read an answer, and none may
write either, for browsers say where a request comes from.
"""

from __future__ import annotations

import base64
import binascii
from http import HTTPStatus

from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.access.keyring import Access
from app.api.access.routes import door_of, is_public
from app.api.account import Account
from app.api.caller import Caller
from app.api.problems import problem
from app.errors import Forbidden, NotFound, ServiceError

_READS = ("GET", "HEAD", "OPTIONS")
_POLICY_VIOLATION = 1008
CHALLENGES = (b'Bearer realm="swe-rm"', b'Basic realm="swe-rm", charset="UTF-8"')


class AccessLayer:
    """Sets `account.caller`. Stands inside of what makes the account."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
            return
        if scope["type"] != "http" or is_public(scope["path"]):
            await self._app(scope, receive, send)
            return
        house = scope["app"].state.house
        account: Account = scope["state"]["account"]
        try:
            account.caller = _admit(scope, house.access, account)
        except ServiceError as error:
            account.code = error.code
            house.metrics.refusals.labels(error.code).inc()
            answer = problem(error, account.request_id)
            if error.status == HTTPStatus.UNAUTHORIZED:
                answer.raw_headers.extend((b"www-authenticate", each) for each in CHALLENGES)
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _admit(scope: Scope, access: Access, account: Account) -> Caller:
    """Raises `Unauthenticated`, `Forbidden`, `NotFound`, `QuotaSpent`."""
    door = door_of(scope["path"], scope["method"])
    if door:
        account.route = door.path
    caller = access.enter(_secret(scope))
    _refuse_other_sites(scope)
    if door is None:
        message = "no such route; GET /info lists what there is"
        raise NotFound(message)
    if door.scopes and not caller.scopes.intersection(door.scopes):
        needed = " or ".join(door.scopes)
        message = f"{door.path} needs the scope {needed}, which the key {caller.key_id} lacks"
        raise Forbidden(message)
    if door.computes:
        access.check_quota(caller)
    return caller


def _refuse_other_sites(scope: Scope) -> None:
    """A browser sends what it knows of us along wherever a page tells it to; it also says so."""
    if scope["method"] not in _READS and (b"sec-fetch-site", b"cross-site") in scope["headers"]:
        message = "a page of another site may not write here"
        raise Forbidden(message)


def _secret(scope: Scope) -> str | None:
    """Of Bearer the token, of Basic the password; None for anything else."""
    given: list[bytes] = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(given) != 1:
        return None
    scheme, _, rest = given[0].strip().partition(b" ")
    token = rest.strip()
    if scheme.lower() == b"bearer":
        return token.decode("latin-1") or None
    if scheme.lower() != b"basic":
        return None
    try:
        pair = base64.b64decode(token, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return pair.partition(":")[2] or None
