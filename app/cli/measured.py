"""A report of evaluate as tables: measures down, scorers across."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

Scorer = Mapping[str, Any]
_FEW = 10  # instances that a point of best-of-k needs to be shown


def measure_table(report: Mapping[str, Any]) -> Table:
    """Each measure with its 95 % interval; — where a scorer has none."""
    title = f"{report['n']} runs of {report['instances']} instances, {report['positives']} resolved"
    failed = sum(report.get("failed", {}).values())
    left_out = f"; {failed} runs without a score are left out" if failed else ""
    table = Table(
        title=title,
        caption=f"95 % intervals: {report['draws']} resamples of instances{left_out}",
        show_lines=False,
    )
    table.add_column("", no_wrap=True)
    scorers = report["scorers"]
    for scorer in scorers:
        table.add_column(Text(scorer["name"]), justify="right", min_width=13)
    for name, read in _measures(report):
        table.add_row(name, *(_cell(read(scorer)) for scorer in scorers))
    return table


def slice_table(report: Mapping[str, Any]) -> Table:
    """As served, each slice by itself."""
    table = Table(title=Text(f"By {report['by']}, as served"))
    for heading in (report["by"], "runs", "resolved", "AUC", "ECE", "floor", "Brier"):
        table.add_column(Text(heading), justify="left" if heading == report["by"] else "right")
    for each in report["slices"]:
        found = each["served"]
        head = (Text(each["value"]), str(found["n"]), str(found["positives"]))
        if not found["enough"]:
            table.add_row(*head, "too few", "", "", "")
            continue
        floor = f"{found['ece']['floor']:.3f}"
        measures = [_cell(found[name]) for name in ("auc", "ece", "brier")]
        table.add_row(*head, measures[0], measures[1], floor, measures[2])
    return table


def _measures(report: Mapping[str, Any]) -> list[tuple[str, Callable[[Scorer], Any]]]:
    """(heading, how to read it)."""
    rows: list[tuple[str, Callable[[Scorer], Any]]] = [
        ("AUC, pooled", lambda s: s["auc"]),
        (f"AUC within {report['by']}", lambda s: s["within"] and s["within"]["auc"]),
        ("  above shorter, pooled", lambda s: s["auc_above_shorter"]),
        ("  above shorter, within", lambda s: s["within_above_shorter"]),
        ("ECE, 15 equal widths", _of("ece")),
        ("  floor", _of("ece", "floor")),
        ("ECE, 15 equal masses", _of("ece_equal_mass")),
        ("  floor", _of("ece_equal_mass", "floor")),
        ("Brier", _of("brier")),
        ("  skill", _of("brier_skill")),
        ("log loss", _of("log_loss")),
    ]
    points = report["scorers"][0]["best_of_k"]["points"]
    for at, point in enumerate(points):
        if point["instances"] >= _FEW and _shown(point["k"], len(points)):
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


def _cell(found: Any) -> str:
    if found is None:
        return "—"
    if isinstance(found, float):
        return f"{found:.3f}"
    return f"{found['value']:.3f}\n{found['low']:.3f}–{found['high']:.3f}"
