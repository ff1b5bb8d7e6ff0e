"""Who asks: a key of the operator's file, or the local one where there are no keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fastapi import Request

from app.types import Priority

LOCAL_KEY = "local"
_MOST_URGENT_FIRST: tuple[Priority, ...] = ("interactive", "rollout", "backfill")
Scope = Literal["score", "outcomes", "metrics", "admin", "trusted_prompt"]


@dataclass(frozen=True, slots=True)
class Caller:
    """What one key may do. `key_id` is its name: part of score ids, owner of scores and outcomes.

    `ceiling` is the most urgent class it may ask for; `unscored_reward` what dialects answer for an
    item that can never be scored, None for the error.
    """

    key_id: str
    scopes: frozenset[Scope]
    ceiling: Priority = "interactive"
    unscored_reward: float | None = None

    @property
    def trusts_prompts(self) -> bool:
        return "trusted_prompt" in self.scopes

    def lowered(self, priority: Priority) -> Priority:
        """The class, or the ceiling where that is less urgent."""
        return max(priority, self.ceiling, key=_MOST_URGENT_FIRST.index)


def local_caller(*, trusts_prompts: bool) -> Caller:
    """Everybody, in a house without keys."""
    scopes: frozenset[Scope] = frozenset({"score", "outcomes", "metrics", "admin"})
    return Caller(LOCAL_KEY, scopes | {"trusted_prompt"} if trusts_prompts else scopes)


NOBODY = Caller("-", frozenset())


def caller_of(request: Request) -> Caller:
    caller: Caller = request.state.account.caller
    return caller


def key_of(request: Request) -> str:
    """The id of the caller's key."""
    return caller_of(request).key_id
