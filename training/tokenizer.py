"""A byte-level BPE of our own, trained on code and agent text.

Every byte sequence has an encoding, so no text is unknown. The pre-tokenizer is the pattern that the
Qwen family uses (tokenizer.json of Qwen/Qwen3-30B-A3B): it splits at a newline before a non-space,
which is what makes piecewise encoding equal to joint encoding (see app/render/template.py).
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from training.data.text import sources

CONTROL_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<YES>", "<NO>")
_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_MAX_FILE_CHARS = 40_000


def train_tokenizer(vocabulary: int, examples: Path, seed: int, corpus_chars: int) -> Tokenizer:
    """A tokenizer of `vocabulary` ids, control tokens included and last."""
    tokenizer = Tokenizer(models.BPE())
    split = pre_tokenizers.Split(Regex(_PATTERN), behavior="isolated")
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, byte_level])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - len(CONTROL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=[],
        show_progress=True,
    )
    tokenizer.train_from_iterator(corpus(examples, seed, corpus_chars), trainer)
    tokenizer.add_special_tokens(
        [AddedToken(token, special=True, normalized=False) for token in CONTROL_TOKENS]
    )
    return tokenizer


def corpus(examples: Path, seed: int, corpus_chars: int) -> Iterator[str]:
    """Text of our own example trajectories (each text several times, for it is what the model will
    read) and of the standard library's Python sources, shuffled by seed, up to `corpus_chars`."""
    agent = [text for file in sorted(examples.glob("*.traj.json")) for text in _texts(file)]
    yield from agent * 4
    files = sources()
    random.Random(seed).shuffle(files)
    seen_chars = 0
    for file in files:
        text = file.read_text(encoding="utf-8", errors="replace")[:_MAX_FILE_CHARS]
        seen_chars += len(text)
        if seen_chars > corpus_chars:
            return
        yield text


def _texts(file: Path) -> Iterator[str]:
    for message in json.loads(file.read_text(encoding="utf-8"))["messages"]:
        yield message.get("content") or ""
        for call in message.get("tool_calls") or ():
            yield from json.loads(call["function"]["arguments"]).values()
