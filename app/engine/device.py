"""What suits the device where nobody has said: the number type, and how long a step is.

A step is not interrupted, so whoever comes meanwhile waits for it: it should be as short as costs nothing.
On a CPU 2,048 tokens take tenths of a second, and what a step costs by itself is not to be seen beside
that; a GPU needs more tokens to be full.

Work is handed over so late that others can still go before it, but no later than the engine needs it. On
a CPU the milliseconds until the next item comes are nothing beside a step, so one step is enough; on a
GPU the next has to be there already.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from pathlib import Path

CPU_STEP_TOKENS = 2_048
GPU_STEP_TOKENS = 8_192
CPU_BUSY_STEPS = 1
GPU_BUSY_STEPS = 2

# As Linux calls the instructions, on x86 and on ARM.
_NATIVE = {
    "bfloat16": frozenset({"avx512_bf16", "amx_bf16", "bf16"}),
    "float16": frozenset({"avx512_fp16", "amx_fp16", "asimdhp"}),
}


def cpu_dtype(weights_dtype: str, instructions: frozenset[str] | None = None) -> str:
    """What weights of this type are computed in on a CPU: float32 where it has no instructions for
    theirs. Without them half the bits save memory and take longer: some tenths in vLLM, a multiple in
    transformers.

    `instructions` are those of this machine, unless given.
    """
    if weights_dtype not in _NATIVE:
        return weights_dtype
    known = _instructions() if instructions is None else instructions
    return weights_dtype if _NATIVE[weights_dtype] & known else "float32"


@cache
def _instructions() -> frozenset[str]:
    """Nothing where the system does not say."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            name, _, words = line.partition(":")
            if name.strip() in ("flags", "Features"):
                return frozenset(words.split())
    return frozenset()
