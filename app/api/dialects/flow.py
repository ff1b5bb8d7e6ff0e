"""What all dialects share: JSON in, works through the corridor, every score or one named error."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict

from app.api import present
from app.api.account import account_of
from app.api.body import read_value
from app.api.caller import caller_of
from app.api.checks import problems
from app.api.house import House
from app.api.job import until_gone
from app.errors import Empty, Forbidden, Invalid, InvalidRequest, ItemError, TooManyItems
from app.scorer import Order, Outcome, Scored, Taken, Work, is_chat_text
from app.types import Priority

_Body = TypeVar("_Body", bound=BaseModel)
_CHAT_MARK = "<|im_start|>"
_UNSCORED_HEADER = "x-swe-rm-unscored"
_ROLES = ("system", "developer", "user", "assistant", "tool")


class Foreign(BaseModel):
    """A body of somebody else's making: fields that we do not know are none of our business."""

    model_config = ConfigDict(extra="allow", frozen=True)


async def read_foreign(request: Request, house: House, kind: type[_Body]) -> _Body:
    """Raises `InvalidRequest` naming the field, and what `House.refuse_when_shut` raises."""
    house.refuse_when_shut()
    with house.bodies.account() as hold:
        value = await read_value(request, house, hold, house.limits.max_body_bytes)
    try:
        return kind.model_validate(value)
    except (ValueError, UnicodeError) as cause:
        found = problems(cause)
        raise InvalidRequest(found[0]["message"], param=found[0]["param"]) from cause


@dataclass(frozen=True, slots=True)
class Rewarded:
    """A reward for a dialect; `scored` is None where it is what the operator set for this key to be
    said of an item that can never be scored."""

    value: float
    scored: Scored | None


async def reward_all(
    request: Request,
    house: House,
    response: Response,
    works: Sequence[Work | ItemError],
    *,
    field: str,
    timeout_s: float,
    listed: bool = False,
) -> list[Rewarded]:
    """Every work's reward, in order. Raises the first error that no `unscored_reward` of the key may
    stand for: any at all without one, and always what a retry may mend. `listed`: the field is a
    list, and the error names the place in it."""
    outcomes = await _outcomes(request, house, works, field, timeout_s, "rollout")
    stand_in = caller_of(request).unscored_reward
    rewards, codes = [], set()
    for index, outcome in enumerate(outcomes):
        if isinstance(outcome, Scored):
            rewards.append(Rewarded(outcome.score.probability, outcome))
            continue
        if stand_in is None or outcome.retryable:
            raise _named(outcome, f"{field}[{index}]" if listed else field)
        rewards.append(Rewarded(stand_in, None))
        codes.add(outcome.code)
        house.metrics.access.unscored_rewards.labels(outcome.code).inc()
    if codes:
        response.headers[_UNSCORED_HEADER] = ", ".join(sorted(codes))
    return rewards


def attempt(make: Callable[..., Work], *given: object) -> Work | ItemError:
    """A work, or the error of the one that cannot be made."""
    try:
        return make(*given)
    except ItemError as error:
        return error


async def score_all(
    request: Request,
    house: House,
    works: Sequence[Work],
    *,
    field: str,
    timeout_s: float,
    priority: Priority = "rollout",
    listed: bool = False,
) -> list[Scored]:
    """Every work's score, in order. Raises the first item's error; `listed` as in `reward_all`."""
    outcomes = await _outcomes(request, house, works, field, timeout_s, priority)
    for index, outcome in enumerate(outcomes):
        if isinstance(outcome, ItemError):
            raise _named(outcome, f"{field}[{index}]" if listed else field)
    return [outcome for outcome in outcomes if isinstance(outcome, Scored)]


async def _outcomes(
    request: Request,
    house: House,
    works: Sequence[Work | ItemError],
    field: str,
    timeout_s: float,
    priority: Priority,
) -> list[Outcome]:
    house.refuse_when_shut()
    if len(works) > house.limits.max_items:
        message = (
            f"{field}: {len(works)} items; {house.limits.max_items} are allowed in one request"
        )
        raise TooManyItems(message, param=field)
    request.state.priority = priority
    loop = asyncio.get_running_loop()
    account, received_at = account_of(request), request.state.received_at
    elapsed_s = time.monotonic() - received_at
    account.parsed(received_at, elapsed_s)
    order = Order(
        deadline=loop.time() - elapsed_s + timeout_s,
        calibrator=house.scorer.calibrator("active"),
        priority=account.caller.lowered(priority),
        key_id=account.caller.key_id,
    )
    take = house.scorer.take(works, order)
    taken = await until_gone(request.receive, take, undo=Taken.abandon)
    account.taken()
    async with taken:
        outcomes = await until_gone(request.receive, taken.all())
    for index, outcome in enumerate(outcomes):
        present.record(house, account, request.scope["route"].path, index, outcome)
    return outcomes


def usage(scored: Sequence[Scored]) -> dict[str, Any]:
    """OpenAI's counts; each item counts."""
    prompt = sum(len(one.prepared.prompt.ids) for one in scored)
    cached = sum(one.cached_tokens for one in scored)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": 0,
        "total_tokens": prompt,
        "prompt_tokens_details": {"cached_tokens": cached},
    }


def text_work(text: str, issue: str | None = None) -> Work:
    """Rendered chat text says itself what the issue is; other text needs to be told."""
    if is_chat_text(text):
        return Work("document", text)
    return Work("document", text, format="plain-text", issue=issue or None)


def literal_work(request: Request, text: str) -> Work:
    """The text as the prompt itself, control tokens and all. Raises `Forbidden` for a key that lacks
    the scope, and `Empty` where there is none."""
    if not caller_of(request).trusts_prompts:
        message = "literal: needs the scope trusted_prompt (a server without keys: --trust-prompts)"
        raise Forbidden(message, param="literal")
    if not text:
        message = "the prompt is empty"
        raise Empty(message)
    return Work("prompt", text)


def chat_work(prompt: str | Sequence[Any], response: str) -> Work:
    """A prompt and what was answered to it, which may be a whole rendered conversation."""
    if isinstance(prompt, str):
        if is_chat_text(prompt) or _CHAT_MARK in response:
            return Work("document", _as_chat(prompt, response))
        return Work("messages", [_message("user", prompt), _message("assistant", response)])
    if _CHAT_MARK in response:
        rendered = "".join(_rendered(message) for message in prompt)
        return Work("document", _as_chat(rendered, response))
    return Work("messages", [*prompt, _message("assistant", response)])


def _as_chat(prompt: str, response: str) -> str:
    if not is_chat_text(prompt):
        prompt = f"{_CHAT_MARK}user\n{prompt}<|im_end|>\n"
    if not prompt.rstrip().endswith(f"{_CHAT_MARK}assistant"):
        prompt += f"{_CHAT_MARK}assistant\n"
    return prompt + response


def _rendered(message: Any) -> str:
    role = message.get("role") if isinstance(message, dict) else None
    content = (message.get("content") or "") if isinstance(message, dict) else None
    if role not in _ROLES or not isinstance(content, str):
        problem = "prompt: every message needs a known role, and text beside a rendered response"
        raise Invalid(problem)
    return f"{_CHAT_MARK}{role}\n{content}<|im_end|>\n"


def _message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def _named(error: ItemError, place: str) -> ItemError:
    return type(error)(
        f"{place}: {error.message}",
        limits=error.limits,
        retry_after_s=error.retry_after_s,
        param=place,
    )
