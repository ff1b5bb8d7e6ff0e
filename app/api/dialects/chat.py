"""`/v1/chat/completions` as a façade: for R2E-Gym's verifier script and SWE-agent's score loop.

The first reads `choices[0].logprobs.content[4].top_logprobs` for YES and NO (behind the four tokens
of `<judgement>`), the second the last number of the reply. One reply serves both. Nothing is
generated, and the sampling fields of the request are not looked at.
"""

from __future__ import annotations

import json
import math
import re
import time
from typing import Any

from fastapi import APIRouter, Request

from app.api.dialects.flow import Foreign, read_foreign, score_all, text_work, usage
from app.api.documents import foreign
from app.api.house import House
from app.errors import Invalid, InvalidRequest
from app.scorer import Work

router = APIRouter()
_TIMEOUT_S = 110.0  # R2E-Gym gives up after 120
_PREFIX = ("<", "judge", "ment", ">")
_FLOOR = 1e-12  # a logarithm must stay finite
_BLOCK = re.compile(r"\[(USER|ASSISTANT|PATCH|ISSUE|SYSTEM)\]\n?")
_TURN = re.compile(r"\*\*\* Turn \d{1,6} - (USER|ASSISTANT|SYSTEM) \*\*\*\n?")


class _Body(Foreign):
    messages: list[dict[str, Any]]
    model: str | None = None
    stream: bool | None = None


@router.post("/v1/chat/completions", **foreign(_Body))
async def completions(request: Request) -> dict[str, Any]:
    """A judge's prompt in; YES or NO with log-probabilities, and the probability as the last line."""
    house: House = request.app.state.house
    body = await read_foreign(request, house, _Body)
    if body.stream:
        message = "stream: this façade answers in one piece"
        raise InvalidRequest(message, param="stream")
    work = _judged(body.messages)
    (one,) = await score_all(
        request, house, [work], field="messages", timeout_s=_TIMEOUT_S, priority="interactive"
    )
    probability = one.score.probability
    word = "YES" if probability >= 0.5 else "NO"
    choice = {
        "index": 0,
        "finish_reason": "stop",
        "message": {
            "role": "assistant",
            "content": f"<judgement>{word}</judgement>\n{probability:.6f}",
        },
        "logprobs": {"content": _logprobs(word, probability)},
    }
    return {
        "id": f"chatcmpl-{request.state.request_id}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": body.model or house.scorer.model.identity.model,
        "choices": [choice],
        "usage": usage([one]),
    }


def _logprobs(word: str, probability: float) -> list[dict[str, Any]]:
    chances = {"YES": probability, "NO": 1.0 - probability}
    tops = [_token(name, math.log(max(chance, _FLOOR))) for name, chance in chances.items()]
    tops.sort(key=lambda entry: -float(entry["logprob"]))
    answer = _token(word, math.log(max(chances[word], _FLOOR))) | {"top_logprobs": tops}
    return [_token(piece, 0.0) | {"top_logprobs": []} for piece in _PREFIX] + [answer]


def _token(text: str, logprob: float) -> dict[str, Any]:
    return {"token": text, "logprob": logprob, "bytes": list(text.encode())}


def _judged(messages: list[dict[str, Any]]) -> Work:
    """What the judge is asked about: the log in its last user message."""
    texts = [m.get("content") for m in messages if m.get("role") == "user"]
    if not texts or not isinstance(texts[-1], str) or not texts[-1].strip():
        message = "messages: the last user message must be text that holds the trajectory"
        raise Invalid(message)
    text = texts[-1]
    told = _log_messages(text, _BLOCK) or _log_messages(text, _TURN)
    if told is None:
        return text_work(text)
    found, patch = told
    return Work("document", json.dumps({"messages": found, "model_patch": patch}))


def _log_messages(
    text: str, heading: re.Pattern[str]
) -> tuple[list[dict[str, str]], str | None] | None:
    """The blocks of an interaction log as messages, and the patch; None when it is no such log."""
    found: list[dict[str, str]] = []
    patch = None
    headings = list(heading.finditer(text))
    for at, head in enumerate(headings):
        end = headings[at + 1].start() if at + 1 < len(headings) else len(text)
        kind = head[1]
        inside = text[head.end() : end].partition(f"[/{kind}]")[0].strip("\n")
        if kind == "PATCH":
            patch = inside
        else:
            role = "user" if kind == "ISSUE" else kind.lower()
            found.append({"role": role, "content": inside})
    if not any(message["role"] == "assistant" for message in found):
        return None
    return found, patch
