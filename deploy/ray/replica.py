"""One replica: the house that `swe-rm serve` opens, behind Ray Serve's proxy in place of a socket."""

from __future__ import annotations

import logging
import time
from contextlib import AsyncExitStack
from typing import Any

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from ray import serve

from app.api import create_app, logs
from app.api.house import House
from app.cli.build import open_house
from app.config import Settings
from app.web import with_inspector

_BYTES_A_TOKEN = 6.0  # of bodies that are being read
_UNKNOWN_PACE = 10_000.0


class Replica:
    """Ray calls these methods: health every some seconds, stats for router and autoscaler, `__del__`
    when all requests have their answer or `graceful_shutdown_timeout_s` is over."""

    async def __init__(self, settings: Settings) -> None:
        self._stack = AsyncExitStack()
        self._lost = False
        self._stack.enter_context(
            logs.configured(settings.log_level, settings.log_format or "json")
        )
        say = logging.getLogger("swe_rm.serve").info
        opening = open_house(settings, CollectorRegistry(), say, self._engine_lost)
        self._house: House = await self._stack.enter_async_context(opening)
        self._name = serve.get_replica_context().replica_id.unique_id

    def __serve_build_asgi_app__(self) -> Any:
        return _Named(with_inspector(create_app(self._house)), self._name)

    async def check_health(self) -> None:
        """Raises when the engine is lost for good: then Ray starts another replica."""
        if self._lost:
            message = "the engine was replaced too often"
            raise RuntimeError(message)

    async def record_routing_stats(self) -> dict[str, Any]:
        """For loads.py. What is being read is no backlog of the door yet, and is work all the same."""
        pace = self._house.scorer.admission.pace.tokens_per_s or _UNKNOWN_PACE
        reading_s = self._house.bodies.held_bytes / _BYTES_A_TOKEN / pace
        backlog = {
            name: wait_s + reading_s for name, wait_s in self._house.scorer.backlog_s().items()
        }
        return {"at": time.time(), "backlog_s": backlog, "tokens_per_s": pace}

    async def record_autoscaling_stats(self) -> dict[str, float]:
        return {"backlog_s": self._house.scorer.backlog_s()["rollout"]}

    async def __del__(self) -> None:
        if stack := getattr(self, "_stack", None):
            await stack.aclose()

    def _engine_lost(self) -> None:
        self._lost = True


class _Named:
    """Says in every answer which replica gave it."""

    def __init__(self, app: FastAPI, name: str) -> None:
        self._app = app
        self._header = (b"x-swe-rm-replica", name.encode())

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def named(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), self._header]}
            await send(message)

        await self._app(scope, receive, named)
