"""slime's and miles' `--rm-type remote_rm --rm-url http://host/rm`: the answer is the reward itself.

The client retries every failure ten times, refused input too, so refusals are cheap.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from app.api.dialects.flow import (
    Foreign,
    attempt,
    chat_work,
    literal_work,
    read_foreign,
    reward_all,
)
from app.api.documents import foreign
from app.api.house import House
from app.errors import InvalidRequest

router = APIRouter()
_TIMEOUT_S = 110.0  # the client gives up after 120


class _Body(Foreign):
    prompt: str | list[Any]
    response: str


@router.post("/rm", response_model=None, **foreign(_Body))
async def rm(
    request: Request, response: Response, full: bool = False, literal: bool = False
) -> float | dict[str, Any]:
    """A bare number; with `?full=1` an object for `--reward-key reward`. With `?literal=1` prompt and
    response together are the verifier's whole prompt, for keys that may."""
    house: House = request.app.state.house
    body = await read_foreign(request, house, _Body)
    if literal:
        work = attempt(literal_work, request, _text(body.prompt) + body.response)
    else:
        work = attempt(chat_work, body.prompt, body.response)
    (found,) = await reward_all(
        request, house, response, [work], field="response", timeout_s=_TIMEOUT_S
    )
    if not full:
        return found.value
    if found.scored is None:
        return {"reward": found.value}
    score = found.scored.score
    return {
        "reward": found.value,
        "raw_probability": score.raw_probability,
        "logit": score.logit,
        "label_mass": score.label_mass,
        "calibration": score.calibration,
        "revision": house.scorer.model.identity.revision,
    }


def _text(prompt: str | list[Any]) -> str:
    if isinstance(prompt, str):
        return prompt
    message = "prompt: literal text is needed, not messages"
    raise InvalidRequest(message, param="prompt")
