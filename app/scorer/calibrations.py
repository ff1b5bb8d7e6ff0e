"""Calibrations that come to a model while it serves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from app.calibration import chosen, read_calibrator
from app.scorer.facts import Model


def adopted(model: Model, documents: Sequence[Mapping[str, Any]], active: str) -> Model:
    """The model with these calibrations beside its own, one of them active.

    Raises `StartError` when one cannot be read or the active one is unknown.
    """
    calibrators = dict(model.calibrators)
    for document in documents:
        if document.get("id") not in calibrators:
            found = read_calibrator(document)
            calibrators[found.id] = found
    chosen(calibrators, active, "trajectories")
    return replace(model, calibrators=calibrators, active_calibration=active)
