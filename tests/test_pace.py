"""How fast the engine is, and the waits that follow from it: by a clock that we turn ourselves."""

from __future__ import annotations

import asyncio
import math
import random
from array import array
from collections.abc import Callable

import pytest
from doors import Clock, door, enter, standing, ticket, turns
from hypothesis import example, given
from hypothesis import strategies as st

from app.admission import Admission, Demand, Limits, Prefixes, chain_of
from app.admission.pace import Pace
from app.admission.prefixes import BLOCK_TOKENS
from app.engine.stepped import SteppedEngine
from app.errors import Overloaded
from app.types import Labels
from bench.virtual import run

LABELS = Labels((1,), (2,))


def work(pace: Pace, clock: Clock, count: int, tokens: int, seconds: float) -> None:
    for _ in range(count):
        pace.begin()
        clock.now += seconds
        pace.finished(tokens, tokens**2)
        pace.idle()
        clock.now += 100.0  # idle time says nothing


def test_nothing_is_refused_for_a_guess() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert pace.tokens_per_s > 0
    assert pace.seconds(1_000, 10**6) > 0
    assert not pace.learnt
    work(pace, clock, 5, 1_000, 1.0)
    assert pace.learnt
    assert pace.tokens_per_s == pytest.approx(1_000)
    assert pace.seconds(1_000, 10**6) == pytest.approx(1.0)


@pytest.mark.parametrize("cost", [(6e-5, 1.2e-8), (1.67e-5, 9.9e-10), (1e-4, 2e-9)])
def test_both_costs_are_found_when_sizes_differ(cost: tuple[float, float]) -> None:
    a_s, b_s = cost
    clock, chance = Clock(), random.Random(1)
    pace = Pace(clock)
    for _ in range(200):
        tokens = int(math.exp(chance.uniform(math.log(500), math.log(120_000))))
        work(pace, clock, 1, tokens, a_s * tokens + b_s * tokens**2)
    for tokens in (1_000, 10_000, 100_000, 250_000):
        real = a_s * tokens + b_s * tokens**2
        assert pace.seconds(tokens, tokens**2) == pytest.approx(real, rel=0.15)


def test_sizes_all_alike_keep_the_assumed_shape() -> None:
    clock = Clock()
    pace = Pace(clock)
    work(pace, clock, 100, 1_000, 0.1)
    assert pace.seconds(1_000, 10**6) == pytest.approx(0.1, rel=0.01)
    assert 10 < pace.seconds(100_000, 10**10) < 110, "between none and all of it quadratic"


def test_a_cached_beginning_costs_only_what_looks_at_it() -> None:
    assert Demand.of(1_000, 900) == Demand(100, 1_000**2 - 900**2)
    assert Demand.of(1_000, 0).tokens == 1_000


def test_an_engine_that_slows_down_is_believed_soon() -> None:
    clock = Clock()
    pace = Pace(clock)
    work(pace, clock, 300, 1_000, 0.1)
    work(pace, clock, 60, 1_000, 1.0)
    assert pace.seconds(1_000, 10**6) == pytest.approx(1.0, rel=0.2), "after a minute of work"


def test_what_was_dropped_unfinished_teaches_nothing() -> None:
    clock = Clock()
    pace = Pace(clock)
    work(pace, clock, 20, 1_000, 0.1)
    pace.begin()
    clock.now += 500
    pace.dropped()
    pace.idle()
    work(pace, clock, 1, 1_000, 0.1)
    assert pace.seconds(1_000, 10**6) == pytest.approx(0.1, rel=0.01)


def test_who_leaves_makes_the_engine_look_neither_faster_nor_slower() -> None:
    """Steps of a second with ten items each, of which one leaves midway."""
    clock = Clock()
    pace = Pace(clock)
    pace.begin()
    for step in range(100):
        clock.now += 0.5
        if step % 3 == 0:
            pace.dropped()
        clock.now += 0.5
        for _ in range(10):
            pace.finished(100, 100**2)
    assert pace.tokens_per_s == pytest.approx(1_000, rel=0.01)


def test_an_engine_so_slow_that_somebody_leaves_each_step_is_believed() -> None:
    clock = Clock()
    pace = Pace(clock)
    work(pace, clock, 100, 1_000, 0.1)
    pace.begin()
    for _ in range(200):
        clock.now += 5.0
        pace.dropped()
        clock.now += 5.0
        pace.finished(1_000, 10**6)
    assert pace.seconds(1_000, 10**6) > 5.0


@example([("f", 0.0, 1), ("f", 88_050.0, 0)])
@given(st.lists(st.tuples(st.sampled_from("bfid"), st.floats(0, 1e6), st.integers(0, 10**6))))
def test_pace_is_a_rate_whatever_happens(events: list[tuple[str, float, int]]) -> None:
    clock = Clock()
    pace = Pace(clock)
    acts: dict[str, Callable[[], None]] = {"b": pace.begin, "i": pace.idle, "d": pace.dropped}
    for what, elapsed_s, tokens in events:
        clock.now += elapsed_s
        acts.get(what, lambda tokens=tokens: pace.finished(tokens, tokens**2))()
        assert 0 <= pace.tokens_per_s < math.inf
        assert 0 < pace.seconds(1_000, 10**6) < math.inf


def paced(clock: Clock, **how: int) -> Admission:
    """A door that has learnt 100 tokens a second, whatever their pairs."""
    admission = door(clock=clock, **how)
    admission.pace._token_s, admission.pace._pair_s = 0.01, 0.0
    admission.pace._seen_s = admission.pace._seen_items = 10
    return admission


async def test_the_wait_named_to_the_refused_follows_the_backlog() -> None:
    admission = paced(Clock())
    assert admission.backlog_s() == 0
    assert admission.retry_after_s() == 1
    ticket(admission, [2_000])
    ticket(admission, [1_000], standing("interactive"))
    waits = [admission.backlog_s(name) for name in ("interactive", "rollout", "backfill")]
    assert waits == pytest.approx([10, 30, 30])
    named = {admission.retry_after_s() for _ in range(50)}
    assert len(named) > 10
    assert all(22.5 <= each <= 37.5 for each in named)
    ticket(admission, [7_000])
    assert admission.retry_after_s() == 60


async def test_taken_whole_or_refused_by_its_predicted_finish() -> None:
    clock, inside = Clock(), []
    admission = paced(clock)
    bulk = enter(admission, [100] * 10, inside)
    await turns()
    demands = {0: Demand.of(50), 1: Demand.of(100)}

    def predicted(who: str = "k", priority: str = "rollout") -> float:
        return admission.predicted_s(demands, standing(priority, who))  # type: ignore[arg-type]

    steps_s = admission.limits.step_tokens * 0.01
    assert predicted() == pytest.approx(11.5 + steps_s), "behind all of the bulk"
    assert predicted(priority="interactive") == pytest.approx((2.5 + steps_s) * 1.05), (
        "behind what is inside only"
    )
    assert predicted("other") == pytest.approx(1 + steps_s + 1.5 + 1.5), (
        "and as much for the other key"
    )
    soon = {0: Demand.of(50)}, standing(deadline=clock.now + 5)
    assert admission.predicted_s(*soon) == pytest.approx((1.5 + steps_s) * 9 / 8), (
        "before what is larger and due later, but for the share of the oldest"
    )
    clock.now += 0.5
    assert predicted() == pytest.approx(11.0 + steps_s), "half a second of what is inside is done"
    with pytest.raises(Overloaded) as caught:
        admission.enter(demands, standing(deadline=clock.now + 11))
    assert caught.value.limits == {"measured": 11.5, "allowed": 11.0}
    assert 0.75 * 11.5 <= (caught.value.retry_after_s or 0) <= 1.25 * 11.5
    assert admission.waiting_items == 9
    admission.enter(demands, standing(deadline=clock.now + 12)).close()
    for guest in bulk:
        guest.task.cancel()


def test_the_fit_and_the_forecast_hold_on_an_engine_that_takes_steps() -> None:
    """Bulk at once on the stepped engine; it becomes ten times slower halfway. Forecasts of the whole
    backlog are compared with what it really takes from then on."""
    engine = SteppedEngine()

    async def scene() -> list[tuple[float, float]]:
        clock = asyncio.get_running_loop().time
        admission = Admission(Limits(10**6, 10**9, 10**5), clock)
        chance = random.Random(2)
        sizes = [chance.choice([1_000] * 4 + [32_000]) for _ in range(2_000)]
        forecasts: list[tuple[float, float]] = []

        async def one(taken: object, number: int, tokens: int) -> None:
            seat = admission_ticket.seat(Demand.of(tokens))
            admission_ticket.use(number)
            async with admission.room(seat) as priority:
                await engine.judge(array("i", [7]) * tokens, LABELS, priority)
                admission.finished(tokens, 0)

        admission_ticket = ticket(admission, sizes)
        tasks = [asyncio.create_task(one(None, n, tokens)) for n, tokens in enumerate(sizes)]
        for wait_s, slow in ((150, 1.0), (0, 10.0), (500, 10.0)):
            await asyncio.sleep(wait_s)
            engine.slow = slow
            forecasts.append((clock(), admission.backlog_s()))
        await asyncio.gather(*tasks)
        assert admission.waiting_items == admission.inside_items == 0
        return [(clock() - at_s, said_s) for at_s, said_s in forecasts]

    (_, fast_s), _, (real_s, said_s) = run(scene())
    assert said_s == pytest.approx(real_s, rel=0.2)
    assert fast_s < said_s


def chain(*blocks: int, rest: int = 0) -> tuple[bytes, ...]:
    return chain_of(array("i", [b for b in blocks for _ in range(BLOCK_TOKENS)] + [0] * rest))


def test_what_the_cache_is_expected_to_hold() -> None:
    known = Prefixes(limit_blocks=100)
    assert chain(rest=BLOCK_TOKENS - 1) == ()
    first, sister = chain(1, 2, 3), chain(1, 2, 9)
    assert first[:2] == sister[:2]
    sizes = [3 * BLOCK_TOKENS] * 2
    assert known.expected([first, sister], sizes) == [0, 2 * BLOCK_TOKENS], "the group shares"
    known.remember(first)
    assert known.expected([sister, first], sizes) == [2 * BLOCK_TOKENS, 3 * BLOCK_TOKENS - 1]
    assert known.expected([chain(2, 1)], sizes[:1]) == [0], "a beginning, not any part"


def test_the_cache_forgets_what_was_computed_long_ago() -> None:
    known = Prefixes(limit_blocks=4)
    known.remember(chain(1, 2, 3))
    known.remember(chain(4, 5, 6))
    assert len(known) == 4
    assert known.expected([chain(4, 5, 6)], [10**6]) == [3 * BLOCK_TOKENS]
    assert known.expected([chain(1, 2, 3)], [10**6]) == [BLOCK_TOKENS], "tails go first"
