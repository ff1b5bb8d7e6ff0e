"""Prefill of a verifier's shape with made-up weights: tokens a second and share of the peak, by length.

    python -m bench.gpu [--lengths 4096,32768,131072,262144] [--through vllm] [--peak-tflops 989]
    python -m bench.gpu --shape tiny --lengths 1024 --through transformers     # does it run at all?

`--shape qwen3-30b-a3b` is Qwen3-30B-A3B's config; 61 GB in bfloat16, so one H100 or H200. The weights are
drawn on the device: speed does not depend on them, but for the choice of experts, which is even.
FLOP are those of the config: 2 for each weight that a token meets (the head's only for the last token)
and 4 for each pair of tokens, head and number of a head. 989 is the dense bfloat16 peak of an H100 or
H200 (NVIDIA's data sheets), in TFLOP/s. Every length is run once to warm up and then timed three times,
each time with other tokens, so that no prefix is known.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

_ROUNDS = 3
_COMMON = {"architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe", "hidden_act": "silu",
           "decoder_sparse_step": 1, "mlp_only_layers": [], "norm_topk_prob": True, "rms_norm_eps": 1e-6,
           "attention_bias": False, "tie_word_embeddings": False, "dtype": "bfloat16",
           "max_position_embeddings": 262_272, "rope_theta": 10_000_000.0}  # fmt: skip
# https://huggingface.co/Qwen/Qwen3-30B-A3B-Instruct-2507, config.json
SHAPES: dict[str, dict[str, Any]] = {
    "qwen3-30b-a3b": _COMMON | {
        "hidden_size": 2048, "num_hidden_layers": 48, "num_attention_heads": 32,
        "num_key_value_heads": 4, "head_dim": 128, "intermediate_size": 6144,
        "moe_intermediate_size": 768, "num_experts": 128, "num_experts_per_tok": 8,
        "vocab_size": 151_936},
    "tiny": _COMMON | {
        "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
        "num_key_value_heads": 1, "head_dim": 32, "intermediate_size": 128,
        "moe_intermediate_size": 64, "num_experts": 8, "num_experts_per_tok": 2,
        "vocab_size": 1024},
}  # fmt: skip
Prefill = Callable[[list[int]], None]


def flops(shape: dict[str, Any], tokens: int) -> float:
    """Of one causal prefill of so many tokens."""
    width, heads = shape["hidden_size"], shape["num_attention_heads"] * shape["head_dim"]
    keys = shape["num_key_value_heads"] * shape["head_dim"]
    experts = 3 * width * shape["moe_intermediate_size"] * shape["num_experts_per_tok"]
    layer = width * (2 * heads + 2 * keys) + experts + width * shape["num_experts"]
    pairs = tokens * (tokens + 1) / 2
    layers = shape["num_hidden_layers"]
    return layers * (2.0 * layer * tokens + 4.0 * heads * pairs) + 2.0 * width * shape["vocab_size"]


def through_vllm(folder: Path, longest: int) -> Prefill:
    from vllm import LLM, SamplingParams
    from vllm.inputs.engine import tokens_input

    llm = LLM(model=str(folder), load_format="dummy", skip_tokenizer_init=True,
              max_model_len=longest + 2, dtype="bfloat16", enable_prefix_caching=False)  # fmt: skip
    params = SamplingParams(
        max_tokens=1, temperature=0.0, ignore_eos=True, detokenize=False, logprob_token_ids=[1, 2]
    )
    return lambda ids: void(llm.generate([tokens_input(ids)], params, use_tqdm=False))


def through_transformers(folder: Path, longest: int) -> Prefill:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with device:
        model = AutoModelForCausalLM.from_config(
            AutoConfig.from_pretrained(folder), dtype=torch.bfloat16, attn_implementation="sdpa"
        ).eval()

    @torch.inference_mode()
    def prefill(ids: list[int]) -> None:
        told = model(torch.tensor([ids], device=device), logits_to_keep=1, use_cache=False)
        told.logits.float().cpu()  # waits until it is there

    return prefill


def void(_: object) -> None:
    return None


def measure(prefill: Prefill, shape: dict[str, Any], tokens: int, seed: int) -> dict[str, float]:
    draw = np.random.default_rng([seed, tokens])
    times = []
    for _ in range(_ROUNDS + 1):
        ids = draw.integers(3, shape["vocab_size"], tokens).tolist()
        started = time.perf_counter()
        prefill(ids)
        times.append(time.perf_counter() - started)
    wall_s = statistics.median(times[1:])
    return {"tokens": tokens, "wall_s": wall_s, "tokens_per_s": tokens / wall_s,
            "tflops": flops(shape, tokens) / wall_s / 1e12}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shape", choices=sorted(SHAPES), default="qwen3-30b-a3b")
    parser.add_argument("--lengths", default="4096,32768,131072,262144")
    parser.add_argument("--through", choices=("vllm", "transformers"), default="vllm")
    parser.add_argument("--peak-tflops", type=float, help="no share of the peak without it")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    shape, lengths = SHAPES[options.shape], [int(each) for each in options.lengths.split(",")]
    build = through_vllm if options.through == "vllm" else through_transformers
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config.json").write_text(json.dumps(shape))
        prefill = build(Path(folder), max(lengths))
        console = Console(stderr=True)
        rows = [
            measure(prefill, shape, tokens, options.seed)
            for tokens in track(lengths, "lengths", console=console)
        ]
    table = Table(
        "tokens", "s", "tok/s", "TFLOP/s", "of peak", title=f"{options.shape}, {options.through}"
    )
    for row in rows:
        share = "—"
        if options.peak_tflops:
            row["of_peak"] = row["tflops"] / options.peak_tflops
            share = f"{row['of_peak']:.0%}"
        table.add_row(f"{row['tokens']:,.0f}", f"{row['wall_s']:.2f}", f"{row['tokens_per_s']:,.0f}",
                      f"{row['tflops']:.3g}", share)  # fmt: skip
    console.print(table)
    line = {
        "bench": "gpu",
        "shape": options.shape,
        "through": options.through,
        "seed": options.seed,
        "rows": rows,
    }
    sys.stdout.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
