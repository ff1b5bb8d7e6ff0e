"""vLLM's `/classify`, as the OpenHands critic client and verl's reward loop read it.

Model `critic`: 27 probabilities, success first; the 26 others are 0.0, which here means "not
assessed" (the client acts on them from 0.75 on). Any other model: [1 - p, p], or with
`use_activation: false` the logit alone; verl reads the last one.
"""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter, Request, Response

from app.api.dialects.flow import (
    Foreign,
    Rewarded,
    attempt,
    literal_work,
    read_foreign,
    reward_all,
    text_work,
    usage,
)
from app.api.documents import foreign
from app.api.house import House

router = APIRouter()
_TIMEOUT_S = 290.0  # the client gives up after 300
_CRITIC = "critic"
_CRITIC_LABELS = 27


class _Body(Foreign):
    model: str | None = None
    input: str | list[str]
    use_activation: bool | None = None


@router.post("/classify", **foreign(_Body))
async def classify(request: Request, response: Response, literal: bool = False) -> dict[str, Any]:
    """`input` is rendered chat text (or plain: first line the issue), or a list of it. With
    `?literal=1` each is the verifier's whole prompt, for keys that may."""
    house: House = request.app.state.house
    body = await read_foreign(request, house, _Body)
    texts = [body.input] if isinstance(body.input, str) else body.input
    works = [attempt(literal_work, request, text) if literal else text_work(text) for text in texts]
    found = await reward_all(
        request,
        house,
        response,
        works,
        field="input",
        timeout_s=_TIMEOUT_S,
        listed=isinstance(body.input, list),
    )
    data = []
    for index, one in enumerate(found):
        probs = _probs(body, one)
        label = "success" if one.value >= 0.5 else "failure"
        data.append({"index": index, "label": label, "probs": probs, "num_classes": len(probs)})
    return {
        "id": f"classify-{request.state.request_id}",
        "object": "list",
        "created": int(time.time()),
        "model": body.model or house.scorer.model.identity.model,
        "data": data,
        "usage": usage([one.scored for one in found if one.scored]),
    }


def _probs(body: _Body, one: Rewarded) -> list[float]:
    success = one.value
    if body.model == _CRITIC:
        return [success] + [0.0] * (_CRITIC_LABELS - 1)
    if body.use_activation is False:
        return [one.scored.score.logit if one.scored else one.value]
    return [1.0 - success, success]
