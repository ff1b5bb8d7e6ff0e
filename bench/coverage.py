"""Whether the intervals hold the truth: Venn-Abers on margins whose probabilities are known.

    python -m bench.coverage [--draws 30]

n labels are drawn and fitted, `--draws` times, and each fit is looked at on 2,000 margins that it has
not seen. In each of five bins the mean probability must lie between the mean low end less two standard
errors and the mean high end plus two: the standard error of a rate that so many labels allow as the fit
had in that bin. 95 % of all bins must hold, and the mean width must fall as n grows.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.quality import venn_abers
from app.quality.methods import apply

_SIZES = (100, 400, 1600, 6400)
_EDGES = (-np.inf, -1.5, -0.5, 0.5, 1.5, np.inf)
_LOOKED_AT = 2000
_LEAST_HELD = 0.95
_HEAD = "     n  margins          low  truth   high    width  off by    held"
_ROW = (
    "{n:6d}  {from:5.1f} … {to:5.1f}  {low:.3f}  {truth:.3f}  {high:.3f}   {width:.4f}  {off:.4f}"
    "   {held:.0%}"
)

Floats = NDArray[np.float64]


def truth(logit: Floats) -> Floats:
    """Of a verifier that is too sure of itself, and cannot tell runs apart below 0."""
    found: Floats = 0.1 + 0.75 / (1.0 + np.exp(1.0 - 1.2 * np.maximum(logit, 0.0)))
    return found


def once(n: int, draw: np.random.Generator) -> Floats:
    """Rows: bins; columns: mean low, true probability, mean high, standard error."""
    logit = draw.normal(0.0, 2.0, n)
    curves = venn_abers(logit, (draw.random(n) < truth(logit)).astype(np.float64))
    fresh = draw.normal(0.0, 2.0, _LOOKED_AT)
    ends = {k: apply({"method": "isotonic", "knots": curves[k]}, fresh) for k in curves}
    here, there = (np.digitize(each, _EDGES[1:-1]) for each in (logit, fresh))
    rows = []
    for each in range(len(_EDGES) - 1):
        mine = there == each
        rate = truth(fresh)[mine].mean()
        error = np.sqrt(rate * (1 - rate) / max(1, np.sum(here == each)))
        rows.append([ends["low"][mine].mean(), rate, ends["high"][mine].mean(), error])
    return np.array(rows)


def table(n: int, draws: int, draw: np.random.Generator) -> Iterator[dict[str, Any]]:
    """One row a bin. `off`: how far the middle of the interval is from the truth, root mean square."""
    found = np.array([once(n, draw) for _ in range(draws)])
    lows, rates, highs, errors = np.moveaxis(found, 2, 0)
    off = np.sqrt(np.mean((rates - (lows + highs) / 2) ** 2, axis=0))
    holds = (lows - 2 * errors <= rates) & (rates <= highs + 2 * errors)
    for each, (low, rate, high, _) in enumerate(found.mean(axis=0)):
        yield {
            "n": n,
            "from": float(np.clip(_EDGES[each], -9.9, 9.9)),
            "to": float(np.clip(_EDGES[each + 1], -9.9, 9.9)),
            "low": round(float(low), 4),
            "truth": round(float(rate), 4),
            "high": round(float(high), 4),
            "width": round(float(high - low), 4),
            "off": round(float(off[each]), 4),
            "held": round(float(holds[:, each].mean()), 3),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    draw = np.random.default_rng(options.seed)
    rows = [row for n in _SIZES for row in table(n, options.draws, draw)]
    print(_HEAD)
    for row in rows:
        print(_ROW.format(**row))
    widths = [float(np.mean([r["width"] for r in rows if r["n"] == n])) for n in _SIZES]
    found = {
        "held": round(float(np.mean([row["held"] for row in rows])), 4),
        "mean_width": [round(width, 4) for width in widths],
        "sizes": _SIZES,
        "draws": options.draws,
        "seed": options.seed,
    }
    print(json.dumps(found | {"rows": rows}))
    falls = all(a > b for a, b in zip(widths, widths[1:], strict=False))
    sys.exit(0 if falls and found["held"] >= _LEAST_HELD else 1)


if __name__ == "__main__":
    main()
