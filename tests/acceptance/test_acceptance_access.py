"""Checks 33 and 37 of docs/reliability.md that tests/test_access.py and tests/test_logs.py leave open:
what ten thousand strangers cost, and how much a refusal says."""

from __future__ import annotations

import random
import string
from pathlib import Path
from typing import Any

from houses import opened

from app.api import create_app
from app.api.access import Keyring
from app.api.access.keys import make_key

STRANGERS = 10_000


async def _stranger(app: Any, path: str, method: str, key: bytes) -> int:
    """The status of one request, straight through ASGI."""
    status = 0

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    headers = [(b"authorization", b"Bearer " + key), (b"host", path.encode())]
    await app(
        {"type": "http", "path": path, "method": method, "headers": headers, "query_string": b"",
         "http_version": "1.1", "scheme": "http", "server": ("h", 80), "client": None},
        receive, send,
    )  # fmt: skip
    return status


async def test_c33_ten_thousand_strangers_leave_few_series(tmp_path: Path) -> None:
    file, seed = tmp_path / "keys.jsonl", random.randrange(2**32)
    make_key(file, "a", ["score"])
    dice = random.Random(seed)
    with opened(access=Keyring(file)) as built:
        app = create_app(built.house)
        before = len(built.house.metrics.page()[0].splitlines())
        for _ in range(STRANGERS):
            word = "".join(dice.choices(string.printable, k=12))
            path = dice.choice(("/", "/score/", "/ui/", "/scores/", "")) + word
            method = dice.choice(("GET", "POST", "BREW", "PUT"))
            status = await _stranger(app, path, method, word.encode())
            assert status == 401, (seed, path)
        more = len(built.house.metrics.page()[0].splitlines()) - before
    print(f"seed {seed}: {STRANGERS} strangers, {more} series")  # noqa: T201
    assert more <= 200
    assert built.engine.calls == 0
