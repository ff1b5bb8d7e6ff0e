"""A server that fails as it is told, for the checks of foreign clients. Runs in the main `.venv`.

usage: python tests/clients/run_house.py PORT

`PUT /_plan` with {"overloaded": n, "retry_after_s": s, "dead": n, "fault": name}: the next `overloaded`
scoring requests find the waiting limits full, the next `dead` ones a dead engine. `GET /_wire` tells
the scoring requests since that plan. All refusals are the house's own; nothing here answers for it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvicorn

sys.path.insert(0, str(Path(__file__).parents[1]))
from houses import Built, build

from app.api import create_app


class Planned:
    """The app, with a plan in front of it."""

    def __init__(self, built: Built) -> None:
        self.built = built
        self.app = create_app(built.house)
        self.limits = built.house.scorer.admission.limits
        self.own_wait = built.house.scorer.admission.retry_after_s
        self.plan: dict[str, Any] = {}
        self.wire: list[dict[str, Any]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path")
        if path == "/_plan":
            self.plan, self.wire = json.loads(await _read(receive)), []
            await _answer(send, {})
        elif path == "/_wire":
            await _answer(send, self.wire)
        elif scope["type"] == "http" and scope["method"] == "POST" and path != "/seed_session":
            await self._planned(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _planned(self, scope: Any, receive: Any, send: Any) -> None:
        admission, engine = self.built.house.scorer.admission, self.built.engine
        full = self._next("overloaded")
        admission.limits = replace(self.limits, waiting_items=0) if full else self.limits
        wait_s = self.plan.get("retry_after_s")
        own: Any = admission
        own.retry_after_s = (lambda *_: wait_s) if wait_s else self.own_wait
        engine.dead = self._next("dead")
        engine.fault = self.plan.get("fault")
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        seen = {
            "path": scope["path"],
            "at": time.monotonic(),
            "port": scope["client"][1],
            "authorization": headers.get("authorization"),
        }
        self.wire.append(seen)

        async def tell(message: Any) -> None:
            if message["type"] == "http.response.start":
                seen["status"] = message["status"]
            await send(message)

        await self.app(scope, receive, tell)

    def _next(self, what: str) -> bool:
        left = self.plan.get(what, 0)
        self.plan[what] = max(0, left - 1)
        return left > 0


async def _read(receive: Any) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


async def _answer(send: Any, value: Any) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(value).encode()})


async def _main(port: int) -> None:
    built = build()
    config = uvicorn.Config(
        Planned(built), port=port, http="httptools", log_level="critical", lifespan="off",
        timeout_graceful_shutdown=1, timeout_keep_alive=75,
    )  # fmt: skip
    try:
        await uvicorn.Server(config).serve()
    finally:
        built.house.close()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
