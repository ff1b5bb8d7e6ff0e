"""The application for Ray Serve: `serve run deploy.ray.app:build replicas=2 …`, or serve.yaml.

Arguments: `replicas` (1), `max_replicas` (as many), `gpus` of one replica (0; a model on several GPUs
of one node: as many as `tensor_parallel`), `target_backlog_s` (120); every other one is a setting of
`swe-rm serve`, above the SWE_RM_* variables.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ray import serve
from ray.serve.config import AutoscalingConfig, AutoscalingPolicy, RequestRouterConfig

from app.config import Settings, read_settings
from app.errors import StartError
from deploy.ray.replica import Replica
from deploy.ray.router import LeastBacklog
from deploy.ray.scaling import ByBacklog

_GRACE_S = 30.0  # for the engine's own end, after the last answer
_REPORT_EVERY_S = 1.0
_MAX_INSIDE = 10_000  # the door of every replica refuses, not Ray


def build(args: Mapping[str, Any], replica: type[Replica] = Replica) -> serve.Application:
    """Raises `StartError` before anything starts."""
    given = dict(args)
    least = int(given.pop("replicas", 1))
    most = int(given.pop("max_replicas", least))
    gpus = float(given.pop("gpus", 0))
    target_s = float(given.pop("target_backlog_s", 120))
    settings = _settings(given)
    check_store(settings, most)
    deployment = serve.deployment(serve.ingress()(replica)).options(
        name="swe-rm-server",
        ray_actor_options={"num_cpus": 0 if settings.engine == "fake" else 1, "num_gpus": gpus},
        max_ongoing_requests=_MAX_INSIDE,
        graceful_shutdown_wait_loop_s=0.5,
        graceful_shutdown_timeout_s=settings.drain_s + _GRACE_S,
        health_check_period_s=5,
        health_check_timeout_s=30,
        request_router_config=RequestRouterConfig(
            request_router_class=LeastBacklog,
            request_routing_stats_period_s=_REPORT_EVERY_S,
        ),
        **({"num_replicas": least} if least == most else _scaling(least, most, target_s)),
    )
    return deployment.bind(settings)


def check_store(settings: Settings, most: int) -> None:
    """Raises `StartError` where replicas would not know of each other."""
    if most > 1 and not (settings.store_url or "").startswith("postgresql"):
        message = (
            f"{most} replicas need one PostgreSQL: an outcome sent to one must label a score of "
            "another. Give store_url postgresql://user:password@host/name, or run one replica"
        )
        raise StartError(message)


def _settings(given: Mapping[str, Any]) -> Settings:
    """Ray's proxy may listen to all, so keys are asked for as with such a host."""
    try:
        return read_settings({"host": "0.0.0.0", **given}, os.environ)
    except ValueError as cause:
        raise StartError(str(cause)) from cause


def _scaling(least: int, most: int, target_s: float) -> dict[str, Any]:
    """Training is a square wave: it grows at once, and shrinks after half an hour without work."""
    policy = AutoscalingPolicy(
        policy_function=ByBacklog, policy_kwargs={"target_backlog_s": target_s}
    )
    scaling = AutoscalingConfig(
        min_replicas=least,
        max_replicas=most,
        upscale_delay_s=15,
        downscale_delay_s=1800,
        policy=policy,
    )
    return {"autoscaling_config": scaling}
