"""How many replicas there should be: as many as work the backlog off within `target_backlog_s`."""

from __future__ import annotations

import math
from typing import Any


class ByBacklog:
    """A policy of Ray Serve's autoscaler. Delays before it grows or shrinks are the autoscaler's own."""

    def __init__(self, target_backlog_s: float) -> None:
        self._target_s = target_backlog_s

    def __call__(self, context: Any) -> tuple[int, dict[str, Any]]:
        told = (context.aggregated_metrics or {}).get("backlog_s", {})
        return wanted(
            list(told.values()),
            self._target_s,
            context.current_num_replicas,
            (context.capacity_adjusted_min_replicas, context.capacity_adjusted_max_replicas),
        ), {}


def wanted(backlogs_s: list[float], target_s: float, running: int, bounds: tuple[int, int]) -> int:
    """Without any report it stays as it is."""
    least, most = bounds
    count = math.ceil(sum(backlogs_s) / target_s) if backlogs_s else running
    return max(least, min(most, count))
