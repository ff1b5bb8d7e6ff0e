"""For Ray Serve's HTTP proxy: a replica that dies leaves an error behind that clients know how to mend.

Ray answers a request whose replica died with a bare 500. Here it is 503 `engine_restarting` with
Retry-After, which clients send again by themselves; what was finished lies in no memo, so it is
computed anew by another replica and has the same score_id. An answer that had begun just breaks off.
RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH=deploy.ray.proxy:middlewares installs it.
"""

from __future__ import annotations

import json
import random
from typing import Any

from starlette.middleware import Middleware

_DETAIL = "the replica that had this request is gone; send the request again"
_PROBLEM = {
    "type": "about:blank", "title": "Service Unavailable", "status": 503, "detail": _DETAIL,
    "instance": None, "code": "engine_restarting", "retryable": True,
    "error": {
        "message": _DETAIL, "type": "server_error", "param": None, "code": "engine_restarting",
    },
}  # fmt: skip


class AnswersForTheDead:
    """Plain ASGI. An application that ends without an answer, or raises before one, gets this one."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = gone = False

        async def watched() -> Any:
            nonlocal gone
            message = await receive()
            gone = gone or message["type"] == "http.disconnect"
            return message

        async def noted(message: Any) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, watched, noted)
        except Exception:
            if begun:
                raise
        if begun or gone:
            return
        body = json.dumps(_PROBLEM).encode()
        headers = [
            (b"content-type", b"application/problem+json"),
            (b"content-length", str(len(body)).encode()),
            (b"retry-after", str(random.randint(1, 3)).encode()),
            (b"x-should-retry", b"true"),
        ]
        await send({"type": "http.response.start", "status": 503, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def middlewares() -> list[Middleware]:
    """What Ray Serve's proxy asks for at its start."""
    return [Middleware(AnswersForTheDead)]
