"""OpenRLHF: its single-turn executor, with our file and with the URL; only vLLM is stood in for."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest
from openrlhf.utils import agent
from swe_rm_client.integrations import openrlhf
from talk import ISSUE

PROMPT = f"<|im_start|>user\n{ISSUE}<|im_end|>\n<|im_start|>assistant\n"


def execute(remote: str, tokenizer: Any, said: str) -> dict[str, Any]:
    class Engine:
        async def generate(self, prompt: Any, params: Any, **_: Any) -> Any:
            ids = tokenizer(said)["input_ids"]
            output = SimpleNamespace(token_ids=ids, text=said, finish_reason="stop", logprobs=None)
            return SimpleNamespace(outputs=[output])

    async def run() -> dict[str, Any]:
        executor = agent.SingleTurnAgentExecutor(remote)
        params = SimpleNamespace(max_tokens=64, logprobs=None)
        label = json.dumps({"issue": ISSUE})
        found: dict[str, Any] = await executor.execute(
            PROMPT, label, params, 4096, tokenizer, Engine()
        )
        return found

    return asyncio.run(run())


def check_our_file(served: Any, tokenizer: Any, point: Any) -> None:
    point(served)
    found = execute(str(openrlhf.__file__), tokenizer, "Fixed.")
    wanted = served.scores([PROMPT + "Fixed."], ISSUE)
    assert found["reward"] == found["scores"] == pytest.approx(wanted)
    assert found["extra_logs"] == {"swe_rm_unscored": [0.0]}


def check_the_server_itself(served: Any, tokenizer: Any) -> None:
    found = execute(f"{served.url}/get_reward", tokenizer, "Fixed.")
    assert found["reward"] == pytest.approx(served.scores([PROMPT + "Fixed."]))


def check_no_number_stands_in(served: Any, tokenizer: Any, point: Any) -> None:
    """It swallows the error: the reward stays None, which ends its step."""
    point(served, URL=served.url + "/elsewhere")
    found = execute(str(openrlhf.__file__), tokenizer, "Fixed.")
    assert found["reward"] is None
    assert found["scores"] is None
