"""Checks 29 to 31 and 34 of docs/reliability.md in virtual time: the server's own door before an engine
that takes vLLM's steps. `python -m bench.overload` measures 29 and 30 on a real server."""

from __future__ import annotations

import asyncio
import random
import statistics

import pytest
from counts import count

from bench.simulation import Request, Seen, Simulation, play
from bench.virtual import run

SECONDS = count(15, 60)


def arrivals(dice: random.Random, per_s: float, tokens: int, **how: object) -> list[Request]:
    """One item each, at random moments."""
    at_s, load = 0.0, []
    while (at_s := at_s + dice.expovariate(per_s)) < SECONDS:
        load.append(Request(at_s, (tokens,), **how))  # type: ignore[arg-type]
    return load


def plateau_per_s(tokens: int) -> float:
    """Items a second of an engine that always has work."""
    seen = play([Request(0.0, (tokens,)) for _ in range(300)], ours=True)
    return 300 / max(end for one in seen for end in one.ends_s)


@pytest.mark.parametrize(("tokens", "timeout_s"), [(4_000, 4.0), (4_000, 10.0), (16_000, 30.0)])
def test_c29_goodput_under_ten_times_the_load(tokens: int, timeout_s: float) -> None:
    """What cannot be done in time is refused or dropped before it is begun."""
    plateau = plateau_per_s(tokens)
    load = arrivals(random.Random(1), 10 * plateau, tokens, timeout_s=timeout_s)
    seen = play(load, ours=True)
    ends_s = [one.request.at_s + end for one in seen for end in one.ends_s]
    assert len(ends_s) / max(ends_s) >= 0.9 * plateau
    assert max(end for one in seen for end in one.ends_s) <= timeout_s
    assert sum(one.refused for one in seen) > 0.5 * len(load)


@pytest.mark.parametrize(("tokens", "timeout_s"), [(4_000, 4.0), (16_000, 30.0)])
def test_c29_what_is_taken_is_finished_in_time(tokens: int, timeout_s: float) -> None:
    """Groups of different lengths. The first seconds do not count: nobody knows the engine's pace yet."""
    dice, plateau, at_s, load = random.Random(1), plateau_per_s(tokens), 0.0, list[Request]()
    while (at_s := at_s + dice.expovariate(5 * plateau)) < 3 * timeout_s:
        sizes = tuple(int(tokens * dice.uniform(0.5, 1.5)) for _ in range(2))
        load.append(Request(at_s, sizes, timeout_s=timeout_s))
    seen = play(load, ours=True)
    taken = [o for o in seen if not o.refused and o.request.at_s > 1.5 * timeout_s]
    assert len(taken) > 10
    assert sum(one.failed for one in taken) <= 0.15 * 2 * len(taken)


def test_c29_what_is_taken_is_finished_where_a_window_takes_most_of_the_timeout() -> None:
    """An engine of 5,000 tokens a second, 3.3 s a window: whose time runs out, leaves it midway."""

    async def scene() -> list[Seen]:
        simulation, dice, at_s, load = Simulation(ours=True), random.Random(1), 0.0, []
        simulation.engine.token_s, simulation.engine.pair_s = 1 / 5_000, 0.0
        while (at_s := at_s + dice.expovariate(60.0)) < 40.0:
            sizes = tuple(424 + dice.randrange(-30, 30) for _ in range(2))
            load.append(Request(at_s, sizes, timeout_s=4.0))
        return await simulation.play(load)

    taken = [one for one in run(scene()) if not one.refused and one.request.at_s > 12.0]
    assert len(taken) > 100
    assert sum(one.failed for one in taken) <= 0.05 * 2 * len(taken)


def test_c29_an_idle_engine_is_tried_whatever_is_thought_of_it() -> None:
    """Ten times slower midway, and as fast as before for who comes when all is done: nobody is refused
    for what was."""
    load = [Request(n * 0.5, (4_000,), timeout_s=60.0) for n in range(40)]
    late = [Request(500.0 + n * 5, (4_000,), timeout_s=2.0) for n in range(5)]
    seen = play([*load, *late], ours=True, slow_at_s=5.0)
    assert not any(one.refused for one in seen[-5:])


def test_c30_clients_that_retry_at_once_leave_no_mark() -> None:
    """Twice the load for 30 s from clients that come again three times at once, then half of it."""
    dice, per_s = random.Random(1), plateau_per_s(4_000)
    bad_s: list[float] = []

    async def client(simulation: Simulation, retries: int, at_s: float) -> None:
        await asyncio.sleep(at_s)
        for _ in range(1 + retries):
            if (await simulation._request(Request(0.0, (4_000,), timeout_s=4.0))).ends_s:
                return
        bad_s.append(at_s - 30)

    async def scene() -> None:
        simulation, at_s, clients = Simulation(ours=True), 0.0, []
        while at_s < 60:
            storm = at_s < 30
            clients.append(client(simulation, 3 if storm else 0, at_s))
            at_s += dice.expovariate(per_s * (2 if storm else 0.5))
        await asyncio.gather(*clients)

    run(scene())
    assert min(bad_s) < 0, "there was no storm"
    assert max(bad_s) <= 10


def test_c31_a_long_item_is_not_starved_by_short_ones() -> None:
    giant = Request(0.0, (200_000,))
    solo_s = play([giant], ours=True)[0].ends_s[0]
    seen = play([giant, *arrivals(random.Random(1), 10, 1_000)], ours=True)
    assert seen[0].ends_s[0] <= 2 * solo_s
    assert all(one.ends_s for one in seen)


@pytest.mark.parametrize("keys", ["a", "ab", "abd"])
def test_c31_short_items_do_not_wait_for_long_ones_that_have_begun(keys: str) -> None:
    giants = [Request(0.0, (200_000,), key_id=key) for key in keys]
    crowd = [Request(5.0, (1_000,), key_id="c") for _ in range(200)]
    solo_s = play(giants[:1], ours=True)[0].ends_s[0]
    alone = [one.ends_s[0] for one in play(crowd, ours=True)]
    seen = play([*giants, *crowd], ours=True)
    beside = [one.ends_s[0] for one in seen[len(keys) :]]
    assert statistics.quantiles(beside, n=20)[-1] <= 3 * statistics.quantiles(alone, n=20)[-1]
    assert max(one.ends_s[0] for one in seen[: len(keys)]) <= 2 * len(keys) * solo_s


def test_c31_what_is_less_urgent_and_long_does_not_make_others_go_one_by_one() -> None:
    """Two that together are longer than the cache: batches of short items go in as batches."""
    long = [
        Request(0.0, (450_000,), "backfill", gone_s=18.0),
        Request(2.0, (160_000,), "rollout", gone_s=16.0),
    ]
    crowd = [Request(6.0 + n, (1_000,) * 16, "interactive") for n in range(8)]
    alone = [max(one.ends_s) for one in play(crowd, ours=True)]
    seen = play([*long, *crowd], ours=True)
    beside = [max(one.ends_s) for one in seen[2:]]
    assert statistics.median(beside) <= 2.5 * statistics.median(alone)


def test_c34_who_sends_long_items_one_by_one_has_no_more_than_who_sends_them_at_once() -> None:
    async def scene() -> list[str]:
        simulation, ended = Simulation(ours=True), list[str]()

        async def send(key_id: str) -> None:
            await simulation._request(Request(0.0, (100_000,), key_id=key_id))
            ended.append(key_id)

        async def one_by_one() -> None:
            for _ in range(4):
                await send("a")

        await asyncio.gather(one_by_one(), *(send("b") for _ in range(4)))
        return ended

    ended = run(scene())
    assert sorted(ended[:4]) == ["a", "a", "b", "b"]


def test_c34_a_key_that_floods_takes_nothing_from_one_that_does_not() -> None:
    dice, plateau = random.Random(1), plateau_per_s(4_000)
    modest = arrivals(dice, 0.3 * plateau, 4_000, key_id="b", timeout_s=30.0)
    flood = arrivals(dice, 50 * 0.3 * plateau, 4_000, key_id="a", timeout_s=30.0)
    seen = play([*modest, *flood], ours=True)
    assert all(one.ends_s for one in seen[: len(modest)])
    theirs = [one for one in seen[len(modest) :]]
    assert any(one.refused for one in theirs)
    done = sum(len(one.ends_s) for one in theirs if one.ends_s)
    assert done >= 0.5 * plateau * SECONDS, "what the modest key leaves is used"


def test_c34_two_keys_that_want_more_than_there_is_share_it() -> None:
    dice, plateau = random.Random(1), plateau_per_s(4_000)
    some = arrivals(dice, plateau, 4_000, key_id="b", timeout_s=30.0)
    much = arrivals(dice, 10 * plateau, 4_000, key_id="a", timeout_s=30.0)
    seen = play([*some, *much], ours=True)
    done = [
        sum(end + one.request.at_s < SECONDS for one in seen for end in one.ends_s
            if one.request.key_id == key)
        for key in ("a", "b")
    ]  # fmt: skip
    assert done[1] >= 0.4 * sum(done)
