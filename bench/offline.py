"""Offline `LLM.generate` on given token ids: the limit that no server passes. Reads a job as JSON."""

from __future__ import annotations

import json
import sys
import time
from typing import Any


def main() -> None:
    from vllm import LLM, SamplingParams
    from vllm.inputs.engine import tokens_input

    job: dict[str, Any] = json.load(sys.stdin)
    llm = LLM(
        model=job["model"],
        skip_tokenizer_init=True,
        block_size=32,
        enable_prefix_caching=True,
        scheduling_policy="priority",
        disable_log_stats=False,
        **job["engine"],
    )
    yes, no = job["labels"]
    params = SamplingParams(
        max_tokens=1, temperature=0.0, ignore_eos=True, detokenize=False,
        logprob_token_ids=[yes, no],
    )  # fmt: skip

    def generate(prompts: list[list[int]]) -> list[float]:
        outputs = llm.generate([tokens_input(ids) for ids in prompts], params, use_tqdm=False)
        found = [output.outputs[0].logprobs[0] for output in outputs]
        return [entry[yes].logprob - entry[no].logprob for entry in found]

    generate(job["warm_up"])
    started = time.perf_counter()
    logits = generate(job["prompts"])
    wall_s = time.perf_counter() - started
    sys.stdout.write(json.dumps({"wall_s": wall_s, "logits": logits}) + "\n")


if __name__ == "__main__":
    main()
