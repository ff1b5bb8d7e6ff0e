"""The dashboards' and alerts' expressions, and the metrics that they name, for the tests of deploy/."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from deploy.grafana.make import BOARDS

DEPLOY = Path(__file__).parents[1] / "deploy"
RULES = sorted((DEPLOY / "prometheus" / "rules").glob("*.yml"))
_SUFFIX = re.compile(r"_(bucket|sum|count)$")
_FOR_TEST = {
    "$__rate_interval": "15s", "$__range": "5m", "$job": "swe-rm", "$instance": ".*",
}  # fmt: skip


def panels() -> dict[str, str]:
    """`board / panel / legend` → PromQL without Grafana's variables."""
    found = {}
    for board in BOARDS:
        for panel in board.panels:
            for legend, text in zip(panel.queries, panel.expressions, strict=True):
                found[f"{board.name} / {panel.title} / {legend}"] = _plain(text)
    return found


def _plain(text: str) -> str:
    for variable, value in _FOR_TEST.items():
        text = text.replace(variable, value)
    return text


def rules(kind: str) -> list[dict[str, Any]]:
    """Every rule that has the key `alert`, or `record`."""
    groups = [group for file in RULES for group in yaml.safe_load(file.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"] if kind in rule]


def alerts() -> dict[str, str]:
    """Name → the PromQL that its thresholds are held against, so without them."""
    bare = re.compile(r"\s(>|<|==)\s[\d.]+")
    return {rule["alert"]: bare.sub("", rule["expr"]) for rule in rules("alert")}


def named(expression: str) -> set[str]:
    """Metrics of ours, as families: without the suffixes of a histogram's series."""
    return {
        _SUFFIX.sub("", name)
        for name in re.findall(r"(?<![\w:])swe_rm_[a-z0-9_]+", expression)
    }  # fmt: skip


def on_page(page: str) -> set[str]:
    """The families of a /metrics page that are ours, by the names of their samples."""
    kinds = dict(re.findall(r"^# TYPE (swe_rm_\w+) (\w+)$", page, re.M))
    return {name for name in kinds if not name.endswith("_created")}
