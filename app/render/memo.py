"""Token ids of texts that were encoded before: a growing rollout encodes only its new messages.

A text is known by a digest, never kept itself. The bytes are bounded; least recently used goes first.
"""

from __future__ import annotations

import hashlib
import threading
from array import array
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TypeAlias

_ENTRY_BYTES = 250  # digest, array object and the slot of the table; a test measures it
_DIGEST_BYTES = 16

Encode: TypeAlias = "Callable[[Sequence[str]], list[array[int]]]"


class TokenMemo:
    """Safe to use from several threads. The arrays that it hands out are not to be changed."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._known: OrderedDict[bytes, array[int]] = OrderedDict()
        self._lock = threading.Lock()
        self.held_bytes = 0

    def __len__(self) -> int:
        return len(self._known)

    def encode(self, texts: Sequence[str], encode: Encode) -> list[array[int]]:
        """What `encode` makes of each text; it is asked for those that are not known, once each."""
        keys = [_digest(text) for text in texts]
        with self._lock:
            found = {key: ids for key in keys if (ids := self._recalled(key)) is not None}
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        if missing:
            fresh = dict(zip(missing, encode(list(missing.values())), strict=True))
            found |= fresh
            with self._lock:
                for key, ids in fresh.items():
                    self._keep(key, ids)
        return [found[key] for key in keys]

    def _recalled(self, key: bytes) -> array[int] | None:
        ids = self._known.get(key)
        if ids is not None:
            self._known.move_to_end(key)
        return ids

    def _keep(self, key: bytes, ids: array[int]) -> None:
        size_bytes = _size_bytes(ids)
        if key in self._known or size_bytes > self._limit_bytes:
            return
        self._known[key] = ids
        self.held_bytes += size_bytes
        while self.held_bytes > self._limit_bytes:
            _, gone = self._known.popitem(last=False)
            self.held_bytes -= _size_bytes(gone)


def _size_bytes(ids: array[int]) -> int:
    return _ENTRY_BYTES + len(ids) * ids.itemsize


def _digest(text: str) -> bytes:
    # A lone surrogate has bytes of its own here, so that no two texts are one.
    data = text.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=_DIGEST_BYTES).digest()
