"""The servers of tests/clients, the environment that points the integrations at them, and a tokenizer.

The client package is imported from its folder; only the frameworks live in `.venv-frameworks`.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CLIENTS = Path(__file__).parents[1] / "clients"
# Nothing here may reach beyond loopback or report home.
os.environ |= {"HF_HUB_OFFLINE": "1", "WANDB_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}
ROOT = Path(__file__).parents[2]  # for processes that are started here, servers and pools
os.environ["PYTHONPATH"] = f"{ROOT}{os.pathsep}{ROOT / 'client'}"

_spec = importlib.util.spec_from_file_location("clients_conftest", CLIENTS / "conftest.py")
assert _spec
assert _spec.loader
_clients = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_clients)
served, _house, house = _clients.served, _clients._house, _clients.house


@pytest.fixture
def point(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets SWE_REWARD_URL and further variables, for this check and processes started in it."""

    def at(server: Any, **more: str) -> None:
        for name, value in {"URL": server.url, **more}.items():
            monkeypatch.setenv(f"SWE_REWARD_{name}", value)

    return at


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    """One token a byte, ChatML as its template: whatever a model says, it decodes."""
    import tokenizers
    import transformers

    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    model = tokenizers.models.BPE({letter: i for i, letter in enumerate(alphabet)}, [])
    made = tokenizers.Tokenizer(model)
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token="<|im_end|>", pad_token="<|pad|>"
    )
    fast.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    return fast
