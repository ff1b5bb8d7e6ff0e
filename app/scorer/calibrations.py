"""Calibrations that come to a model while it serves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from app.calibration import Calibrator, read_calibrator
from app.errors import StartError
from app.scorer.facts import Model


def adopted(model: Model, documents: Sequence[Mapping[str, Any]], active: str) -> Model:
    """The model with these calibrations beside its own, one of them active.

    A document may hold, under `slices.policy`, a curve for each of some policies; the id of each is
    `<id>/policy=<policy>`. Raises `StartError` when one cannot be read or the active one is unknown.
    """
    calibrators, by_policy = dict(model.calibrators), dict(model.by_policy)
    for document in documents:
        if document.get("id") not in calibrators:
            found = read_calibrator(document)
            calibrators[found.id] = found
            by_policy[found.id] = _by_policy(document)
    if active not in calibrators:
        message = f"the active calibration {active!r} is not among those there are"
        raise StartError(message)
    return replace(model, calibrators=calibrators, by_policy=by_policy, active_calibration=active)


def _by_policy(document: Mapping[str, Any]) -> dict[str, Calibrator]:
    found = (document.get("slices") or {}).get("policy") or {}
    return {
        policy: read_calibrator({**curve, "id": f"{document['id']}/policy={policy}"})
        for policy, curve in found.items()
    }
