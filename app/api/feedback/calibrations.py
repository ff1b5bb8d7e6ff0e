"""GET /quality, GET and POST /calibrations, PUT /calibrations/active."""

from __future__ import annotations

import asyncio
import functools
import time
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.api.body import read_value
from app.api.caller import key_of
from app.api.checks import read_request
from app.api.documents import CALIBRATIONS, FIT, SWITCH
from app.api.feedback import Feedback, fitting
from app.api.feedback.labels import house_of
from app.api.feedback.live import SLICINGS
from app.api.house import House
from app.api.job import finite
from app.errors import CalibrationNotFound, InvalidRequest
from app.outcomes import Labelled
from app.schema.feedback import FitRequest, QualityAnswer, SwitchRequest, window_s

router = APIRouter()


@router.get("/quality", response_model=QualityAnswer)
async def quality(request: Request, by: str = "model", window: str = "7d") -> dict[str, Any]:
    """How true the scores of a window are, by what was told of them since."""
    _, feedback = house_of(request)
    slicing = next((each for each in SLICINGS if each == by), None)
    if slicing is None:
        message = f"by: one of {', '.join(SLICINGS)}"
        raise InvalidRequest(message, param="by")
    try:
        seconds = window_s(window)
    except ValueError as cause:
        raise InvalidRequest(str(cause), param="window") from cause
    found = await feedback.live.slices(slicing, seconds)
    drift = await feedback.live.drift()
    drifted = {"calibration": feedback.follower.active} | asdict(drift) if drift else None
    return {"window": window, "by": by, **found, "drift": drifted}


@router.get("/calibrations", responses=CALIBRATIONS)
async def calibrations(request: Request) -> dict[str, Any]:
    """All calibrations of the model, which is active, and every switch, the latest first."""
    house, feedback = house_of(request)
    await feedback.follower.follow()
    kept = await feedback.store.calibrations.all(feedback.follower.revision)
    history = await feedback.store.calibrations.history(feedback.follower.revision)
    fitted = {each.id: each for each in kept}
    model = house.scorer.model
    entries = [
        {"id": name, "method": each.method, "active": name == model.active_calibration}
        | _kept_facts(fitted.get(name))
        for name, each in model.calibrators.items()
    ]
    switches = [
        {"generation": s.generation, "id": s.calibration_id, "created": s.created_at}
        for s in history
    ]
    return {
        "object": "calibration.list",
        "active": model.active_calibration,
        "generation": feedback.follower.generation,
        "calibrations": entries,
        "history": switches,
    }


@router.post("/calibrations", **FIT)
async def fit(request: Request) -> Response:
    """Fits on the labels of a window; keeps it unless held-out tasks say that it makes things worse."""
    house, feedback = house_of(request)
    with house.bodies.account() as hold:
        value = await read_value(request, house, hold, house.limits.max_item_bytes)
    asked = read_request(FitRequest, value)
    await feedback.follower.follow()
    generation = feedback.follower.generation
    rows = await _rows(feedback, asked)
    made = await asyncio.to_thread(
        functools.partial(
            fitting.fit,
            rows,
            _served(house),
            method=asked.method,
            by_policy=asked.by == "policy",
            holdout=asked.holdout,
            facts=_facts(house, asked),
        )
    )
    report = made.report | {"window": asked.window, "evidence": asked.evidence}
    kept = await feedback.store.calibrations.add(feedback.follower.revision, made.document, report)
    if asked.activate:
        await _switch(feedback, kept.id, generation, key_of(request))
    await feedback.follower.follow()
    answer = {
        "object": "calibration",
        "id": kept.id,
        "method": made.document["method"],
        "created": kept.created_at,
        "active": feedback.follower.active == kept.id,
        "generation": feedback.follower.generation,
        "report": report,
        "document": made.document,
    }
    return Response(finite(answer), media_type="application/json")


@router.put("/calibrations/active", operation_id="switch_calibration", **SWITCH)
async def switch(request: Request) -> Response:
    """Makes a calibration active, on every replica within five seconds. To roll back is a switch."""
    house, feedback = house_of(request)
    with house.bodies.account() as hold:
        value = await read_value(request, house, hold, house.limits.max_item_bytes)
    asked = read_request(SwitchRequest, value)
    await feedback.follower.follow()
    if asked.id not in house.scorer.model.calibrators:
        message = "id: no such calibration of this model; GET /calibrations lists all"
        raise CalibrationNotFound(message, param="id")
    made = await _switch(feedback, asked.id, asked.expected_generation, key_of(request))
    return Response(finite({"id": asked.id, "generation": made}), media_type="application/json")


async def _switch(feedback: Feedback, name: str, expected: int, key_id: str) -> int:
    revision = feedback.follower.revision
    made = await feedback.store.calibrations.switch(revision, name, expected, key_id)
    await feedback.follower.follow()
    return made.generation


async def _rows(feedback: Feedback, asked: FitRequest) -> list[Labelled]:
    """Labels of this model with evidence that is wanted; those picked by score say nothing of the
    others and stay out, as what is in quarantine does."""
    found = await feedback.store.labelled(time.time() - window_s(asked.window))
    wanted, revision = set(asked.evidence), feedback.follower.revision
    return [
        row
        for row in found
        if row.revision == revision and row.evidence in wanted and not row.selected
    ]


def _served(house: House) -> fitting.Probability:
    """What the active calibration says, held fast while the fit runs."""
    active = house.scorer.calibrator("active")
    return lambda row: active.curve_for(row.policy).curve(row.logit)


def _facts(house: House, asked: FitRequest) -> dict[str, Any]:
    identity = house.scorer.model.identity
    return {
        "model": identity.model,
        "revision": identity.revision,
        "template": identity.template,
        "created": int(time.time()),
        "evidence": list(asked.evidence),
    }


def _kept_facts(kept: Any) -> dict[str, Any]:
    return {"created": kept.created_at, "report": kept.report} if kept else {"created": None}
