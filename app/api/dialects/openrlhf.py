"""OpenRLHF's `--reward.remote_url http://host/get_reward`.

It sends one sample a call today, and empty lists to all URLs but the first: these answer empty lists.
`extra_logs` may hold numbers only, for the client puts each into a tensor.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import Field

from app.api.dialects.flow import (
    Foreign,
    attempt,
    literal_work,
    read_foreign,
    reward_all,
    text_work,
)
from app.api.documents import foreign
from app.api.house import House
from app.errors import InvalidRequest, ItemError
from app.scorer import Work

router = APIRouter()
_TIMEOUT_S = 170.0  # the client gives up after 180


class _Body(Foreign):
    query: list[str]
    prompts: list[str] = Field(default_factory=list)


@router.post("/get_reward", **foreign(_Body))
async def get_reward(request: Request, response: Response, literal: bool = False) -> dict[str, Any]:
    """`query` is prompt and response, decoded with control tokens; `prompts` the prompt alone. With
    `?literal=1` a query is the verifier's whole prompt, for keys that may."""
    house: House = request.app.state.house
    body = await read_foreign(request, house, _Body)
    if body.prompts and len(body.prompts) != len(body.query):
        message = f"prompts: {len(body.prompts)} of them for {len(body.query)} queries"
        raise InvalidRequest(message, param="prompts")
    prompts = body.prompts or [""] * len(body.query)
    pairs = zip(body.query, prompts, strict=True)
    works: list[Work | ItemError] = [
        attempt(literal_work, request, text) if literal else text_work(text, prompt)
        for text, prompt in pairs
    ]
    if not works:
        return {"rewards": [], "scores": [], "extra_logs": {}}
    found = await reward_all(
        request, house, response, works, field="query", timeout_s=_TIMEOUT_S, listed=True
    )
    rewards = [one.value for one in found]
    scored = [one.scored for one in found if one.scored]
    if len(scored) < len(found):  # a log without a number for each would be read as the others'
        return {"rewards": rewards, "scores": rewards, "extra_logs": {}}
    logs = {
        "logit": [one.score.logit for one in scored],
        "label_mass": [one.score.label_mass for one in scored],
        "prompt_tokens": [len(one.prepared.prompt.ids) for one in scored],
    }
    return {"rewards": rewards, "scores": rewards, "extra_logs": logs}
