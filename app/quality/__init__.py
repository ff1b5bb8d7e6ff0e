"""How good scores are against outcomes, and calibrations fitted from both. Offline; numpy at heart.

    labelled scores ──► summary · auc_within · best_of_k · baselines ──► evaluate ──► figures
                    └─► fit ──► a calibration document (JSON) ──► app/calibration

sample.py   checked columns, bootstrap       measures.py   what is measured, many weightings at once
summary.py  AUC, ECE, Brier, log loss        within.py     order inside one policy
best_of_k.py  RM@k                           drift.py      PSI
methods.py  Platt, temperature, beta, isotonic   venn_abers.py  intervals   fit.py  the document
baselines.py  what needs no model            evaluation.py all of it about one verifier, as JSON
lines.py    that JSON, line by line
figures.py    reliability and RM@k as PNG and SVG

Never a number from under 30 rows or one class alone: `NotEnoughLabels`. scikit-learn and matplotlib
are imported when they are first needed.
"""

from app.quality.baselines import Baseline, baselines, counts_of
from app.quality.best_of_k import MIN_INSTANCES, Curve, Point, best_of_k
from app.quality.drift import Drift, drift, histogram
from app.quality.evaluation import SERVED, Runs, evaluate
from app.quality.figures import (
    best_of_k_figure,
    figure_bytes,
    figures_of,
    intervals_figure,
    reliability_figure,
    svg_text,
)
from app.quality.fit import FOLDS, fit, out_of_fold
from app.quality.lines import best_of_k_lines, lines
from app.quality.methods import METHODS
from app.quality.sample import MIN_ROWS, Estimate, sample
from app.quality.summary import (
    Bin,
    CalibrationError,
    Decomposition,
    Summary,
    plain,
    slice_of,
    summary,
)
from app.quality.venn_abers import venn_abers
from app.quality.within import Difference, PolicyAuc, Within, auc_within, auc_within_difference

__all__ = [
    "FOLDS",
    "METHODS",
    "MIN_INSTANCES",
    "MIN_ROWS",
    "SERVED",
    "Baseline",
    "Bin",
    "CalibrationError",
    "Curve",
    "Decomposition",
    "Difference",
    "Drift",
    "Estimate",
    "Point",
    "PolicyAuc",
    "Runs",
    "Summary",
    "Within",
    "auc_within",
    "auc_within_difference",
    "baselines",
    "best_of_k",
    "best_of_k_figure",
    "best_of_k_lines",
    "counts_of",
    "drift",
    "evaluate",
    "figure_bytes",
    "figures_of",
    "fit",
    "histogram",
    "intervals_figure",
    "lines",
    "out_of_fold",
    "plain",
    "reliability_figure",
    "sample",
    "slice_of",
    "summary",
    "svg_text",
    "venn_abers",
]
