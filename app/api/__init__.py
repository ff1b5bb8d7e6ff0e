"""HTTP around the corridor: routes, bodies, errors, counters. Knows no engine and no tokenizer.

house.py       what the routes are given          body.py, parse.py  bytes → values, bounded
job.py         request → outcomes                 present.py         facts → the wire, and metrics
score.py · rerank.py · operations.py  the routes  problems.py        errors → problem+json
feedback/      outcomes, quality, calibrations    access/, caller.py who asks, and may
orders.py      what is asked for → order, works
account.py     what a request comes to            logs.py, traces.py its lines and spans
defects.py     counted, logged
"""

from __future__ import annotations

import re
import uuid

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api import dialects, documents, operations, problems, rerank, score
from app.api.access.layer import AccessLayer
from app.api.account import Account
from app.api.feedback import calibrations, labels
from app.api.house import House
from app.api.job import CLIENT_GONE, ClientGone

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")


def create_app(house: House) -> FastAPI:
    """The application around an open house."""
    app = FastAPI(
        title="swe-rm-server",
        version=house.version,
        description="Reward server for software-engineering agents.",
        redirect_slashes=False,  # a redirect would name whatever host the caller named
    )
    app.state.house = house
    ours = (score.router, rerank.router, operations.router, labels.router, calibrations.router)
    for router in (*ours, *dialects.ROUTERS):
        app.include_router(router, responses=documents.REFUSALS)
    problems.install(app)
    app.add_exception_handler(ClientGone, _client_gone)
    app.add_exception_handler(ClientDisconnect, _client_gone)
    app.add_middleware(AccessLayer)
    app.add_middleware(_Accounts)  # the outer one: who is refused has a request id too
    return app


async def _client_gone(request: Request, _: Exception) -> Response:
    request.app.state.house.metrics.disconnects.inc()
    return Response(status_code=CLIENT_GONE)


class _Accounts:
    """Gives every request its id and account, and counts its answer. Plain ASGI, so that streams stay
    streams."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        house = scope["app"].state.house
        trace = house.traces.begin(scope["headers"], request_id) if house.traces else None
        account = Account(request_id, trace)
        scope.setdefault("state", {}).update(request_id=request_id, account=account)
        status = 500

        async def counting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
                if scope["app"].state.house.leaving:  # the next request is to go elsewhere
                    headers.append((b"connection", b"close"))
                message = {**message, "headers": headers}
            await send(message)

        try:
            await self._app(scope, receive, counting)
        finally:
            method, work = _method(scope), scope["state"].get("priority", "none")
            account.route = getattr(scope.get("route"), "path", account.route)
            seconds = account.close(method, status)
            house.metrics.requests.labels(account.route, method, str(status)).inc()
            house.metrics.request_s.labels(account.route, work).observe(seconds)


def _request_id(scope: Scope) -> str:
    """The caller's X-Request-Id where it is a plain one, else a new one."""
    for name, value in scope["headers"]:
        text: str = value.decode("latin-1")
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(text):
            return text
    return uuid.uuid4().hex


def _method(scope: Scope) -> str:
    method: str = scope["method"]
    return method if method in {"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"} else "other"
