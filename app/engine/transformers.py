"""The reference engine: transformers on CPU or GPU, one prompt at a time.

Slow and simple on purpose. It gives the logit that the vLLM engine is compared with. Long prompts go
through in chunks over one key-value cache, so memory stays linear in length.
"""

from __future__ import annotations

import asyncio
import threading
import time
from array import array
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from app.engine import device
from app.engine.protocol import EngineFacts
from app.engine.reading import label_logprobs, strict_ids
from app.errors import Draining, EngineFailed, ServiceError, StartError
from app.types import Labels, Priority, Verdict

_CHUNK_TOKENS = 2048


class TransformersEngine:
    """See `Engine`. Build it with `await TransformersEngine.start(...)`."""

    def __init__(self, model: Any, facts: EngineFacts) -> None:
        self._model = model
        self._facts = facts
        self._closing = threading.Event()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="transformers-engine")

    @property
    def facts(self) -> EngineFacts:
        return self._facts

    @classmethod
    async def start(
        cls, model_dir: Path, dtype: str, allowed_tokens: int, *, dtype_told: bool = True
    ) -> TransformersEngine:
        """Loads safetensors only. Raises `StartError` when the model does not load. A `dtype` that
        nobody has told is the weights' own, and changed for a CPU without it."""
        try:
            model = await asyncio.to_thread(_load, model_dir, dtype, dtype_told)
        except (OSError, ValueError, RuntimeError) as cause:
            message = f"transformers did not load {model_dir.name}: {cause}"
            raise StartError(message) from cause
        import transformers

        loaded_dtype = str(model.dtype).removeprefix("torch.")
        facts = EngineFacts(
            "transformers",
            transformers.__version__,
            loaded_dtype,
            loaded_dtype,
            allowed_tokens,
            step_tokens=_CHUNK_TOKENS,
        )
        return cls(model, facts)

    async def judge(
        self, ids: array[int], labels: Labels, priority: Priority = "rollout"
    ) -> Verdict:
        token_ids = strict_ids(ids, self._model.config.vocab_size, self._facts.allowed_tokens)
        if self._closing.is_set():
            message = "the engine is closing"
            raise Draining(message)
        gone = threading.Event()
        loop = asyncio.get_running_loop()
        started = time.perf_counter()
        try:
            values = await loop.run_in_executor(
                self._worker, self._forward, token_ids, labels.ids, gone
            )
        except ServiceError:
            raise
        except Exception as cause:
            message = f"the model failed on the item ({type(cause).__name__})"
            raise EngineFailed(message, defect=cause) from cause
        finally:
            gone.set()
        return Verdict(
            label_logprobs=label_logprobs("length", values, labels),
            prompt_tokens=len(token_ids),
            cached_tokens=0,
            engine_s=time.perf_counter() - started,
        )

    async def probe(self) -> None:
        if self._closing.is_set():
            message = "the engine is closed"
            raise EngineFailed(message)

    async def close(self) -> None:
        self._closing.set()
        await asyncio.to_thread(self._worker.shutdown, wait=True, cancel_futures=False)

    def _forward(
        self, ids: list[int], label_ids: tuple[int, ...], gone: threading.Event
    ) -> dict[int, float]:
        import torch

        past, hidden = None, None
        with torch.inference_mode():
            for start in range(0, len(ids), _CHUNK_TOKENS):
                if gone.is_set() or self._closing.is_set():
                    message = "the engine was closed, or the caller left, under the item"
                    raise Draining(message)
                chunk = torch.tensor([ids[start : start + _CHUNK_TOKENS]])
                output = self._model.base_model(
                    chunk.to(self._model.device), past_key_values=past, use_cache=True
                )
                past, hidden = output.past_key_values, output.last_hidden_state
            if hidden is None:
                message = "the engine gave no logits"
                raise EngineFailed(message)
            # In float32, as vLLM's are here: in bfloat16 a logit of 10 has steps of 0.06.
            head = self._model.get_output_embeddings().weight
            logprobs = torch.log_softmax(head.float() @ hidden[0, -1].float(), dim=-1)
        return {token: float(logprobs[token]) for token in label_ids}


def _load(model_dir: Path, dtype: str, dtype_told: bool) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    place = "cuda" if torch.cuda.is_available() else "cpu"
    if place == "cpu" and not dtype_told:
        dtype = device.cpu_dtype(dtype)
    model = AutoModelForCausalLM.from_pretrained(
        model_dir,
        dtype=getattr(torch, dtype),
        trust_remote_code=False,
        use_safetensors=True,
        local_files_only=True,
    )
    return model.eval().to(place)
