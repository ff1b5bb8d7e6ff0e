"""Kills the server with SIGKILL while outcomes are being acknowledged, again and again, and counts.

    python -m bench.kill9 --kills 20 [--postgres | --store-url postgresql://…]

`--postgres` starts a PostgreSQL of its own (Debian: postgresql) and leaves its settings alone.

Every acknowledged outcome must be there after the next start, none twice, whatever was in flight; what
was not acknowledged is sent again with its Idempotency-Key. A run below 50 acknowledged outcomes a
second has proved nothing and fails.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from bench.postgres import postgres
from bench.server import Server

_SENDERS = 8
_AT_ONCE = 4
_SHOWN = 100
_TRIES = 10
_LEAST_ACKS_PER_S = 50.0
_CARD = """\
{kills} × SIGKILL on {store}, seed {seed}
acknowledged       {acknowledged:6d}   {acknowledged_per_s} a second
lost               {lost:6d}
doubled            {doubled:6d}
integrity_check    {integrity_check}"""


@dataclass
class Tally:
    """`acked`: score ids; `pending`: what was sent under a key, and never answered; `unwritten`: told
    of scores that were answered, but killed before they were written."""

    acked: set[str] = field(default_factory=set)
    pending: dict[str, list[str]] = field(default_factory=dict)
    busy_s: float = 0.0
    busy_acks: int = 0
    scored: int = 0
    unwritten: int = 0
    lost: int = 0
    doubled: int = 0


async def _send(client: httpx.AsyncClient, tally: Tally, ids: list[str]) -> bool:
    """True when all were acknowledged."""
    key = f"k-{ids[0]}"
    tally.pending[key] = ids
    told = [{"score_id": each, "resolved": True, "evidence": "tests"} for each in ids]
    try:
        answer = await client.post(
            "/outcomes", json={"outcomes": told}, headers={"Idempotency-Key": key}
        )
    except httpx.TransportError:
        return False
    if answer.status_code != 200:
        return False
    del tally.pending[key]
    for score_id, result in zip(ids, answer.json()["results"], strict=True):
        if result["status"] == "unknown_score":  # killed in the 20 ms before a score is written
            tally.unwritten += 1
        elif result["status"] == "recorded":
            tally.acked.add(score_id)
        else:  # a key that was not written with its rows
            message = f"told once, and yet: {result}"
            raise SystemExit(message)
    return True


async def _send_again(client: httpx.AsyncClient, tally: Tally, ids: list[str]) -> None:
    """As a client would, for a machine under load may let a wait run out."""
    for _ in range(_TRIES):
        if await _send(client, tally, ids):
            return
        await asyncio.sleep(1)
    message = "the server did not take what it left unanswered"
    raise SystemExit(message)


async def _score(client: httpx.AsyncClient, tally: Tally, name: str) -> list[str]:
    """Ids of 32 scores; none when the server is dead."""
    items = [
        {"messages": [{"role": "user", "content": "fix"},
                      {"role": "assistant", "content": f"{name} {n}"}]}
        for n in range(32)
    ]  # fmt: skip
    try:
        answer = await client.post("/score", json={"trajectories": items})
    except httpx.TransportError:
        return []
    ids = [each["score_id"] for each in answer.json()["results"]]
    tally.scored += len(ids)
    return ids


async def _sender(client: httpx.AsyncClient, tally: Tally, ids: list[str], name: str) -> None:
    """Tells the outcomes of scores, and makes new ones where there are none, until the server dies."""
    while ids or (ids := await _score(client, tally, f"{name} {time.monotonic()}")):
        some, ids = ids[:_AT_ONCE], ids[_AT_ONCE:]
        if not await _send(client, tally, some):
            return


async def _round(server: Server, tally: Tally, number: int, seconds: float) -> None:
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        for ids in list(tally.pending.values()):
            await _send_again(client, tally, ids)
        first = [await _score(client, tally, f"r{number} {n}") for n in range(_SENDERS)]
        acked, started = len(tally.acked), time.monotonic()
        senders = [
            asyncio.create_task(_sender(client, tally, mine, f"r{number} s{n}"))
            for n, mine in enumerate(first)
        ]
        await asyncio.sleep(seconds)
        server.kill()
        tally.busy_s += time.monotonic() - started
        tally.busy_acks += len(tally.acked) - acked
        await asyncio.gather(*senders)


async def _count(server: Server, tally: Tally, told: Counter[str]) -> None:
    """Every acknowledged outcome is there exactly once: in the tables, and for a sample on the wire."""
    tally.lost += sum(told[score_id] == 0 for score_id in tally.acked)
    tally.doubled += sum(told[score_id] > 1 for score_id in tally.acked)
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        for score_id in sorted(tally.acked)[:_SHOWN]:
            answer = await client.get(f"/scores/{score_id}")
            if answer.status_code != 200 or len(answer.json()["outcomes"]) != told[score_id]:
                message = f"{score_id} is in the tables {told[score_id]} times, but: {answer.text}"
                raise SystemExit(message)


async def _told(file: Path, store_url: str | None) -> Counter[str]:
    """Outcomes a score, read behind the server's back."""
    asked = "select score_id, count(*) from outcomes group by score_id"
    if store_url is None:
        with closing(sqlite3.connect(file)) as connection:
            return Counter(dict(connection.execute(asked)))
    connection = await asyncpg.connect(store_url)
    try:
        return Counter(dict(await connection.fetch(asked)))
    finally:
        await connection.close()


async def drill(
    kills: int, store_url: str | None, seed: int, most_s: float = math.inf
) -> dict[str, Any]:
    chance, tally = random.Random(seed), Tally()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        number, until = 0, time.monotonic() + most_s
        for number in range(1, kills + 1):
            server = Server(folder, store_url)
            await server.ready()
            await _round(server, tally, number, chance.uniform(0.5, 2.5))
            if number % 20 == 0:
                print(f"{number} kills, {len(tally.acked)} acknowledged", file=sys.stderr)
            if time.monotonic() > until:
                break
        server = Server(folder, store_url)
        await server.ready()
        await _count(server, tally, await _told(folder / "outcomes.db", store_url))
        server.kill()
        integrity = "not SQLite" if store_url else _integrity(folder / "outcomes.db")
    return {
        "kills": number,
        "store": store_url.partition(":")[0] if store_url else "sqlite",
        "acknowledged": len(tally.acked),
        "acknowledged_per_s": round(tally.busy_acks / tally.busy_s, 1),
        "scored": tally.scored,
        "answered_but_unwritten_scores": tally.unwritten,
        "lost": tally.lost,
        "doubled": tally.doubled,
        "integrity_check": integrity,
        "seed": seed,
    }


def _integrity(file: Path) -> str:
    with closing(sqlite3.connect(file)) as connection:
        found: str = connection.execute("PRAGMA integrity_check").fetchone()[0]
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    store = parser.add_mutually_exclusive_group()
    store.add_argument("--postgres", action="store_true")
    store.add_argument("--store-url")
    parser.add_argument("--most-s", type=float, default=math.inf, help="then no more kills")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with postgres() if options.postgres else nullcontext() as cluster:
        url = cluster.url if cluster else options.store_url
        found = asyncio.run(drill(options.kills, url, options.seed, options.most_s))
    print(_CARD.format(**found))
    print(json.dumps(found))
    good = not found["lost"] and not found["doubled"]
    good = good and found["integrity_check"] in ("ok", "not SQLite")
    sys.exit(0 if good and found["acknowledged_per_s"] >= _LEAST_ACKS_PER_S else 1)


if __name__ == "__main__":
    main()
