"""Every metric in one table. Knows names and numbers, nothing else.

Units are Prometheus base units. Labels are bounded: routes and codes come from our own tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

# Edges at service objectives and at the clients' own timeouts (15, 60, 120, 180, 300 s).
_SECONDS = (0.005, 0.02, 0.1, 0.3, 1, 3, 8, 15, 30, 60, 120, 180, 300, 600, 1200, 3600)
_TOKENS = (256, 1024, 4096, 8192, 16384, 32768, 65536, 131072, 262144)
_SHARE = tuple(edge / 20 for edge in range(1, 20))

# Name, help, and the value; or a label's name and a value for each of its values. What ends in
# _total is a counter.
Reading = tuple[str, str, float | tuple[str, Mapping[str, float]]]


class Metrics:
    """One instance a process, on a registry of its own choosing."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        at: Any = {"registry": registry}
        self._count_requests(at)
        self._describe_scores(at)
        self.feedback = FeedbackMetrics(registry)
        self.access = AccessMetrics(registry)
        self.model = Info("swe_rm_model", "The model in the house", **at)

    def _count_requests(self, at: Any) -> None:
        self.requests = Counter(
            "swe_rm_http_requests",
            "Answers by route, method and status",
            ["route", "method", "status"],
            **at,
        )
        self.request_s = Histogram(
            "swe_rm_http_request_duration_seconds",
            "Request to last byte, by class of work: none where nothing is scored",
            ["route", "class"],
            buckets=_SECONDS,
            **at,
        )
        self.items = Counter(
            "swe_rm_items",
            "Items by route and outcome: scored, or an error code",
            ["route", "outcome"],
            **at,
        )
        self.sources = Counter(
            "swe_rm_item_sources", "Scored items: computed, shared or memo", ["source"], **at
        )
        self.refusals = Counter("swe_rm_refused_requests", "Requests refused whole", ["code"], **at)
        self.defects = Counter(
            "swe_rm_defects",
            "Exceptions that nobody foresaw, by where they came up",
            ["where"],
            **at,
        )
        gone = "swe_rm_client_disconnects"
        self.disconnects = Counter(gone, "Clients gone before the answer", **at)

    def _describe_scores(self, at: Any) -> None:
        self.stage_s = Histogram(
            "swe_rm_stage_duration_seconds",
            "An item's time in one stage",
            ["stage"],
            buckets=_SECONDS,
            **at,
        )
        self.groups = Counter(
            "swe_rm_groups",
            "RL groups: spread, dead (all rewards equal), or incomplete (an item unscored)",
            ["state"],
            **at,
        )
        self.prompt_tokens = Histogram(
            "swe_rm_prompt_tokens", "Tokens of a scored prompt", buckets=_TOKENS, **at
        )
        self.tokens = Counter(
            "swe_rm_tokens", "Of scored prompts: computed, cached, memo, elided", ["kind"], **at
        )
        flagged = "Scored items that show a sign of reward hacking"
        self.flags = Counter("swe_rm_flagged_items", flagged, ["kind"], **at)
        self.probability = Histogram(
            "swe_rm_probability_ratio",
            "Calibrated probability of scored items",
            buckets=_SHARE,
            **at,
        )
        self.label_mass = Histogram(
            "swe_rm_label_mass_ratio", "P(yes) + P(no) of scored items", buckets=_SHARE, **at
        )

    def page(self) -> tuple[bytes, str]:
        """What a scrape gets, and its media type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST

    def gauges(self, read: Callable[[], Iterable[Reading]]) -> None:
        """Registers what is read when scraped."""
        self.registry.register(_Live(read))


class AccessMetrics:
    """What keys cost. Their names are the operator's."""

    def __init__(self, registry: CollectorRegistry) -> None:
        at: Any = {"registry": registry}
        self.tokens = Counter(
            "swe_rm_key_tokens", "Tokens computed for a key: what quotas bill", ["key"], **at
        )
        self.unscored_rewards = Counter(
            "swe_rm_unscored_rewards",
            "Rewards set by the operator for what could not be scored, by why not",
            ["code"],
            **at,
        )


class FeedbackMetrics:
    """What came back and what it says of the scores. `value` is bounded by who sets it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        at: Any = {"registry": registry}
        self.outcomes = Counter(
            "swe_rm_quality_outcomes",
            "Outcomes told, by evidence and what became of them",
            ["evidence", "status"],
            **at,
        )
        self.disputed = Gauge(
            "swe_rm_quality_disputed_trajectories",
            "Of the last 7 days, those of which two keys say different things on equal evidence",
            **at,
        )
        slices = ["by", "value"]
        self.auc = Gauge(
            "swe_rm_quality_auc", "AUC of labelled scores of the last 7 days", slices, **at
        )
        self.ece = Gauge(
            "swe_rm_quality_ece_ratio", "Expected calibration error of the same", slices, **at
        )
        self.brier = Gauge("swe_rm_quality_brier", "Brier score of the same", slices, **at)
        self.drift = Gauge(
            "swe_rm_quality_drift_psi",
            "PSI of the last scores' log-odds against those the calibration was fitted on",
            ["calibration"],
            **at,
        )


class _Live(Collector):
    def __init__(self, read: Callable[[], Iterable[Reading]]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        for name, text, value in self._read():
            label, values = value if isinstance(value, tuple) else (None, {"": value})
            kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
            family = kind(name, text, labels=[label] if label else None)
            for label_value, number in values.items():
                family.add_metric([label_value] if label else [], number)
            yield family
