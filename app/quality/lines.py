"""A report of `evaluate` line by line, for whoever prints one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.quality.best_of_k import MIN_INSTANCES

Scorer = Mapping[str, Any]
Line = tuple[str, Callable[[Scorer], Any]]


def lines(report: Mapping[str, Any]) -> list[Line]:
    """(heading, how to read it off a scorer): a number, an estimate with its interval, or None.
    Indented headings belong to the line above them."""
    rows: list[Line] = [
        ("AUC, pooled", lambda s: s["auc"]),
        (f"AUC within {report['by']}", lambda s: s["within"] and s["within"]["auc"]),
    ]
    if any(scorer["auc_above_shorter"] for scorer in report["scorers"]):
        rows += [
            ("  above shorter, pooled", lambda s: s["auc_above_shorter"]),
            ("  above shorter, within", lambda s: s["within_above_shorter"]),
        ]
    return [
        *rows,
        ("ECE, 15 equal widths", _of("ece")),
        ("  floor", _of("ece", "floor")),
        ("ECE, 15 equal masses", _of("ece_equal_mass")),
        ("  floor", _of("ece_equal_mass", "floor")),
        ("Brier", _of("brier")),
        ("  skill", _of("brier_skill")),
        ("log loss", _of("log_loss")),
    ]


def best_of_k_lines(report: Mapping[str, Any]) -> list[Line]:
    """The same of RM@k, for k = 1, 2, 4, 8 … and the last that has enough instances."""
    rows: list[Line] = []
    points = report["scorers"][0]["best_of_k"]["points"]
    for at, point in enumerate(points):
        if point["instances"] >= MIN_INSTANCES and _shown(point["k"], len(points)):
            rows.append((f"RM@{point['k']}, {point['instances']} inst.", _point(at, "picked")))
            if point["share"]:
                rows.append(("  share of random → oracle", _point(at, "share")))
    return rows


def _shown(k: int, largest: int) -> bool:
    """1, 2, 4, 8 … and the last."""
    return k == largest or k & (k - 1) == 0


def _of(name: str, part: str | None = None) -> Callable[[Scorer], Any]:
    def read(scorer: Scorer) -> Any:
        found = scorer["summary"]
        if not found or not found["enough"]:
            return None
        return found[name] if part is None else found[name][part]

    return read


def _point(at: int, name: str) -> Callable[[Scorer], Any]:
    return lambda scorer: scorer["best_of_k"]["points"][at][name]
