"""One item, from its document to its prompt. Runs in the bounded pool, off the loop."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Literal

from app import adapters, audit, rewards
from app.admission import chain_of
from app.errors import Flagged, Invalid, NoExecution
from app.render import Renderer
from app.scorer import steps
from app.scorer.facts import Measured, Order, Prepared, Work
from app.scorer.keys import key_of
from app.types import Adapted, Flag


def prepare(work: Work, order: Order, renderer: Renderer, fingerprint: str) -> Prepared:
    """Adapted, audited and rendered. `fingerprint` is the engine's, for the memo's key. Raises the
    item's own error."""
    started = time.perf_counter()
    rewards.check(order.reward, work.execution)
    if order.needs_tests and work.tests is None:
        message = "hybrid ranking needs execution.regression and execution.reproduction"
        raise NoExecution(message)
    flags: tuple[Flag, ...] = ()
    name, instance_id, turns = "prompt", None, 0
    if work.source == "prompt":
        if not isinstance(work.content, str):
            message = "prompt must be text"
            raise Invalid(message)
        prompt = renderer.render_trusted(work.content)
        digest = prompt.digest
    else:
        adapted = _adapt(work)
        name, instance_id = adapted.format, adapted.instance_id
        turns = len(adapted.trajectory.turns)
        flags = audit.audit(adapted.trajectory)
        _refuse_flagged(flags, order.fail_on_flags)
        prompt = renderer.render(adapted.trajectory, order.on_overflow)
        digest = adapted.trajectory.digest
    chosen = order.steps.of(turns)
    return Prepared(
        prompt=prompt,
        digest=digest,
        format=name,
        instance_id=instance_id,
        flags=flags,
        execution=work.execution,
        tests=work.tests,
        turns=chosen,
        cost_tokens=len(prompt.ids) + steps.extra_tokens(prompt.segments, len(chosen)),
        render_s=time.perf_counter() - started,
        prompt_digest=prompt.digest,
        key=key_of(prompt.ids, fingerprint),
        chain=chain_of(prompt.ids),
        policy=work.policy,
        policy_step=work.policy_step,
    )


def measure(
    work: Work, renderer: Renderer, on_overflow: Literal["error", "elide"], texts: bool
) -> Measured:
    """Rendered whole, however long it is, or with `elide` as it would be scored. Raises the item's own
    error."""
    adapted = _adapt(work)
    whole = prompt = renderer.encode(adapted.trajectory)
    if on_overflow == "elide" and len(whole.ids) > renderer.allowed_tokens:
        prompt = renderer.render(adapted.trajectory, on_overflow)
    pairs = zip(whole.segments, prompt.segments, strict=True)
    elided = tuple((w.end - w.start) - (p.end - p.start) for w, p in pairs)
    pieces = renderer.pieces(prompt) if texts else None
    return Measured(prompt, adapted, elided, pieces)


def _refuse_flagged(flags: Sequence[Flag], unwanted: frozenset[str]) -> None:
    found = sorted({flag.kind for flag in flags} & unwanted)
    if found:
        message = f"the request asked to fail on {', '.join(found)}, and the trajectory shows it"
        raise Flagged(message)


def _adapt(work: Work) -> Adapted:
    try:
        if work.source == "messages":
            return adapters.adapt_messages(work.content, issue=work.issue, patch=work.patch)
        return adapters.adapt(work.content, format=work.format, issue=work.issue, patch=work.patch)
    except RecursionError as cause:
        message = "the document is nested too deep"
        raise Invalid(message) from cause
