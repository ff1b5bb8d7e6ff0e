"""What vLLM is started with, in our words, and the part of it that only its environment can say."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class VllmOptions:
    """`threads` binds the CPU build to that many cores: vLLM's own choice leaves one idle, which
    halves a small machine. `kv_cache_gib` is the CPU's; on a GPU `gpu_memory_ratio` counts.
    `dtype` is the weights' own, to be changed for a CPU without it, unless `dtype_told`.
    `allowed_tokens` is the longest prompt; vLLM's own limit is one more, for the answer."""

    model_dir: Path
    dtype: str
    dtype_told: bool
    allowed_tokens: int
    threads: int
    kv_cache_gib: int
    gpu_memory_ratio: float
    batch_tokens: int | None  # None: what suits the device
    running_items: int
    compile: bool
    tensor_parallel: int
    records: Path  # where the guard notes the engine's processes

    def set_environment(self) -> None:
        """vLLM reads these in its child processes. Whatever the operator has set already, stands."""
        cores = sorted(os.sched_getaffinity(0))[: self.threads]
        defaults = {
            "VLLM_CPU_OMP_THREADS_BIND": ",".join(map(str, cores)),
            "OMP_NUM_THREADS": str(len(cores)),
            "VLLM_CPU_KVCACHE_SPACE": str(self.kv_cache_gib),
            "VLLM_LOGGING_LEVEL": "ERROR",
            "VLLM_NO_USAGE_STATS": "1",
            "HF_HUB_OFFLINE": "1",
            "TORCH_CPP_LOG_LEVEL": "ERROR",
            "PYTHONWARNINGS": "ignore",  # of the engine's own processes; ours have started already
        }
        for name, value in defaults.items():
            os.environ.setdefault(name, value)
