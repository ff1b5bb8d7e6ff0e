"""SkyRL: the last step of an environment on its own `BaseTextEnv`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import swe_rm_client as rm
from skyrl_gym.envs import base_text_env as text_env
from swe_rm_client.integrations.skyrl import TrajectoryReward
from talk import ISSUE


class Env(text_env.BaseTextEnv):  # type: ignore[misc, name-defined]
    def __init__(self, url: str) -> None:
        super().__init__()
        self.verifier = TrajectoryReward(base_url=url)

    def init(self, prompt: Any) -> Any:
        self.chat_history = list(prompt)
        return super().init(prompt)

    def step(self, action: str) -> Any:
        self.chat_history.append({"role": "assistant", "content": action})
        return self.verifier.last_step(self.chat_history if action else "", {"issue": ISSUE})


def run(url: str, action: str) -> Any:
    env = Env(url)
    env.init([{"role": "user", "content": ISSUE}])
    return env.step(action)


def check_rewards_in_threads(served: Any) -> None:
    actions = [f"I tried {i} times." for i in range(8)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda action: run(served.url, action), actions))
    user = {"role": "user", "content": ISSUE}
    chats = [[user, {"role": "assistant", "content": action}] for action in actions]
    assert [one["reward"] for one in found] == pytest.approx(served.scores(chats, ISSUE))
    assert all(one["done"] for one in found)
    needed = text_env.BaseTextEnvStepOutput.__required_keys__ - {"postprocessed_action"}
    assert needed <= set(found[0])
    metrics = Env.aggregate_metrics([one["metadata"] for one in found])
    assert 0 <= metrics["swe_rm"] <= 1


def check_what_is_not_scored_raises(served: Any) -> None:
    with pytest.raises(rm.ItemFailed):
        run(served.url, "")
