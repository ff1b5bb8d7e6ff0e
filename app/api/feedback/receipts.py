"""Signed receipts: what was said of which prompt, by which model and calibration, and when.

A receipt is `base64url(claims).base64url(tags).base64url(signature)`. The signature (HMAC-SHA256 over
the claims) decides; the tags, eight bytes of HMAC for each claim, only tell which claim was changed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SIGNED = (
    "score_id", "prompt_digest", "model", "revision", "template", "calibration", "probability",
    "time", "key_id", "nonce",
)  # fmt: skip
_TAG_BYTES = 8


@dataclass(frozen=True, slots=True)
class Verified:
    """`wrong` names what does not hold; `claims` is what the receipt says, None if unreadable."""

    wrong: tuple[str, ...]
    claims: Mapping[str, Any] | None


class Receipts:
    """`keys`: id → secret. The first signs; all are taken when verifying, so that keys can rotate."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = dict(keys)
        self._signer = next(iter(self._keys))

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Of all `SIGNED` but `key_id` and `nonce`, which are added here."""
        whole = dict(claims) | {"key_id": self._signer, "nonce": secrets.token_hex(8)}
        body = json.dumps({name: whole[name] for name in SIGNED}, separators=(",", ":")).encode()
        secret = self._keys[self._signer]
        return ".".join(map(_text, (body, _tags(whole, secret), _mac(secret, body))))

    def verify(self, receipt: str, held: Mapping[str, Any]) -> Verified:
        """Whether the receipt is ours and says what was signed, and whether `held`, fields of a result, are
        what it says."""
        try:
            body, tags, signature = map(_bytes, receipt.split("."))
            whole = _read(body)
        except (ValueError, KeyError, TypeError, RecursionError):
            return Verified(("receipt",), None)
        key_id = whole["key_id"]
        secret = self._keys.get(key_id) if isinstance(key_id, str) else None
        if secret is None:
            return Verified(("key_id",), whole)
        differing = [name for name, value in held.items() if whole[name] != value]
        if hmac.compare_digest(_mac(secret, body), signature):
            return Verified(tuple(differing), whole)
        return Verified(tuple(_touched(whole, tags, secret)) or ("receipt",), whole)


def read_keys(text: str) -> dict[str, bytes]:
    """`id:secret`, separated by commas or line ends. Raises `ValueError`, never with a secret."""
    found: dict[str, bytes] = {}
    for entry in text.replace(",", "\n").split():
        name, _, secret = entry.partition(":")
        if not name or len(secret) < 16 or name in found:
            message = "every receipt key is id:secret, with its own id and 16 characters or more"
            raise ValueError(message)
        found[name] = secret.encode()
    if not found:
        message = "there is no receipt key: give id:secret"
        raise ValueError(message)
    return found


def _read(body: bytes) -> dict[str, Any]:
    """The claims, each of which can be said again as JSON: no NaN, no half of a surrogate pair, no
    nesting. Raises `ValueError`, `KeyError`, `TypeError`, `RecursionError`."""
    claims = json.loads(body)
    whole = {name: claims[name] for name in SIGNED}
    if any(isinstance(value, dict | list) for value in whole.values()):
        message = "a claim is a text or a number"
        raise ValueError(message)
    json.dumps(whole, allow_nan=False, ensure_ascii=False).encode()
    return whole


def _touched(whole: Mapping[str, Any], tags: bytes, secret: bytes) -> list[str]:
    ours = _tags(whole, secret)
    places = range(0, len(ours), _TAG_BYTES)
    pieces = [(ours[at : at + _TAG_BYTES], tags[at : at + _TAG_BYTES]) for at in places]
    return [
        name
        for name, (mine, theirs) in zip(SIGNED, pieces, strict=True)
        if not hmac.compare_digest(mine, theirs)
    ]


def _tags(claims: Mapping[str, Any], secret: bytes) -> bytes:
    """The nonce ties the tags of one receipt together: one of another receipt does not fit."""
    bound = f"{claims['nonce']}\0"
    return b"".join(
        _mac(secret, f"{bound}{name}\0{json.dumps(claims[name])}".encode())[:_TAG_BYTES]
        for name in SIGNED
    )


def _mac(secret: bytes, data: bytes) -> bytes:
    return hmac.digest(secret, data, hashlib.sha256)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
