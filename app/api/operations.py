"""Probes, metrics, what the server is, and /tokenize, which scores nothing."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from app.api import present
from app.api.body import read_value
from app.api.caller import Caller, caller_of
from app.api.checks import read_item
from app.api.documents import READY, TOKENIZE
from app.api.house import DEFAULT_TIMEOUT_S, MAX_ID_CHARS, MAX_TIMEOUT_S, House
from app.api.orders import work_of
from app.errors import Invalid
from app.schema import InfoAnswer
from app.schema.feedback import MAX_OUTCOMES
from app.scorer import FLAG_KINDS, FORMATS

API_VERSION = 1
FEATURES = (
    "score", "rerank", "ndjson", "elide", "tokenize", "gzip", "zstd", "steps", "rewards", "group_stats",
    "hybrid", "dialects", "flags", "memo", "load",
)  # fmt: skip

FEEDBACK = ("outcomes", "rewards_later", "scores", "quality", "calibrations", "record_execution")

router = APIRouter()


@router.get("/", response_class=PlainTextResponse)
async def root() -> str:
    return "swe-rm-server: POST /score, POST /rerank; GET /docs\n"


@router.get("/livez", response_class=PlainTextResponse)
@router.get("/v2/health/live", response_class=PlainTextResponse)
async def live() -> str:
    """200 while the event loop turns."""
    return "ok\n"


@router.get("/readyz", **READY)
@router.get("/health", **READY)
@router.get("/v2/health/ready", **READY)
async def ready(request: Request) -> Response:
    """200 while the engine answers its probe and the canary scores as recorded; else the state."""
    state = _house(request).state
    return PlainTextResponse("ok\n") if state == "ready" else PlainTextResponse(f"{state}\n", 503)


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """Prometheus text; the engine's own metrics stand on the same page."""
    page, media_type = _house(request).metrics.page()
    return Response(page, media_type=media_type)


@router.get("/load")
async def load(request: Request) -> dict[str, Any]:
    """How long a newcomer would wait, by class, and what waits: for who spreads work over replicas."""
    scorer = _house(request).scorer
    return {
        "backlog_s": {name: round(wait_s, 3) for name, wait_s in scorer.backlog_s().items()},
        "waiting_items": scorer.admission.waiting_items,
        "waiting_tokens": scorer.admission.waiting_tokens,
        "prefill_tokens_per_s": round(scorer.admission.pace.tokens_per_s, 1),
    }


@router.get("/version")
async def version(request: Request) -> dict[str, str]:
    house = _house(request)
    engine = house.scorer.engine_facts
    return {"version": house.version, "engine": engine.name, "engine_version": engine.version}


@router.get("/info", response_model=InfoAnswer)
async def info(request: Request) -> dict[str, Any]:
    """What this server is, does and allows."""
    house = _house(request)
    model, engine = house.scorer.model, house.scorer.engine_facts
    identity = model.identity
    health = house.health()
    return {
        "api_version": API_VERSION,
        "features": _features(house, caller_of(request)),
        "limits": _limits(house),
        "formats": list(FORMATS),
        "flag_kinds": list(FLAG_KINDS),
        "model": {
            "name": identity.model,
            "revision": identity.revision,
            "trained": identity.trained,
            "system_fingerprint": identity.system_fingerprint,
            "label_mass_floor": model.label_mass_floor,
            "engine": engine.name,
            "engine_version": engine.version,
            "dtype": engine.dtype,
            "kv_dtype": engine.kv_dtype,
        },
        "template": identity.template,
        "calibration": model.active_calibration,
        "calibrations": sorted(model.calibrators),
        "canary": dict(health.canary) | {"trouble": health.trouble},
        "health": {
            "state": house.state,
            "engine_state": health.state,
            "restarts_total": health.restarts,
            "probe_age_s": health.probe_age_s,
        },
    }


@router.get("/v1/models")
async def models(request: Request) -> dict[str, Any]:
    house = _house(request)
    identity = house.scorer.model.identity
    entry = {
        "id": identity.model,
        "object": "model",
        "created": 0,
        "owned_by": "swe-rm-server",
        "revision": identity.revision,
        "trained": identity.trained,
        "max_model_len": house.scorer.allowed_tokens + 1,
    }
    return {"object": "list", "data": [entry]}


@router.post("/tokenize", **TOKENIZE)
async def tokenize(
    request: Request, texts: bool = False, on_overflow: Literal["error", "elide"] = "error"
) -> Response:
    """How one Item would be rendered. Nothing is scored; too long is no error here.

    With `texts` every segment carries its text in pieces, control tokens apart; with
    `on_overflow=elide` a prompt that is too long is elided as `/score` would do it.
    """
    house = _house(request)
    with house.bodies.account() as hold:
        value = await read_value(request, house, hold, house.limits.max_item_bytes)
        work = work_of(caller_of(request), read_item(value), None)
        if work.source == "prompt":
            message = "prompt: is rendered already; /tokenize takes trajectory or messages"
            raise Invalid(message)
        measured = await house.scorer.measure(work, on_overflow, texts)
        answer = present.measured(measured, house.scorer.allowed_tokens)
        page: Response = await house.off_loop(JSONResponse, answer)  # texts may be megabytes
    return page


def _house(request: Request) -> House:
    house: House = request.app.state.house
    return house


def _features(house: House, caller: Caller) -> list[str]:
    found = [*FEATURES]
    if caller.trusts_prompts:
        found.append("trusted_prompt")
    if house.feedback:
        found += [*FEEDBACK, *(["receipts"] if house.feedback.receipts else [])]
    return found


def _limits(house: House) -> dict[str, Any]:
    limits = house.limits
    return {
        "max_items": limits.max_items,
        "max_body_bytes": limits.max_body_bytes,
        "max_ndjson_body_bytes": limits.max_ndjson_body_bytes,
        "max_item_bytes": limits.max_item_bytes,
        "max_prompt_tokens": house.scorer.allowed_tokens,
        "max_id_chars": MAX_ID_CHARS,
        "default_timeout_s": DEFAULT_TIMEOUT_S,
        "max_timeout_s": MAX_TIMEOUT_S,
        **({"max_outcomes": MAX_OUTCOMES} if house.feedback else {}),
    }
