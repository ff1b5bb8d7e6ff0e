"""A report of evaluate as tables: measures down, scorers across."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from app import quality


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
    for name, read in [*quality.lines(report), *quality.best_of_k_lines(report)]:
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


def _cell(found: Any) -> str:
    if found is None:
        return "—"
    if isinstance(found, float):
        return f"{found:.3f}"
    return f"{found['value']:.3f}\n{found['low']:.3f}–{found['high']:.3f}"
