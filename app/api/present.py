"""Facts → what the wire shows. Also the one place that counts items into the metrics."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from app.api import defects
from app.api.account import Account
from app.api.caller import LOCAL_KEY
from app.api.checks import Named
from app.api.feedback.recording import score_id
from app.api.house import House
from app.api.problems import item_error
from app.errors import ItemError
from app.scorer import Measured, Outcome, Scored
from app.types import Identity, StepScore

_NAMELESS = Named()


def result(
    house: House,
    index: int,
    name: Named,
    outcome: Outcome,
    key_id: str = LOCAL_KEY,
) -> dict[str, Any]:
    """One entry of `results`. A failed one carries no numeric score field at all."""
    head = {
        "index": index,
        "id": name.id,
        "instance_id": _instance(name, outcome),
    }
    if isinstance(outcome, ItemError):
        return head | {"status": "failed", "error": item_error(_with_wait(house, outcome))}
    return head | {"status": "scored"} | _scored(house, outcome, key_id)


def _instance(name: Named, outcome: Outcome) -> str | None:
    if name.instance_id is not None:
        return name.instance_id
    return outcome.prepared.instance_id if isinstance(outcome, Scored) else None


def _scored(house: House, outcome: Scored, key_id: str) -> dict[str, Any]:
    identity = house.scorer.model.identity
    score, prepared = outcome.score, outcome.prepared
    prompt, feedback = prepared.prompt, house.feedback
    return {
        "score_id": score_id(prepared.prompt_digest, identity.system_fingerprint, key_id),
        "trajectory_digest": prepared.digest,
        "probability": score.probability,
        "interval": asdict(score.interval) if score.interval else None,
        "raw_probability": score.raw_probability,
        "logit": score.logit,
        "label_mass": score.label_mass,
        "reward": outcome.reward.value,
        "reward_parts": {
            "score": outcome.reward.score_part,
            "execution": outcome.reward.execution_part,
        },
        "steps": None if outcome.steps is None else [_step(step) for step in outcome.steps],
        "flags": [asdict(flag) for flag in prepared.flags],
        "model": identity.model,
        "revision": identity.revision,
        "template": identity.template,
        "system_fingerprint": identity.system_fingerprint,
        "calibration": score.calibration,
        "source": outcome.source,
        "tokens": {
            "prompt": len(prompt.ids),
            "cached": outcome.cached_tokens,
            "computed": outcome.computed_tokens,
            "steps": outcome.step_tokens,
            "elided": prompt.elided_tokens,
        },
        "elided_turns": prompt.elided_turns,
        "format": prepared.format,
        "timings_ms": {
            "render": _ms(prepared.render_s),
            "wait": _ms(outcome.wait_s),
            "engine": _ms(outcome.engine_s),
        },
        "receipt": feedback.receipt(identity, outcome, key_id) if feedback else None,
    }


def _step(step: StepScore) -> dict[str, Any]:
    return {
        "turn": step.turn,
        "message_index": step.message_index,
        "raw_probability": step.raw_probability,
        "logit": step.logit,
        "probability": step.probability,
    }


def groups(house: House, names: Sequence[Named], outcomes: Mapping[int, Outcome]) -> dict[str, Any]:
    """What each RL group of the request is worth; `advantages` by index of the result."""
    members: dict[str, dict[int, Outcome]] = {}
    sizes: dict[str, int | None] = {}
    for index, name in enumerate(names):
        if name.group is not None:
            members.setdefault(name.group, {})[index] = outcomes[index]
            sizes[name.group] = name.group_size or sizes.get(name.group)
    stats = {
        group: house.scorer.group_stats(found, sizes[group]) for group, found in members.items()
    }
    for each in stats.values():
        state = "incomplete" if not each.complete else "dead" if each.dead else "spread"
        house.metrics.groups.labels(state).inc()
    return {group: asdict(each) for group, each in stats.items()}


def counts(results: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    found = list(results)
    failed = [result["error"] for result in found if result["status"] == "failed"]
    return {
        "scored": len(found) - len(failed),
        "failed": len(failed),
        "retryable": sum(error["retryable"] for error in failed),
    }


def usage(results: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Tokens of each distinct prompt, once: equal prompts have equal score ids.

    `memo_tokens` are those of prompts that cost this request nothing: remembered, or computed for
    another; `computed_tokens` count what the engine computed for it, steps included.
    """
    distinct: dict[str, Mapping[str, Any]] = {}
    found = [r for r in results if r["status"] == "scored"]
    for result in found:
        if result["score_id"] not in distinct or result["source"] == "computed":
            distinct[result["score_id"]] = result
    prompt = sum(r["tokens"]["prompt"] for r in distinct.values())
    cached = sum(r["tokens"]["cached"] for r in distinct.values())
    computed = sum(r["tokens"]["computed"] for r in distinct.values())
    return {
        "prompt_tokens": prompt,
        "completion_tokens": 0,
        "total_tokens": prompt,
        "prompt_tokens_details": {"cached_tokens": cached},
        "computed_tokens": computed + sum(r["tokens"]["steps"] for r in found),
        "memo_tokens": prompt - cached - computed,
    }


def measured(found: Measured, allowed_tokens: int) -> dict[str, Any]:
    """The answer of /tokenize."""
    trajectory, prompt = found.adapted.trajectory, found.prompt
    return {
        "format": found.adapted.format,
        "count": len(prompt.ids),
        "structural_tokens": prompt.structural_tokens,
        "allowed": allowed_tokens,
        "elided_tokens": prompt.elided_tokens,
        "elided_turns": prompt.elided_turns,
        "segments": [_segment(found, at) for at in range(len(prompt.segments))],
        "turns": len(trajectory.turns),
        "issue_chars": len(trajectory.issue),
        "patch_chars": len(trajectory.patch or ""),
        "exit": trajectory.exit,
    }


def _segment(found: Measured, at: int) -> dict[str, Any]:
    shown = asdict(found.prompt.segments[at]) | {"elided_tokens": found.elided_tokens[at]}
    if found.pieces is None:
        return shown
    return shown | {"pieces": [asdict(piece) for piece in found.pieces[at]]}


def head(kind: str, identity: Identity, request_id: str) -> dict[str, Any]:
    """How every answer begins; `kind` is score or rerank."""
    return {
        "id": f"{kind}-{request_id}",
        "created": int(time.time()),
        "model": identity.model,
        "trained": identity.trained,
    }


def record(
    house: House,
    account: Account,
    route: str,
    index: int,
    outcome: Outcome,
    name: Named = _NAMELESS,
) -> None:
    """Counts one finished item, bills it, and hands a score to the store."""
    metrics, key_id = house.metrics, account.caller.key_id
    account.item(index, outcome)
    if isinstance(outcome, ItemError):
        metrics.items.labels(route, outcome.code).inc()
        if outcome.defect:
            defects.note(house, route, outcome.defect, account.request_id)
        return
    prompt = outcome.prepared.prompt
    billed_tokens = outcome.computed_tokens + outcome.step_tokens
    house.access.bill(key_id, billed_tokens)
    metrics.access.tokens.labels(key_id).inc(billed_tokens)
    if house.feedback:
        house.feedback.keep(house.scorer.model.identity, outcome, name, key_id)
    metrics.sources.labels(outcome.source).inc()
    metrics.items.labels(route, "scored").inc()
    stages = {"render": outcome.prepared.render_s, "wait": outcome.wait_s}
    if outcome.source == "computed":
        stages["engine"] = outcome.engine_s
    for stage, seconds in stages.items():
        metrics.stage_s.labels(stage).observe(seconds)
    metrics.prompt_tokens.observe(len(prompt.ids))
    for kind in {flag.kind for flag in outcome.prepared.flags}:
        metrics.flags.labels(kind).inc()
    metrics.tokens.labels("cached").inc(outcome.cached_tokens)
    metrics.tokens.labels("computed").inc(outcome.computed_tokens)
    if outcome.source != "computed":
        metrics.tokens.labels("memo").inc(len(prompt.ids))
    metrics.tokens.labels("steps").inc(outcome.step_tokens)
    metrics.tokens.labels("elided").inc(prompt.elided_tokens)
    metrics.probability.observe(outcome.score.probability)
    metrics.label_mass.observe(outcome.score.label_mass)


def timings(parse_s: float, received_at: float) -> Mapping[str, float]:
    return {"parse": _ms(parse_s), "total": _ms(time.monotonic() - received_at)}


def _with_wait(house: House, error: ItemError) -> ItemError:
    if error.retryable and error.retry_after_s is None:
        error.retry_after_s = round(house.scorer.admission.retry_after_s(), 1)
    return error


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
