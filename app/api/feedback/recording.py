"""Facts of a score → the row of it, and its receipt."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from typing import Any

from app.api.checks import Named
from app.outcomes import Report, ScoreFacts
from app.scorer import Outcome, Scored
from app.types import Identity


def score_id(prompt_digest: str, fingerprint: str, key_id: str) -> str:
    """Identity is content: a retry and another replica give the same id."""
    text = "\0".join((key_id, prompt_digest, fingerprint))
    return "sc-" + hashlib.sha256(text.encode()).hexdigest()[:40]


def facts_of(identity: Identity, scored: Scored, name: Named, key_id: str) -> ScoreFacts:
    """What the store keeps of a score: numbers and names, and text only where `name` carries it."""
    score, prepared = scored.score, scored.prepared
    return ScoreFacts(
        score_id=score_id(prepared.prompt_digest, identity.system_fingerprint, key_id),
        trajectory_digest=prepared.digest,
        prompt_digest=prepared.prompt_digest,
        model=identity.model,
        revision=identity.revision,
        template=identity.template,
        system_fingerprint=identity.system_fingerprint,
        calibration=score.calibration,
        logit=score.logit,
        probability=score.probability,
        raw_probability=score.raw_probability,
        label_mass=score.label_mass,
        key_id=key_id,
        created_at=time.time(),
        instance_id=name.instance_id or prepared.instance_id,
        group=name.group,
        tags=name.tags,
        document=name.document,
    )


def claims_of(identity: Identity, scored: Scored, key_id: str) -> dict[str, Any]:
    """What a receipt is signed over."""
    prompt_digest = scored.prepared.prompt_digest
    return {
        "score_id": score_id(prompt_digest, identity.system_fingerprint, key_id),
        "prompt_digest": prompt_digest,
        "model": identity.model,
        "revision": identity.revision,
        "template": identity.template,
        "calibration": scored.score.calibration,
        "probability": scored.score.probability,
        "time": int(time.time()),
    }


def executions(identity: Identity, outcomes: Iterable[Outcome], key_id: str) -> list[Report]:
    """The executions that came with scored items, as outcomes of their scores."""
    return [
        Report(
            resolved=each.prepared.execution == "resolved",
            evidence="tests",
            score_id=score_id(each.prepared.prompt_digest, identity.system_fingerprint, key_id),
        )
        for each in outcomes
        if isinstance(each, Scored) and each.prepared.execution
    ]
