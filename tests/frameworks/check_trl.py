"""TRL: one step of a real `GRPOTrainer` with a tiny random model, rewarded by the server."""

from __future__ import annotations

import functools
import math
import pickle
from pathlib import Path
from typing import Any

import datasets
import pytest
import swe_rm_client as rm
import transformers
import trl
from swe_rm_client.integrations.trl import swe_rm_reward
from talk import ISSUE

PROMPT = [{"role": "user", "content": ISSUE}]


def trainer(url: str, tokenizer: Any, folder: Path) -> Any:
    config = transformers.Qwen2Config(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=16, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=2, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    rows = [{"prompt": PROMPT, "problem_statement": ISSUE, "patch": "GOLD"}] * 4
    fn = functools.partial(swe_rm_reward, base_url=url)
    return trl.GRPOTrainer(
        model=transformers.Qwen2ForCausalLM(config),
        reward_funcs=pickle.loads(pickle.dumps(fn)),
        args=trl.GRPOConfig(
            output_dir=str(folder), per_device_train_batch_size=4, num_generations=4, max_steps=1,
            max_completion_length=8, report_to=[], use_cpu=True, bf16=False, logging_steps=1,
            save_strategy="no", disable_tqdm=True,
        ),
        processing_class=tokenizer,
        train_dataset=datasets.Dataset.from_list(rows),
    )  # fmt: skip


def rewards(made: Any, texts: list[str]) -> list[float]:
    said = [[{"role": "assistant", "content": text}] for text in texts]
    rows = [
        {"prompt": PROMPT, "problem_statement": ISSUE, "trajectory": None if text else ""}
        for text in texts
    ]
    found = made._calculate_rewards(rows, [PROMPT] * len(texts), said, [[1]] * len(texts))
    return found[:, 0].tolist()


def check_a_step(house: Any, tokenizer: Any, tmp_path: Path) -> None:
    made = trainer(house.url, tokenizer, tmp_path)
    assert made._has_async_funcs  # the function inside partial is seen to be async
    made.train()
    assert house.statuses
    assert set(house.statuses) == {200}
    (log,) = [one for one in made.state.log_history if "reward" in one]
    assert 0 <= log["reward"] <= 1
    assert log["swe_rm/unscored"] == 0


def check_rewards_and_none(served: Any, tokenizer: Any, tmp_path: Path) -> None:
    made = trainer(served.url, tokenizer, tmp_path)
    texts = ["Fixed the slice.", "", "I deleted the test.", "I changed nothing."]
    found = rewards(made, texts)
    chats = [[*PROMPT, {"role": "assistant", "content": text}] for text in texts if text]
    wanted = served.scores(chats, ISSUE)
    assert math.isnan(found[1])
    assert [one for one in found if not math.isnan(one)] == pytest.approx(wanted, rel=1e-6)


def check_a_wrong_address_stops_the_training(served: Any, tokenizer: Any, tmp_path: Path) -> None:
    made = trainer(served.url + "/elsewhere", tokenizer, tmp_path)
    with pytest.raises(rm.NotFound):
        rewards(made, ["Fixed."])
