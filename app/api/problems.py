"""Errors → `application/problem+json`, small and without a trace of the request's text.

One document serves RFC 9457 readers, the OpenAI SDK (`error.message`) and Jina clients (`detail`).
"""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import Match

from app.api import defects
from app.api.account import account_of
from app.errors import (
    Internal,
    InvalidRequest,
    ItemError,
    MethodNotAllowed,
    NotFound,
    RequestError,
    ServiceError,
)

_DETAIL_CHARS = 1000


def install(app: FastAPI) -> None:
    """Every error of every route leaves through here."""
    app.add_exception_handler(ServiceError, _service_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _defect)


def item_error(error: ItemError) -> dict[str, Any]:
    """A failed item's `error`, inside a 200."""
    return {
        "code": error.code,
        "message": error.message[:_DETAIL_CHARS],
        "retryable": error.retryable,
        "retry_after_s": error.retry_after_s,
        "limits": error.limits or None,
    }


def problem(error: ServiceError, request_id: str) -> Response:
    """The whole answer of a refused request."""
    headers = {}
    wait_s = max(1, math.ceil(error.retry_after_s or 1))
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers = {"Retry-After": str(min(60, wait_s)), "x-should-retry": "true"}
    if error.status == HTTPStatus.TOO_MANY_REQUESTS:
        headers = {"Retry-After": str(wait_s)}
    detail = error.message[:_DETAIL_CHARS].encode("utf-8", "replace").decode()
    document = {
        "type": f"urn:swe-rm:error:{error.code}",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "detail": detail,
        "instance": f"/requests/{request_id}",
        "code": error.code,
        "retryable": error.retryable,
        "limits": error.limits or None,
        "error": {
            "message": detail,
            "type": f"{error.code}_error",
            "param": error.param,
            "code": error.code,
        },
    }
    return JSONResponse(document, error.status, headers, media_type="application/problem+json")


def _answer(request: Request, error: ServiceError) -> Response:
    account_of(request).code = error.code
    if isinstance(error, RequestError):
        request.app.state.house.metrics.refusals.labels(error.code).inc()
    return problem(error, request.state.request_id)


async def _service_error(request: Request, error: Exception) -> Response:
    known = error if isinstance(error, ServiceError) else Internal("internal error")
    return _answer(request, known)


async def _http_error(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 500)
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        answer = _answer(request, MethodNotAllowed("this route does not take that method"))
        answer.headers["Allow"] = _allowed(request)
        return answer
    if status == HTTPStatus.NOT_FOUND:
        return _answer(request, NotFound("no such route; GET /info lists what there is"))
    return _answer(request, InvalidRequest("the request could not be read"))


def _allowed(request: Request) -> str:
    """The methods of every route of this path."""
    found: set[str] = set()
    for route in request.app.routes:
        if route.matches(request.scope)[0] is not Match.NONE:
            found |= getattr(route, "methods", None) or set()
    return ", ".join(sorted(found))


async def _invalid(request: Request, _: Exception) -> Response:
    return _answer(request, InvalidRequest("the request is not what this route takes"))


async def _defect(request: Request, error: Exception) -> Response:
    route = getattr(request.scope.get("route"), "path", "unmatched")
    defects.note(request.app.state.house, route, error, request.state.request_id)
    message = "internal error; the server's log has the request id"
    answer = _answer(request, Internal(message))
    # Starlette answers this one outside of every middleware, the one that names requests too.
    answer.headers["x-request-id"] = request.state.request_id
    return answer
