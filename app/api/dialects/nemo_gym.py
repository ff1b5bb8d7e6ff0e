"""NeMo-Gym's resources server, as the verifiers taskset calls it: `/seed_session`, then `/verify`.

`/verify` echoes the body, for the client deletes `responses_create_params` and `response` from the
answer and would fail without them, and adds `reward`.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from app.api.dialects.flow import Foreign, read_foreign, reward_all
from app.api.documents import foreign
from app.api.house import House
from app.scorer import Work

router = APIRouter()
_TIMEOUT_S = 55.0  # the client gives up after 60
_TOLD = ("issue", "problem_statement")


class _Row(Foreign):
    responses_create_params: dict[str, Any]
    response: dict[str, Any]


@router.post("/seed_session")
async def seed_session() -> dict[str, Any]:
    """There is no session to seed; the client only wants an answer."""
    return {}


@router.post("/verify", **foreign(_Row))
async def verify(request: Request, response: Response) -> dict[str, Any]:
    """A row of the dataset with the model's `response`; back with `reward`."""
    house: House = request.app.state.house
    row = await read_foreign(request, house, _Row)
    sent = row.model_dump()
    issue = next((sent[key] for key in _TOLD if isinstance(sent.get(key), str)), None)
    work = Work("document", sent, issue=issue)
    (found,) = await reward_all(
        request, house, response, [work], field="response", timeout_s=_TIMEOUT_S
    )
    if found.scored is None:
        return sent | {"reward": found.value}
    score = found.scored.score
    return sent | {
        "reward": found.value,
        "swe_rm_logit": score.logit,
        "swe_rm_label_mass": score.label_mass,
    }
