"""What a dashboard is made of, and the JSON that Grafana reads (schema 39: Grafana 10.4 and newer)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["timeseries", "stat", "heatmap"]
_ROW_WIDTH = 24
_HEIGHT = {"timeseries": 8, "stat": 4, "heatmap": 8}
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_WHERE = 'job=~"$job",instance=~"$instance"'


@dataclass(frozen=True, slots=True)
class Panel:
    """`queries`: legend → PromQL, in which `@` stands for the chosen servers. `unit` is Grafana's."""

    title: str
    says: str
    unit: str
    queries: Mapping[str, str]
    kind: Kind = "timeseries"
    width: int = 8
    stacked: bool = False

    @property
    def expressions(self) -> list[str]:
        """The PromQL as Grafana gets it."""
        return [text.replace("@", _WHERE) for text in self.queries.values()]


@dataclass(frozen=True, slots=True)
class Row:
    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """`name` is the file's and, behind `swe-rm-`, the uid's."""

    name: str
    title: str
    says: str
    rows: tuple[Row, ...]
    links: Mapping[str, str] = field(default_factory=dict)

    @property
    def panels(self) -> list[Panel]:
        return [panel for row in self.rows for panel in row.panels]


def document(board: Board) -> dict[str, Any]:
    """The dashboard as Grafana stores it; equal boards give equal documents."""
    return {
        "uid": f"swe-rm-{board.name}",
        "title": f"swe-rm: {board.title}",
        "description": board.says,
        "tags": ["swe-rm"],
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "utc",
        "templating": {"list": _variables()},
        "links": [_sisters()],
        "annotations": {"list": []},
        "panels": list(_placed(board.rows)),
    }


def _variables() -> list[dict[str, Any]]:
    source = {"name": "datasource", "label": "Prometheus", "type": "datasource"}
    return [
        source | {"query": "prometheus", "refresh": 1},
        _labels("job", "label_values(swe_rm_ready, job)"),
        _labels("instance", 'label_values(swe_rm_ready{job=~"$job"}, instance)'),
    ]


def _labels(name: str, query: str) -> dict[str, Any]:
    return {
        "name": name,
        "label": name,
        "type": "query",
        "datasource": _SOURCE,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def _sisters() -> dict[str, Any]:
    link = {"title": "swe-rm", "type": "dashboards", "tags": ["swe-rm"], "asDropdown": True}
    return link | {"keepTime": True, "includeVars": True}


def _placed(rows: Iterable[Row]) -> Iterable[dict[str, Any]]:
    number, top = 0, 0
    for row in rows:
        number += 1
        at = {"x": 0, "y": top, "w": _ROW_WIDTH, "h": 1}
        yield {"id": number, "type": "row", "title": row.title, "gridPos": at, "collapsed": False}
        left, top, deep = 0, top + 1, 0
        for panel in row.panels:
            number += 1
            if left + panel.width > _ROW_WIDTH:
                left, top, deep = 0, top + deep, 0
            height = _HEIGHT[panel.kind]
            at = {"x": left, "y": top, "w": panel.width, "h": height}
            yield {"id": number, "gridPos": at} | _panel(panel)
            left, deep = left + panel.width, max(deep, height)
        top += deep


def _panel(panel: Panel) -> dict[str, Any]:
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.says,
        "datasource": _SOURCE,
        "targets": [
            _target(panel, chr(ord("A") + at), legend, expression)
            for at, (legend, expression) in enumerate(
                zip(panel.queries, panel.expressions, strict=True)
            )
        ],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _options(panel.kind),
    }


def _target(panel: Panel, ref: str, legend: str, expression: str) -> dict[str, Any]:
    target = {"refId": ref, "datasource": _SOURCE, "expr": expression, "legendFormat": legend}
    if panel.kind == "heatmap":
        return target | {"format": "heatmap", "legendFormat": "{{le}}"}
    return target | ({"instant": True} if panel.kind == "stat" else {})


def _defaults(panel: Panel) -> dict[str, Any]:
    if panel.kind != "timeseries":
        return {"unit": panel.unit}
    custom: dict[str, Any] = {"drawStyle": "line", "fillOpacity": 10, "showPoints": "never"}
    if panel.stacked:
        custom |= {"stacking": {"mode": "normal"}, "fillOpacity": 40}
    return {"unit": panel.unit, "min": 0, "custom": custom}


def _options(kind: Kind) -> dict[str, Any]:
    match kind:
        case "stat":
            return {"textMode": "value_and_name", "reduceOptions": {"calcs": ["lastNotNull"]}}
        case "heatmap":
            return {"calculate": False, "yAxis": {"unit": "percentunit"}, "cellGap": 1}
        case _:
            return {
                "legend": {"displayMode": "list", "placement": "bottom"},
                "tooltip": {"mode": "multi", "sort": "desc"},
            }
