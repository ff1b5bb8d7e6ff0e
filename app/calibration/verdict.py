"""A verdict's log-probabilities → its margin and its score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from app.calibration.curves import sigmoid
from app.calibration.documents import Calibrator
from app.errors import EngineFailed, NoAnswer
from app.types import Labels, Score, Verdict


@dataclass(frozen=True, slots=True)
class Margin:
    """What the verifier said, uncalibrated: natural log-odds, their sigmoid, and P(yes) + P(no)."""

    logit: float
    raw_probability: float
    label_mass: float


def margin(verdict: Verdict, labels: Labels) -> Margin:
    """Reads the margin out of a verdict's label log-probabilities.

    Raises `EngineFailed` unless there is a finite one for every label.
    """
    split = len(labels.yes_ids)
    values = verdict.label_logprobs
    if len(values) != len(labels.ids) or not all(map(math.isfinite, values)):
        message = "the verdict does not hold a finite log-probability for every label"
        raise EngineFailed(message)
    logit = _reduce(values[:split], labels) - _reduce(values[split:], labels)
    mass = math.fsum(math.exp(value) for value in values)
    return Margin(logit, sigmoid(logit), min(1.0, mass))


def score(
    verdict: Verdict,
    labels: Labels,
    calibrator: Calibrator,
    mass_floor: float,
    policy: str | None = None,
) -> Score:
    """`policy` is whose trajectory it is, where the caller says so.

    Raises `NoAnswer` when the model wanted to say neither yes nor no.
    """
    said = margin(verdict, labels)
    if said.label_mass < mass_floor:
        message = (
            f"the answer tokens hold {said.label_mass:.3g} of the probability, "
            f"less than the model's floor of {mass_floor:g}"
        )
        raise NoAnswer(message, limits={"measured": said.label_mass, "allowed": mass_floor})
    fitted = calibrator.curve_for(policy)
    return Score(
        probability=fitted.curve(said.logit),
        raw_probability=said.raw_probability,
        logit=said.logit,
        label_mass=said.label_mass,
        calibration=calibrator.id,
        interval=fitted.interval(said.logit),
    )


def _reduce(logprobs: Sequence[float], labels: Labels) -> float:
    if labels.reduction == "logsumexp":
        top = max(logprobs)
        return top + math.log(math.fsum(math.exp(value - top) for value in logprobs))
    return max(logprobs)
