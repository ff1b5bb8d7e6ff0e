"""Foreign shapes of `/rerank`, told apart by key: `documents` (Cohere v1 and v2, Jina, vLLM, LiteLLM)
and `texts` (Text Embeddings Inference).

`query` is the issue, each document what `trajectory` may be. One bad document fails the request, and
the message names its index: these clients know no failed item.
"""

from __future__ import annotations

import time
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from app.api.checks import problems
from app.api.dialects.flow import Foreign, score_all, usage
from app.api.house import House
from app.api.parse import Body
from app.errors import InvalidRequest
from app.scorer import Scored, Work

_TIMEOUT_S = 290.0  # Cohere's SDK gives up after 300
_KEYS = ("documents", "texts")


class _Query(Foreign):
    query: str
    documents: list[Any] | None = None
    texts: list[Any] | None = None
    model: str | None = None
    top_n: int | None = Field(default=None, ge=1)
    return_documents: bool | None = None
    return_text: bool = False
    raw_scores: bool = False


def is_foreign(body: Body) -> bool:
    return body.items is None and any(key in body.fields for key in _KEYS)


async def answer(request: Request, house: House, body: Body) -> Response:
    """Raises what the native route raises, and the first bad document's own error."""
    try:
        asked = _Query.model_validate(body.fields)
    except (ValueError, UnicodeError) as cause:
        found = problems(cause)
        raise InvalidRequest(found[0]["message"], param=found[0]["param"]) from cause
    if asked.texts is not None and asked.documents is not None:
        message = "texts and documents: one of them is needed, not both"
        raise InvalidRequest(message, param="texts")
    key = "texts" if asked.texts is not None else "documents"
    documents = asked.texts if asked.texts is not None else asked.documents
    if not documents:
        message = f"{key}: a list of at least one document is needed"
        raise InvalidRequest(message, param=key)
    works = [_work(document, asked.query) for document in documents]
    scored = await score_all(
        request,
        house,
        works,
        field=key,
        timeout_s=_TIMEOUT_S,
        priority="interactive",
        listed=True,
    )
    ranking = house.scorer.rank(scored, require_all=True)
    order = [place.index for place in ranking.order][: asked.top_n]
    if asked.texts is not None:
        return JSONResponse([_tei(asked, i, scored[i], documents[i]) for i in order])
    return JSONResponse(_union(request, house, asked, documents, scored, order))


def _work(document: Any, query: str) -> Work:
    """A document in any format; an object whose only content is `text` is that text."""
    if isinstance(document, dict) and isinstance(document.get("text"), str):
        document = document["text"]
    return Work("document", document, issue=query or None)


def _tei(asked: _Query, index: int, one: Scored, document: Any) -> dict[str, Any]:
    score = one.score.logit if asked.raw_scores else one.score.probability
    entry = {"index": index, "score": score}
    return entry | ({"text": document} if asked.return_text else {})


def _union(
    request: Request,
    house: House,
    asked: _Query,
    documents: list[Any],
    scored: list[Scored],
    order: list[int],
) -> dict[str, Any]:
    """One object that Cohere's, Jina's and vLLM's clients all read."""
    results = []
    for index in order:
        entry: dict[str, Any] = {
            "index": index,
            "relevance_score": scored[index].score.probability,
            "logit": scored[index].score.logit,
        }
        if asked.return_documents:
            document = documents[index]
            entry["document"] = document if isinstance(document, dict) else {"text": document}
        results.append(entry)
    counted = usage(scored)
    return {
        "id": f"rerank-{request.state.request_id}",
        "object": "rerank",
        "created": int(time.time()),
        "model": asked.model or house.scorer.model.identity.model,
        "results": results,
        "usage": counted,
        "meta": {
            "api_version": {"version": "2"},
            "billed_units": {"search_units": 1},
            "tokens": {"input_tokens": counted["prompt_tokens"]},
        },
    }
