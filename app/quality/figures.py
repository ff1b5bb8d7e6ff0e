"""Pictures of an evaluation: reliability and best of k, as PNG, SVG, or SVG text for a page.

Colours are Okabe & Ito's, told apart by colour-blind eyes too; lines also differ in dash and marker.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from app.quality.baselines import BASE_RATE
from app.quality.best_of_k import MIN_INSTANCES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BLUE, _ORANGE, _GREEN, _PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
_INK, _GREY = "#222222", "#767676"
_LOOKS = ((_BLUE, "-", "o"), (_ORANGE, "--", "s"), (_GREEN, "-.", "^"), (_PURPLE, ":", "D"))
_DPI = 150


def reliability_figure(panels: Sequence[tuple[str, Mapping[str, Any]]]) -> Figure:
    """One diagram a panel: (title, a summary as JSON). Below it how many rows each bin holds."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.9 * len(panels) + 0.6, 4.9), layout="constrained")
    axes = figure.subplots(
        2, len(panels), squeeze=False, sharex=True, height_ratios=(4, 1), sharey="row"
    )
    for column, (title, found) in enumerate(panels):
        _diagram(axes[0][column], title, found)
        _masses(axes[1][column], found)
    axes[0][0].set_ylabel("share resolved")
    axes[1][0].set_ylabel("runs")
    return figure


def best_of_k_figure(curves: Sequence[tuple[str, Mapping[str, Any]]]) -> Figure:
    """(name, a best-of-k curve as JSON); oracle and chance are drawn from the first."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.subplots()
    bounds = [point for point in curves[0][1]["points"] if point["instances"] >= MIN_INSTANCES]
    at = [point["k"] for point in bounds]
    for name, line in (("oracle", "--"), ("random", ":")):
        heights = [point[name]["value"] for point in bounds]
        axes.plot(at, heights, color=_GREY, linestyle=line, label=name)
    for index, (name, curve) in enumerate(curves):
        colour, dash, marker = _LOOKS[index % len(_LOOKS)]
        points = [
            point["picked"] for point in curve["points"] if point["instances"] >= MIN_INSTANCES
        ]
        heights = [point["value"] for point in points]
        axes.plot(at, heights, color=colour, linestyle=dash, marker=marker, ms=5, label=name)
        if index == 0:
            low, high = [p["low"] for p in points], [p["high"] for p in points]
            axes.fill_between(at, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    held = [point["instances"] for point in bounds]
    uneven = f" (instances that have so many: {held[0]} → {held[-1]})" if len(set(held)) > 1 else ""
    axes.set_xlabel(f"k candidates{uneven}")
    axes.set_ylabel("share of instances resolved by the pick")
    axes.legend(frameon=False, fontsize=8, loc="best")
    _plain(axes)
    return figure


def figures_of(report: Mapping[str, Any]) -> list[tuple[str, Figure]]:
    """(name, figure) of an evaluation's report. Recalibration leaves an instance's order as it is, so
    best of k shows the verifier once."""
    scorers = [each for each in report["scorers"] if each["summary"] and each["summary"]["enough"]]
    panels = [(each["name"], each["summary"]) for each in scorers if each["name"] != BASE_RATE]
    curves = [
        (each["name"], each["best_of_k"])
        for each in report["scorers"]
        if each["name"] != BASE_RATE and not each["name"].startswith("recalibrated")
    ]
    return [
        ("reliability", reliability_figure(panels)),
        ("best_of_k", best_of_k_figure(curves)),
    ]


def intervals_figure(
    panels: Sequence[tuple[str, Mapping[str, tuple[float, float, float]]]], measure: str
) -> Figure:
    """(title, name → value, low and high) a panel, four in a row; all share the measure's axis."""
    from matplotlib.figure import Figure

    columns = min(4, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(3.2 * columns, 3.4 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for axes in grid.flat[len(panels) :]:
        axes.remove()
    for axes, (title, found) in zip(grid.flat, panels, strict=False):
        values = [value for value, _, _ in found.values()]
        errors = [[value - low for value, low, _ in found.values()],
                  [high - value for value, _, high in found.values()]]  # fmt: skip
        at = range(len(found))
        axes.errorbar(at, values, yerr=errors, fmt="o", color=_BLUE, ms=5, elinewidth=1, capsize=2)
        axes.set_xticks(at, list(found))
        axes.set_xlim(-0.5, len(found) - 0.5)
        axes.set_title(title, fontsize=9)
        _plain(axes)
    for axes in grid[:, 0]:
        axes.set_ylabel(measure)
    return figure


def svg_text(figure: Figure) -> str:
    """The `<svg>` element alone, to stand inside a page."""
    text = figure_bytes(figure, "svg").decode()
    return text[text.index("<svg") :]


def figure_bytes(figure: Figure, kind: str) -> bytes:
    """The figure as `png` or `svg`: the same bytes for the same figure."""
    import matplotlib as mpl

    out = io.BytesIO()
    dateless = {"svg": {"Date": None}, "png": {"Software": None}}[kind]
    # Text stays text in SVG: it can be searched, read aloud, and is small.
    with mpl.rc_context({"svg.hashsalt": "swe-rm", "svg.fonttype": "none"}):
        figure.savefig(out, format=kind, dpi=_DPI, metadata=dateless)
    return out.getvalue()


def _diagram(axes: Axes, title: str, found: Mapping[str, Any]) -> None:
    bins = found["reliability"]
    at = [each["mean_probability"] for each in bins]
    rates = [each["rate"] for each in bins]
    spread = [_wilson(each["rate"], each["n"]) for each in bins]
    errors = [[r - low for r, (low, _) in zip(rates, spread, strict=True)],
              [high - r for r, (_, high) in zip(rates, spread, strict=True)]]  # fmt: skip
    axes.plot([0, 1], [0, 1], color=_GREY, linewidth=1, linestyle=(0, (4, 3)))
    axes.errorbar(
        at,
        rates,
        yerr=errors,
        color=_BLUE,
        marker="o",
        ms=5,
        linewidth=1.4,
        elinewidth=1,
        capsize=2,
    )
    ece = found["ece"]
    axes.set_title(f"{title}\nECE {ece['value']:.3f} (floor {ece['floor']:.3f})", fontsize=9)
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    _plain(axes)


def _masses(axes: Axes, found: Mapping[str, Any]) -> None:
    bins = found["reliability"]
    middles = [(each["low"] + each["high"]) / 2 for each in bins]
    widths = [0.92 * (each["high"] - each["low"]) for each in bins]
    axes.bar(middles, [each["n"] for each in bins], width=widths, color=_BLUE, alpha=0.55)
    axes.set_xlabel("mean probability")
    _plain(axes)


def _plain(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(colors=_INK, labelsize=8)


def _wilson(rate: float, n: int) -> tuple[float, float]:
    """95 % score interval of a share (Wilson 1927)."""
    z = 1.959964
    middle = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * (rate * (1 - rate) / n + z * z / (4 * n * n)) ** 0.5
    return min(rate, middle - half), max(rate, middle + half)
