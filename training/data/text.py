"""Plain text of code for the language stage: the standard library's sources, in windows of tokens."""

from __future__ import annotations

import random
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer


def windows(
    tokenizer_file: Path, length_tokens: int, count: int, seed: int
) -> Iterator[np.ndarray[Any, np.dtype[np.int32]]]:
    """`count` windows of `length_tokens` ids out of the shuffled sources, read round and round."""
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    files = sources()
    draw = random.Random(seed)
    held: list[int] = []
    given = 0
    while given < count:
        draw.shuffle(files)
        for file in files:
            text = file.read_text(encoding="utf-8", errors="replace")
            held += tokenizer.encode(text, add_special_tokens=False).ids
            while len(held) >= length_tokens and given < count:
                yield np.array(held[:length_tokens], dtype=np.int32)
                held = held[length_tokens:]
                given += 1
            if given >= count:
                return


def sources() -> list[Path]:
    """The standard library's, in order."""
    return [file for file in sorted(_root().rglob("*.py")) if "site-packages" not in file.parts]


def shown(file: Path) -> str:
    """What one of the sources is called wherever a model reads it, on every machine."""
    return f"/usr/local/lib/python3/{file.relative_to(_root())}"


def _root() -> Path:
    return Path(sysconfig.get_paths()["stdlib"])
