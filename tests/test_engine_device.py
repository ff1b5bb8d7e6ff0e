"""What suits a device where nobody has said."""

from __future__ import annotations

import pytest

from app.engine import device

X86 = frozenset({"avx2", "fma", "avx512f"})


@pytest.mark.parametrize(
    ("weights", "instructions", "computed"),
    [
        ("bfloat16", X86, "float32"),
        ("bfloat16", X86 | {"avx512_bf16"}, "bfloat16"),
        ("bfloat16", X86 | {"amx_bf16"}, "bfloat16"),
        ("bfloat16", frozenset({"asimd", "bf16"}), "bfloat16"),  # ARM
        ("float16", X86 | {"avx512_bf16"}, "float32"),
        ("float16", X86 | {"avx512_fp16"}, "float16"),
        ("float32", X86, "float32"),
        ("bfloat16", frozenset(), "float32"),  # the system does not say
    ],
)
def test_a_cpu_without_the_instructions_computes_in_float32(
    weights: str, instructions: frozenset[str], computed: str
) -> None:
    assert device.cpu_dtype(weights, instructions) == computed


def test_of_this_machine() -> None:
    assert device.cpu_dtype("bfloat16") in ("bfloat16", "float32")
    assert device.cpu_dtype("float32") == "float32"
