"""Text → token ids, in two ways that never mix.

Structure is parsed once, at start, with the tokenizer as the model ships it. Content is encoded by a
second, frozen tokenizer that has no added tokens at all, so no text can become a control id: neither
those marked special nor those that are not (such as <tool_call>). Flipping a flag on a shared
tokenizer would race between threads, so there are two instances and no flag.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from tokenizers import Tokenizer

from app.errors import EngineFailed, StartError
from app.render.memo import TokenMemo
from app.render.quick import quick
from app.types import Labels, LabelSpec, Piece

# Chunks of this size keep the interpreter lock free between calls and all cores busy inside one.
_CHUNK_CHARS = 262_144


class Encoder:
    """The tokenizer of one model: `control_ids` maps each added token to its id. `memo_bytes` bounds the
    ids that are remembered."""

    def __init__(self, tokenizer_file: Path, memo_bytes: int = 0) -> None:
        self.memo = TokenMemo(memo_bytes)
        text = tokenizer_file.read_text(encoding="utf-8")
        document = json.loads(text)
        added = document.get("added_tokens", [])
        self.control_ids: dict[str, int] = {token["content"]: token["id"] for token in added}
        self._control = frozenset(self.control_ids.values())
        self._control_texts = {token_id: text for text, token_id in self.control_ids.items()}
        self._whole = Tokenizer.from_str(text)
        self._content = Tokenizer.from_str(json.dumps(document | {"added_tokens": []}))
        self._quick = quick(document)
        for tokenizer in (self._whole, self._content):
            tokenizer.no_truncation()
            tokenizer.no_padding()

    def encode_content(self, texts: Sequence[str]) -> list[array[int]]:
        """Ids of each text with control tokens switched off; checked afterwards. Not to be changed.

        Raises `EngineFailed` where the check finds a control id: a defect of the tokenizer file, and
        never a reason to score.
        """
        return self.memo.encode(texts, self._encode)

    def _encode(self, texts: Sequence[str]) -> list[array[int]]:
        way = self._quick
        if way is None:
            return self._encode_slowly(texts)
        # No token of the quick way is a control token: it was made without them.
        made = [way.encode(text) if way.takes(text) else None for text in texts]
        slow = [text for text, ids in zip(texts, made, strict=True) if ids is None]
        left = iter(self._encode_slowly(slow))
        return [next(left) if ids is None else ids for ids in made]

    def _encode_slowly(self, texts: Sequence[str]) -> list[array[int]]:
        encoded: list[array[int]] = []
        for chunk in _chunks(texts):
            for encoding in self._content.encode_batch_fast(chunk, add_special_tokens=False):
                ids = encoding.ids
                if not self._control.isdisjoint(ids):
                    message = "content was encoded into a control token; the item is not scored"
                    raise EngineFailed(message)
                encoded.append(array("i", ids))
        return encoded

    def encode_trusted(self, text: str) -> array[int]:
        """Ids of pre-rendered text: control tokens in it are parsed."""
        return array("i", self._whole.encode(text, add_special_tokens=False).ids)

    def count_control(self, ids: array[int]) -> int:
        return sum(map(self._control.__contains__, ids))

    def pieces(self, ids: array[int]) -> list[Piece]:
        """The ids read back, control tokens apart from text that may look like them."""
        found: list[Piece] = []
        for control, run in groupby(ids, self._control.__contains__):
            if control:
                found += [Piece(self._control_texts[token_id], True) for token_id in run]
            else:
                text = self._content.decode(list(run), skip_special_tokens=False)
                found.append(Piece(text, False))
        return found

    def labels(self, spec: LabelSpec) -> Labels:
        """Ids of the answer forms. Raises `StartError` where a form is no token of this model."""
        yes = tuple(dict.fromkeys(self._label(form, spec) for form in spec.yes))
        no = tuple(dict.fromkeys(self._label(form, spec) for form in spec.no))
        if not yes or not no or set(yes) & set(no):
            message = f"label tokens must be two disjoint sets, but yes is {yes} and no is {no}"
            raise StartError(message)
        if spec.reduction == "single" and (len(yes) > 1 or len(no) > 1):
            message = "labels of several surface forms need a reduction: 'max' or 'logsumexp'"
            raise StartError(message)
        return Labels(yes, no, spec.reduction)

    def _label(self, form: str, spec: LabelSpec) -> int:
        if form in self.control_ids:
            return self.control_ids[form]
        ids = self._content.encode(form, add_special_tokens=False).ids
        if not ids or (spec.tokens == "single" and len(ids) != 1):
            message = f"label {form!r} is {len(ids)} tokens in this tokenizer, not one"
            raise StartError(message)
        return int(ids[0])


def _chunks(texts: Sequence[str]) -> list[list[str]]:
    chunks: list[list[str]] = [[]]
    room = _CHUNK_CHARS
    for text in texts:
        if room <= 0:
            chunks.append([])
            room = _CHUNK_CHARS
        chunks[-1].append(text)
        room -= len(text)
    return chunks
