"""POST /outcomes, GET /scores/{score_id}, POST /rewards, POST /receipts/verify."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.api.body import read_value
from app.api.caller import key_of
from app.api.checks import read_request
from app.api.documents import OUTCOMES, RECEIPT, REWARDS
from app.api.feedback import Feedback
from app.api.house import House
from app.api.job import finite
from app.api.problems import item_error
from app.errors import Invalid, InvalidRequest, ItemError, NotFound, TooManyItems
from app.outcomes import Recorded, Report, ScoreFacts
from app.schema.feedback import (
    MAX_OUTCOMES,
    OutcomeReport,
    OutcomesRequest,
    RewardItem,
    RewardsOptions,
    ScoreRecord,
    VerifyRequest,
    seconds_of,
)
from app.scorer import RewardPolicy, Scorer
from app.types import Score

router = APIRouter()
_MOST_KEY_CHARS = 256


@router.post("/outcomes", operation_id="tell_outcomes", **OUTCOMES)
async def outcomes(request: Request) -> Response:
    """Takes what became of trajectories; durable when this answers."""
    house, feedback = house_of(request)
    key = _idempotency_key(request)
    with house.bodies.account() as hold:
        value = await read_value(request, house, hold, house.limits.max_item_bytes)
        _bound(value, "outcomes", MAX_OUTCOMES)
        told = await house.off_loop(read_request, OutcomesRequest, value)
    reports = [_report(each) for each in told.outcomes]
    answers = await _recorded(feedback, reports, key_of(request), key)
    results = [{"index": at} | asdict(answer) for at, answer in enumerate(answers)]
    return _json({"object": "outcome.list", "results": results})


@router.get("/scores/{score_id}", operation_id="read_score", response_model=ScoreRecord)
async def score(request: Request, score_id: str) -> dict[str, Any]:
    """A score as it was first answered, and all that was told of it since. No text."""
    _, feedback = house_of(request)
    found = (await feedback.store.find([score_id], key_of(request))).get(score_id)
    if found is None:
        message = "no such score: it was never given to this key, or is not recorded"
        raise NotFound(message)
    told = await feedback.store.outcomes_of(found)
    shown = asdict(found)
    hidden = ("document", "key_id", "created_at")
    fields = {name: value for name, value in shown.items() if name not in hidden}
    return fields | {"created": found.created_at, "outcomes": [asdict(each) for each in told]}


@router.post("/rewards", operation_id="make_rewards", **REWARDS)
async def rewards(request: Request) -> Response:
    """Makes rewards of scores already given, without the engine: scoring overlaps testing."""
    house, feedback = house_of(request)
    with house.bodies.account() as hold:
        value = await read_value(request, house, hold, house.limits.max_item_bytes)
    _bound(value, "items", house.limits.max_items)
    options = read_request(RewardsOptions, value)
    policy = RewardPolicy(**options.reward.model_dump())
    items = [_reward_item(each) for each in options.items]
    ids = [each.score_id for each in items if isinstance(each, RewardItem)]
    known = await feedback.store.find(ids, key_of(request)) if ids else {}
    results = [{"index": at} | _reward(each, known, policy) for at, each in enumerate(items)]
    return _json({"object": "reward.list", "results": results})


@router.post("/receipts/verify", **RECEIPT)
async def verify(request: Request) -> Response:
    """Whether a receipt is this house's and says what was signed, and which part is wrong if not."""
    house, feedback = house_of(request)
    if feedback.receipts is None:
        message = "this server signs no receipts: it has no receipt key"
        raise NotFound(message)
    with house.bodies.account() as hold:
        value = await read_value(request, house, hold, house.limits.max_item_bytes)
    asked = read_request(VerifyRequest, value)
    held = asked.model_dump(exclude={"receipt"}, exclude_none=True)
    found = feedback.receipts.verify(asked.receipt, held)
    return _json({"valid": not found.wrong, "wrong": list(found.wrong), "claims": found.claims})


def house_of(request: Request) -> tuple[House, Feedback]:
    """Raises `NotFound` in a house without a store."""
    house: House = request.app.state.house
    if house.feedback is None:
        message = "this server keeps no outcomes; GET /info lists its features"
        raise NotFound(message)
    return house, house.feedback


async def _recorded(
    feedback: Feedback, reports: list[Report], key_id: str, key: str | None
) -> list[Recorded]:
    """Counts what was told, but not what was told again."""
    again = False
    if key is None:
        answers = await feedback.store.record(reports, key_id)
    else:
        answers, again = await feedback.store.record_once(reports, key_id, key)
    if not again:
        feedback.count(reports, answers)
    return answers


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not 0 < len(key) <= _MOST_KEY_CHARS or not all(" " <= char <= "~" for char in key):
        message = f"Idempotency-Key: 1 to {_MOST_KEY_CHARS} characters of printable ASCII"
        raise InvalidRequest(message, param="Idempotency-Key")
    return key


def _bound(value: object, key: str, allowed: int) -> None:
    items = value.get(key) if isinstance(value, dict) else None
    if isinstance(items, list) and len(items) > allowed:
        message = f"{key}: {len(items)}; {allowed} are allowed in one request"
        raise TooManyItems(message, limits={"allowed": allowed}, param=key)


def _report(told: OutcomeReport) -> Report:
    return Report(
        resolved=told.resolved,
        evidence=told.evidence,
        score_id=told.score_id or None,
        trajectory_digest=told.trajectory_digest or None,
        selected=told.selected,
        observed_at=seconds_of(told.observed_at),
    )


def _reward_item(value: object) -> RewardItem | ItemError:
    try:
        return read_request(RewardItem, value)
    except InvalidRequest as error:
        return Invalid(error.message)


def _reward(
    item: RewardItem | ItemError, known: dict[str, ScoreFacts], policy: RewardPolicy
) -> dict[str, Any]:
    try:
        if isinstance(item, ItemError):
            raise item
        facts = known.get(item.score_id)
        if facts is None:
            message = "score_id: unknown; it was never given to this key, or is not recorded"
            raise Invalid(message)
        made = Scorer.reward(
            _score_of(facts), item.execution.outcome if item.execution else None, policy
        )
    except ItemError as error:
        echoed = {} if isinstance(item, ItemError) else {"score_id": item.score_id}
        return echoed | {"status": "failed", "error": item_error(error)}
    return {
        "score_id": item.score_id,
        "status": "scored",
        "reward": made.value,
        "reward_parts": {"score": made.score_part, "execution": made.execution_part},
        "calibration": facts.calibration,
    }


def _score_of(facts: ScoreFacts) -> Score:
    return Score(
        probability=facts.probability,
        raw_probability=facts.raw_probability,
        logit=facts.logit,
        label_mass=facts.label_mass,
        calibration=facts.calibration,
    )


def _json(document: dict[str, Any]) -> Response:
    return Response(finite(document), media_type="application/json")
