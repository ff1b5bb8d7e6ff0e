"""How far scores have moved from those that a calibration was fitted on.

Population stability index (PSI): sum over bins of (p - q) ln(p / q), bins at the deciles of the
reference (Siddiqi 2006, Credit Risk Scorecards); above 0.25 is commonly called a shift.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_BINS = 10


@dataclass(frozen=True, slots=True)
class Reference:
    """Inner edges of the bins, in log-odds, and the share of the reference in each bin."""

    edges: tuple[float, ...]
    shares: tuple[float, ...]


def reference_of(logits: Sequence[float]) -> dict[str, list[float]]:
    """What is kept beside a calibration. Equal values never straddle an edge."""
    ordered = sorted(logits)
    cuts = (ordered[len(ordered) * at // _BINS] for at in range(1, _BINS))
    edges = sorted(set(cuts))
    return {"edges": edges, "shares": _shares(edges, logits)}


def read_reference(document: Any) -> Reference | None:
    """None where a calibration keeps none."""
    try:
        edges, shares = document["edges"], document["shares"]
        found = Reference(tuple(map(float, edges)), tuple(map(float, shares)))
    except (KeyError, TypeError, ValueError):
        return None
    return found if len(found.shares) == len(found.edges) + 1 else None


def psi(reference: Reference, logits: Sequence[float]) -> float:
    """0 for equal shares. An empty bin counts as half a score, so that the sum stays finite."""
    least = 0.5 / len(logits)
    pairs = zip(reference.shares, _shares(reference.edges, logits), strict=True)
    clipped = ((max(p, least), max(q, least)) for p, q in pairs)
    return math.fsum((q - p) * math.log(q / p) for p, q in clipped)


def _shares(edges: Sequence[float], logits: Sequence[float]) -> list[float]:
    counts = [0] * (len(edges) + 1)
    for logit in logits:
        counts[bisect.bisect_right(edges, logit)] += 1
    return [count / len(logits) for count in counts]
