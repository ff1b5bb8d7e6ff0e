"""verl: its loader of reward functions and its `naive` reward manager, on its own `DataProto`."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from talk import CHAT, ISSUE
from verl import DataProto
from verl.trainer.ppo.reward import load_reward_manager

KEYS = {"score", "swe_rm_unscored"}


def manager(tokenizer: Any, **kwargs: Any) -> Any:
    """As a trainer with the three lines of the README has it."""
    command = [sys.executable, "-m", "swe_rm_client.integrations.verl"]
    path = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    custom = {"path": path, "name": "compute_score", "reward_kwargs": kwargs}
    naive = {"source": "register", "name": "naive"}
    config = {"reward": {"custom_reward_function": custom, "reward_manager": naive}}
    return load_reward_manager(OmegaConf.create(config), tokenizer)


def data(tokenizer: Any, said: str, **extra: Any) -> Any:
    answer = torch.tensor([tokenizer(said)["input_ids"] or [0]])
    mask = torch.full_like(answer, int(bool(said)))
    row = {"data_source": "swe", "reward_model": {"ground_truth": "secret"}, "extra_info": extra}
    columns = {}
    for name, value in row.items():
        columns[name] = np.empty(1, dtype=object)
        columns[name][0] = value
    return DataProto.from_dict({"responses": answer, "attention_mask": mask}, columns)


def run(tokenizer: Any, samples: list[Any], **kwargs: Any) -> list[dict[str, Any]]:
    async def all_of_them() -> list[dict[str, Any]]:
        made = manager(tokenizer, **kwargs)
        return list(await asyncio.gather(*[made.run_single(one) for one in samples]))

    return asyncio.run(all_of_them())


def check_scores_and_keys(served: Any, tokenizer: Any) -> None:
    samples = [
        data(tokenizer, "Fixed the slice.", problem_statement=ISSUE, patch="GOLD"),
        data(tokenizer, "last words", trajectory=CHAT),
        data(tokenizer, ""),
    ]
    found = run(tokenizer, samples, base_url=served.url, unscored_reward=-1.0)
    said = [{"role": "assistant", "content": "Fixed the slice."}]
    wanted = [*served.scores([said], ISSUE), *served.scores([CHAT]), -1.0]
    assert [one["reward_score"] for one in found] == pytest.approx(wanted)
    assert [set(one["reward_extra_info"]) for one in found] == [KEYS] * 3
    assert [one["reward_extra_info"]["swe_rm_unscored"] for one in found] == [0.0, 0.0, 1.0]


def check_what_is_not_scored_is_an_error(served: Any, tokenizer: Any) -> None:
    with pytest.raises(Exception, match=".") as caught:
        run(tokenizer, [data(tokenizer, "")], base_url=served.url)
    # verl loads our file by its path, but the error is the package's own.
    assert type(caught.value).__module__.startswith("swe_rm_client")


def check_options_from_a_hydra_config(served: Any, tokenizer: Any) -> None:
    """Nested settings arrive as OmegaConf's containers."""
    options = {"value": "raw_probability", "reward": None}
    samples = [data(tokenizer, "Fixed.", problem_statement=ISSUE)]
    (found,) = run(tokenizer, samples, base_url=served.url, score_options=options)
    assert 0 <= found["reward_score"] <= 1
    options = {"value": "reward", "reward": {"mode": "execution_free"}}
    (found,) = run(tokenizer, samples, base_url=served.url, score_options=options)
    assert 0 <= found["reward_score"] <= 1
