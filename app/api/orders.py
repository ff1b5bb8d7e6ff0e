"""What a request asks for → the order it gives the corridor, and the works of its items."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any

from app.api.caller import Caller
from app.api.checks import read_item
from app.api.house import DEFAULT_TIMEOUT_S, MAX_TIMEOUT_S, House
from app.errors import (
    Empty,
    Forbidden,
    Invalid,
    InvalidRequest,
    ItemError,
    ModelNotFound,
    RevisionUnavailable,
)
from app.schema import CommonOptions, Item, RerankOptions, ScoreOptions
from app.schema.requests import StepsEvery, StepsLast, StepsTurns
from app.scorer import FLAG_KINDS, Order, RewardPolicy, StepChoice, Work
from app.types import PassedTests, Priority


def order_of(house: House, caller: Caller, options: CommonOptions, received_at: float) -> Order:
    _refuse_what_is_not_served(house, options)
    _check_model(house, options.model)
    priority = _granted(caller, options)
    timeout_s = options.timeout_s or DEFAULT_TIMEOUT_S[priority]
    if timeout_s > MAX_TIMEOUT_S:
        message = f"timeout_s: {timeout_s:g} is above {MAX_TIMEOUT_S:g}"
        raise InvalidRequest(message, param="timeout_s")
    elapsed_s = time.monotonic() - received_at
    order = Order(
        deadline=asyncio.get_running_loop().time() - elapsed_s + timeout_s,
        calibrator=house.scorer.calibrator(options.calibration),
        priority=priority,
        on_overflow=options.on_overflow,
        fail_on_flags=frozenset(options.fail_on_flags or ()),
        memo=options.memo,
        key_id=caller.key_id,
        ceiling=caller.ceiling,
    )
    if isinstance(options, ScoreOptions):
        policy = RewardPolicy(**options.reward.model_dump())
        return replace(order, steps=_steps(options), reward=policy)
    hybrid = isinstance(options, RerankOptions) and options.strategy == "hybrid"
    return replace(order, needs_tests=hybrid)


def _granted(caller: Caller, options: CommonOptions) -> Priority:
    """A class that was asked for by name is granted or refused: `Forbidden`. A default is lowered."""
    granted = caller.lowered(options.priority)
    if granted != options.priority and "priority" in options.model_fields_set:
        message = (
            f"priority: {options.priority} is above {caller.ceiling}, the most urgent class that the "
            f"key {caller.key_id} may ask for"
        )
        raise Forbidden(message, param="priority")
    return granted


def _steps(options: ScoreOptions) -> StepChoice:
    match options.steps:
        case StepsEvery(every=count):
            return StepChoice("every", count)
        case StepsLast(last=count):
            return StepChoice("last", count)
        case StepsTurns(turns=turns):
            return StepChoice("turns", turns=tuple(turns))
        case kind:
            return StepChoice(kind)


def _refuse_what_is_not_served(house: House, options: CommonOptions) -> None:
    """Fields of the contract that this version does not fill are refused, never ignored."""
    if isinstance(options, ScoreOptions) and options.record_execution and not house.feedback:
        message = "record_execution: this server keeps no outcomes; GET /info lists its features"
        raise InvalidRequest(message, param="record_execution")
    unknown = set(options.fail_on_flags or ()) - set(FLAG_KINDS)
    if unknown:
        named = min(unknown).encode("ascii", "replace").decode()
        message = f"fail_on_flags: {named!r} is no kind of flag; GET /info lists all"
        raise InvalidRequest(message, param="fail_on_flags")


def _check_model(house: House, wanted: str | None) -> None:
    if wanted is None:
        return
    identity = house.scorer.model.identity
    name, _, revision = wanted.partition("@")
    if name != identity.model:
        message = f"there is no model {name[:80]!r}; this server has {identity.model}"
        raise ModelNotFound(message, param="model")
    if revision and revision != identity.revision:
        message = f"{name} is here as {identity.revision}, not as the revision asked for"
        raise RevisionUnavailable(message, param="model")


def work_or_error(
    caller: Caller, value: object | ItemError, options: CommonOptions
) -> Work | ItemError:
    if isinstance(value, ItemError):
        return value
    try:
        return work_of(caller, read_item(value), options)
    except ItemError as error:
        return error


def work_of(caller: Caller, item: Item, options: CommonOptions | None) -> Work:
    """What the corridor is given. Raises `Invalid` for a trusted prompt where none are trusted."""
    if item.trajectory is None and item.format != "auto":
        message = "format: says how `trajectory` is read; messages and prompt have but one format"
        raise Invalid(message)
    issue = item.issue
    if issue is None and isinstance(options, RerankOptions):
        issue = options.issue
    facts = _facts(item)
    if item.prompt is not None:
        if not caller.trusts_prompts:
            message = (
                "prompt: needs the scope trusted_prompt (a server without keys: --trust-prompts)"
            )
            raise Invalid(message)
        if not item.prompt:
            message = "the prompt is empty"
            raise Empty(message)
        return Work("prompt", item.prompt, **facts)
    if item.messages is not None:
        return Work("messages", item.messages, issue=issue, patch=item.patch, **facts)
    return Work("document", item.trajectory, item.format, issue, item.patch, **facts)


def _facts(item: Item) -> dict[str, Any]:
    """Whose trajectory the item is, which step of training waits for it, and what came of running it."""
    facts: dict[str, Any] = {"policy": item.tags.get("policy")}
    step, known = item.tags.get("policy_step", ""), item.execution
    if step.isascii() and step.isdigit():
        facts["policy_step"] = int(step)
    if known is None:
        return facts
    tests = None
    if known.regression and known.reproduction:
        tests = PassedTests(known.regression.passed, known.reproduction.passed)
    return facts | {"execution": known.outcome, "tests": tests}
