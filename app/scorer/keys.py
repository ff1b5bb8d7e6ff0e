"""What the memo knows a verdict by: a digest of the token ids and of all that may change a logit."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Sequence

from app.types import Prompt


def key_of(ids: array[int], fingerprint: str) -> bytes:
    digest = _begun(fingerprint)
    digest.update(ids)
    return digest.digest()


def step_keys(prompt: Prompt, turns: Sequence[int], fingerprint: str) -> dict[int, bytes]:
    """The keys of the step prompts after `turns`, ascending; what they share is digested once."""
    question = prompt.segments[-1]
    ends = {segment.turn: segment.end for segment in prompt.segments}  # of a turn: its last segment
    running, done, keys = _begun(fingerprint), 0, {}
    for turn in turns:
        running.update(prompt.ids[done : ends[turn]])
        done = ends[turn]
        one = running.copy()
        one.update(prompt.ids[question.start : question.end])
        keys[turn] = one.digest()
    return keys


def _begun(fingerprint: str) -> hashlib._Hash:
    return hashlib.sha256(fingerprint.encode() + b"\0")
