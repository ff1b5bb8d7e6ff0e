"""What OpenAPI says of the routes that read their bodies themselves."""

from __future__ import annotations

from typing import Any

from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

from app.schema import (
    Item,
    Problem,
    RerankAnswer,
    RerankRequest,
    ScoreAnswer,
    ScoreRequest,
    TokenizeAnswer,
)
from app.schema.answers import Open
from app.schema.feedback import (
    FitRequest,
    OutcomesAnswer,
    OutcomesRequest,
    RewardsAnswer,
    RewardsRequest,
    SwitchAnswer,
    SwitchRequest,
    VerifyAnswer,
    VerifyRequest,
)

_STATUSES = {
    400: "malformed or invalid",
    401: "no key, or none that is known",
    403: "the key lacks the scope, or asks for a class above its ceiling",
    404: "model or calibration not found",
    409: "revision unavailable",
    413: "body too large or too many items; never retry",
    415: "content type or encoding not supported",
    429: "the key's tokens of the day are used up; Retry-After says until when",
    503: "overloaded; always with Retry-After",
}


def _route(
    request: type[BaseModel], answer: type[BaseModel], statuses: dict[int, str], stream: bool
) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": _inlined(request)}}
    if stream:
        text = 'line 1 {"options": {…}}, then one item a line'
        content["application/x-ndjson"] = {"schema": {"type": "string", "description": text}}
    return {
        "response_model": None,
        "openapi_extra": {"requestBody": {"required": True, "content": content}},
        "responses": {200: {"model": answer}}
        | {
            status: {
                "description": text,
                "content": {"application/problem+json": {"schema": _inlined(Problem)}},
            }
            for status, text in statuses.items()
        },
    }


def foreign(request: type[BaseModel]) -> dict[str, Any]:
    """Of a dialect's route, whose answer is somebody else's and stands in the signature."""
    content = {"application/json": {"schema": _inlined(request)}}
    return {"openapi_extra": {"requestBody": {"required": True, "content": content}}}


def _inlined(model: type[BaseModel]) -> dict[str, Any]:
    """The schema with its definitions put in place: the page's own `$defs` are out of reach here."""
    schema = model.model_json_schema(ref_template="{model}")
    definitions = schema.pop("$defs", {})

    def resolve(node: Any) -> Any:
        if isinstance(node, dict):
            if "$ref" in node:
                return resolve(definitions[node["$ref"]])
            return {key: resolve(value) for key, value in node.items()}
        return [resolve(value) for value in node] if isinstance(node, list) else node

    found: dict[str, Any] = resolve(schema)
    return found


_PROBLEM = {"application/problem+json": {"schema": _inlined(Problem)}}
REFUSALS: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "refused; `code` says why", "content": _PROBLEM},
    "5XX": {"description": "not now; `retryable` says whether to come again", "content": _PROBLEM},
}
READY: dict[str, Any] = {
    "response_class": PlainTextResponse,
    "responses": {503: {"description": "the state", "content": {"text/plain": {}}}},
}
SCORE = _route(ScoreRequest, ScoreAnswer, _STATUSES, stream=True)
SCORE["openapi_extra"]["requestBody"]["content"]["application/json"]["example"] = {
    "trajectories": [
        {
            "messages": [
                {"role": "user", "content": "add() returns the wrong sum."},
                {"role": "assistant", "content": "I change the sign in core.py."},
            ]
        }
    ]
}
_SCORE_ID = "$response.body#/results/0/score_id"
SCORE["responses"][200]["links"] = {
    "read": {"operationId": "read_score", "parameters": {"score_id": _SCORE_ID}},
    "tell": {
        "operationId": "tell_outcomes",
        "requestBody": {
            "outcomes": [{"score_id": _SCORE_ID, "resolved": True, "evidence": "tests"}]
        },
    },
    "reward": {"operationId": "make_rewards", "requestBody": {"items": [{"score_id": _SCORE_ID}]}},
}
RERANK = _route(RerankRequest, RerankAnswer, _STATUSES, stream=True)
TOKENIZE = _route(Item, TokenizeAnswer, _STATUSES | {400: "the item's own code"}, stream=False)

_STORE = {
    400: "malformed or invalid",
    401: "no key, or none that is known",
    403: "the key lacks the scope, or asks for a class above its ceiling",
    404: "this server keeps no outcomes",
    413: "body too large or too many items; never retry",
    415: "content type or encoding not supported",
    503: "the store does not answer; always with Retry-After",
    507: "the store's disk is full; scoring goes on",
}
_ONCE = {409: "the first request with this key still runs", 422: "this key came with another body"}
_RACE = {409: "another generation is active, or the calibration is refused"}
OUTCOMES = _route(OutcomesRequest, OutcomesAnswer, _STORE | _ONCE, stream=False)
REWARDS = _route(RewardsRequest, RewardsAnswer, _STORE, stream=False)
RECEIPT = _route(VerifyRequest, VerifyAnswer, _STORE, stream=False)
FIT = _route(FitRequest, Open, _STORE | _RACE, stream=False)
SWITCH = _route(SwitchRequest, SwitchAnswer, _STORE | _RACE, stream=False)
_FIRST = {
    "id": "$response.body#/calibrations/0/id",
    "expected_generation": "$response.body#/generation",
}
CALIBRATIONS: dict[int | str, dict[str, Any]] = {
    200: {"links": {"switch": {"operationId": "switch_calibration", "requestBody": _FIRST}}}
}
