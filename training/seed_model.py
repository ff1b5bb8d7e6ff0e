"""The untrained small model: our tokenizer, a Qwen3-MoE with seeded random weights, its manifest.

    python -m training.seed_model FOLDER [--hidden 256] [--layers 4]

Its numbers mean nothing: it stands where a trained model will, so that everything around it is real.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from tokenizers import Tokenizer
from transformers import Qwen3MoeConfig, Qwen3MoeForCausalLM

from training.manifest import write_manifest
from training.tokenizer import CONTROL_TOKENS, train_tokenizer

CONTEXT_TOKENS = 262_144
_FACTS = {
    "description": "A small mixture of experts for CPU. Untrained: its numbers mean nothing yet.",
    "trained": False,
    "notes": [
        "Weights are random, seeded by training/seed_model.py. Do not use a score of this model."
    ],
}


def architecture(
    vocabulary: int, control: dict[str, int], hidden: int = 256, layers: int = 4
) -> Qwen3MoeConfig:
    """7.2M parameters; sized so that a prompt of 256k tokens takes minutes on two CPU cores,
    where attention (layers x heads x head size x length squared) is nearly all of the cost.
    `hidden`, a multiple of 128, widens attention and experts with it."""
    return Qwen3MoeConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=layers,
        num_attention_heads=hidden // 64,
        num_key_value_heads=hidden // 128,
        head_dim=32,
        num_experts=8,
        num_experts_per_tok=2,
        moe_intermediate_size=hidden * 3 // 4,
        norm_topk_prob=True,
        max_position_embeddings=CONTEXT_TOKENS,
        rope_parameters={"rope_type": "default", "rope_theta": 5_000_000.0},
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=control["<|im_end|>"],
        pad_token_id=control["<|endoftext|>"],
        dtype="bfloat16",
    )


def write_model(
    folder: Path, tokenizer: Tokenizer, seed: int, hidden: int = 256, layers: int = 4
) -> int:
    """Writes config, weights and tokenizer; returns the number of parameters."""
    folder.mkdir(parents=True, exist_ok=True)
    control = {token: tokenizer.token_to_id(token) for token in CONTROL_TOKENS}
    config = architecture(tokenizer.get_vocab_size(), control, hidden, layers)
    torch.manual_seed(seed)
    model = Qwen3MoeForCausalLM(config).to(torch.bfloat16)
    model.save_pretrained(folder, safe_serialization=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    _write_json(folder / "tokenizer_config.json", _tokenizer_config())
    (folder / "generation_config.json").unlink(missing_ok=True)
    return sum(parameter.numel() for parameter in model.parameters())


def _tokenizer_config() -> dict[str, Any]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "model_max_length": CONTEXT_TOKENS,
        "clean_up_tokenization_spaces": False,
    }


def _write_json(file: Path, document: object) -> None:
    file.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--examples", type=Path, default=Path("examples/trajectories"))
    parser.add_argument("--template", type=Path, default=Path("training/template.json"))
    parser.add_argument("--vocabulary", type=int, default=8192)
    parser.add_argument("--corpus-chars", type=int, default=12_000_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--hidden", type=int, default=256, help="a multiple of 128")
    parser.add_argument("--layers", type=int, default=4)
    options = parser.parse_args()
    if options.hidden < 128 or options.hidden % 128 or options.layers < 1:
        parser.error("--hidden is a multiple of 128, and --layers at least 1")
    tokenizer = train_tokenizer(
        options.vocabulary, options.examples, options.seed, options.corpus_chars
    )
    parameters = write_model(
        options.folder, tokenizer, options.seed, options.hidden, options.layers
    )
    write_manifest(options.folder, options.template, options.examples, CONTEXT_TOKENS, _FACTS)
    Console().print(f"{options.folder}: {parameters:,} parameters")


if __name__ == "__main__":
    main()
