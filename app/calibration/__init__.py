"""Verdict → probability. Knows log-probabilities; no model, no tokens, no HTTP.

The raw margin is l_yes - l_no, where each side is reduced over its surface forms as the manifest says.
Its sigmoid is SWE-RM's score r = e^ly / (e^ly + e^ln) (arXiv 2512.21919). A calibrator is a monotone
function of the margin, read from a plain JSON document:

    {"id": "2026-11-platt", "method": "platt", "parameters": {"slope": 1.3, "intercept": -0.2}}
    {"id": …, "method": "temperature", "parameters": {"temperature": 1.7}}
    {"id": …, "method": "beta", "parameters": {"a": 0.8, "b": 1.4, "c": -0.1}}
    {"id": …, "method": "isotonic", "knots": [[-3.0, 0.05], [0.0, 0.4], [2.5, 0.9]]}

and, where they were fitted, `"venn_abers": {"low": knots, "high": knots}` for the interval,
`"slices": {"policy": {"<name>": {"method": …}}}` for policies with a curve of their own, and
`"for": "steps"` on one for steps. app/quality fits such documents; docs/calibration.md describes them.

verdict.py  a verdict → margin → score     documents.py  a document → a calibrator     curves.py  its curves
"""

from app.calibration.curves import sigmoid
from app.calibration.documents import (
    IDENTITY,
    Calibrator,
    Fitted,
    Judged,
    chosen,
    read_calibrator,
    read_calibrators,
)
from app.calibration.verdict import Margin, margin, score

__all__ = [
    "IDENTITY",
    "Calibrator",
    "Fitted",
    "Judged",
    "Margin",
    "chosen",
    "margin",
    "read_calibrator",
    "read_calibrators",
    "score",
    "sigmoid",
]
