"""What every engine must do: one suite, run on the fake engine and on the real ones.

A test class inherits `EngineContract` and gives a fixture `engine`. What ends an engine's life stands
outside the class (`closes_well`), because nothing can follow it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import random
import time
from array import array
from typing import Any

import psutil
import pytest
from counts import count

from app.engine import Engine
from app.errors import Draining, EngineFailed, ServiceError
from app.types import Labels, Verdict

VOCABULARY = 8192
YES, NO = 8190, 8191
LABELS = Labels((YES,), (NO,))
LOG = logging.getLogger("engine_contract")  # figures, seen with --log-cli-level=INFO


def prompt(tokens: int, seed: int = 0) -> array[int]:
    """Random ids, other ones for every length and seed, so that no prefix is shared by chance."""
    random_ids = random.Random(f"{tokens}/{seed}")
    return array("i", [random_ids.randrange(VOCABULARY - 10) for _ in range(tokens)])


def logit(verdict: Verdict) -> float:
    return verdict.label_logprobs[0] - verdict.label_logprobs[1]


def who(engine: Engine) -> tuple[str, str]:
    return engine.facts.name, engine.facts.dtype


async def gone(task: asyncio.Task[Any]) -> None:
    """Waits for a cancelled task's end, whatever it is, but not for long."""
    with contextlib.suppress(asyncio.CancelledError, ServiceError):
        await asyncio.wait_for(task, 10)


BAD_IDS: dict[str, Any] = {
    "float smuggled in": [11, 12.5],
    "bool": [11, True],
    "text": "12",
    "none": None,
    "list of ints": [11, 12],
    "doubles": array("d", [11.0, 12.0]),
    "int64": array("q", [11, 12]),
    "unsigned": array("I", [11, 12]),
    "empty": array("i"),
    "negative": array("i", [11, -1]),
    "past the vocabulary": array("i", [11, VOCABULARY]),
    "largest int32": array("i", [11, 2**31 - 1]),
}


class EngineContract:
    """`drift` is how far one prompt's logit may move with the company it keeps."""

    drift = 0.0
    long_tokens = 6_000

    async def test_a_verdict_is_whole(self, engine: Engine) -> None:
        ids = prompt(200)
        verdict = await engine.judge(ids, LABELS)
        assert len(verdict.label_logprobs) == 2
        assert all(map(math.isfinite, verdict.label_logprobs))
        assert 0 < math.fsum(map(math.exp, verdict.label_logprobs)) <= 1 + 1e-6
        assert verdict.prompt_tokens == 200
        assert 0 <= verdict.cached_tokens < 200
        assert verdict.engine_s > 0
        assert ids == prompt(200), "the caller's ids are not the engine's to change"

    async def test_logprobs_come_in_the_order_of_the_labels(self, engine: Engine) -> None:
        ids = prompt(150)
        forth = await engine.judge(ids, LABELS)
        many = await engine.judge(ids, Labels((YES, 5), (NO, 6, 7), "logsumexp"))
        back = await engine.judge(ids, Labels((NO,), (YES,)))
        assert len(many.label_logprobs) == 5
        assert len(set(many.label_logprobs)) > 1
        if engine.facts.name != "fake":  # whose answer is made from the roles, not from the ids
            assert logit(back) == pytest.approx(-logit(forth), abs=self.drift)
            two = many.label_logprobs[0], many.label_logprobs[2]
            assert two == pytest.approx(forth.label_logprobs, abs=self.drift)

    async def test_company_does_not_move_a_logit(self, engine: Engine) -> None:
        """Alone, in a batch of 16, reordered, again, after a long one: one logit a prompt."""
        prompts = [prompt(120 + 60 * (i % 5), seed=i) for i in range(16)]
        alone = [logit(await engine.judge(ids, LABELS)) for ids in prompts]
        assert len(set(alone)) == 16, "a mix-up of the answers would not be seen"
        order = list(range(16))
        for company in ("batch", "reordered", "again"):
            if company == "reordered":
                random.Random(1).shuffle(order)
            calls = (engine.judge(prompts[i], LABELS) for i in order)
            found = dict(zip(order, map(logit, await asyncio.gather(*calls)), strict=True))
            moved = max(abs(found[i] - alone[i]) for i in order)
            LOG.info("%s %s %s: moved by %.2g", *who(engine), company, moved)
            assert moved <= self.drift, company
        await engine.judge(prompt(self.long_tokens), LABELS)
        after = logit(await engine.judge(prompts[0], LABELS))
        assert abs(after - alone[0]) <= self.drift

    async def test_a_prefix_does_not_move_a_logit(self, engine: Engine) -> None:
        """The same prompt cold and after a prompt that it continues."""
        cold, grown = prompt(900, seed=1), prompt(900, seed=2)
        expected = logit(await engine.judge(grown, LABELS))
        await engine.judge(cold[:640], LABELS)
        first = logit(await engine.judge(cold, LABELS))
        again = logit(await engine.judge(cold, LABELS, "interactive"))
        assert abs(first - again) <= self.drift
        assert abs(logit(await engine.judge(grown, LABELS, "backfill")) - expected) <= self.drift

    @pytest.mark.parametrize("name", BAD_IDS)
    async def test_bad_ids_are_refused_and_hurt_nobody(self, engine: Engine, name: str) -> None:
        before = logit(await engine.judge(prompt(100), LABELS))
        with pytest.raises(EngineFailed):
            await asyncio.wait_for(engine.judge(BAD_IDS[name], LABELS), 5)
        await asyncio.wait_for(engine.probe(), 5)
        after = await asyncio.wait_for(engine.judge(prompt(100), LABELS), 20)
        assert abs(logit(after) - before) <= self.drift

    async def test_too_long_is_refused_at_once(self, engine: Engine) -> None:
        allowed = engine.facts.allowed_tokens
        for tokens in (allowed + 1, allowed + 2):
            with pytest.raises(ServiceError) as caught:
                await asyncio.wait_for(engine.judge(prompt(tokens), LABELS), 5)
            assert not caught.value.retryable, "the same prompt will not be shorter next time"
            assert caught.value.limits == {"measured": tokens, "allowed": allowed}
        await asyncio.wait_for(engine.judge(prompt(100), LABELS), 20)

    async def test_a_cancelled_call_leaves_the_engine_free(self, engine: Engine) -> None:
        """What is done of it is a step or a chunk, not the rest of a prompt: a slow machine takes long for
        that, so the bound is a share of what the whole takes here."""

        async def took_s(ids: array[int]) -> float:
            started = time.monotonic()
            await engine.judge(ids, LABELS)
            return time.monotonic() - started

        await engine.judge(prompt(100), LABELS)
        whole_s, short_s = await took_s(prompt(self.long_tokens, seed=2)), await took_s(prompt(100))
        long = asyncio.create_task(engine.judge(prompt(self.long_tokens, seed=3), LABELS))
        await asyncio.sleep(min(0.3, whole_s / 10))
        assert not long.done()
        long.cancel()
        with pytest.raises(asyncio.CancelledError):
            await long
        assert await took_s(prompt(100)) < 0.75 * whole_s + short_s

    async def test_a_deadline_stays_the_callers(self, engine: Engine) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await engine.judge(prompt(self.long_tokens, seed=4), LABELS)
        await asyncio.wait_for(engine.judge(prompt(100), LABELS), 20)

    async def test_storms_of_cancels(self, engine: Engine) -> None:
        """After the first one, which fills what is kept, this process may grow by a twentieth."""
        expected = logit(await engine.judge(prompt(100), LABELS))
        chance, rss = random.Random(5), []
        for storm in range(count(2, 6)):
            calls = [
                asyncio.create_task(
                    engine.judge(prompt(count(400, 1_500), 300 * storm + i), LABELS)
                )
                for i in range(count(150, 300))
            ]
            for call in chance.sample(calls, len(calls)):
                await asyncio.sleep(chance.random() * 0.002)
                call.cancel()
            await asyncio.gather(*map(gone, calls))
            after = await asyncio.wait_for(engine.judge(prompt(100), LABELS), 20)
            assert abs(logit(after) - expected) <= self.drift
            rss.append(psutil.Process().memory_info().rss)
        LOG.info("%s %s: storms, RSS %d to %d MiB", *who(engine), rss[0] >> 20, rss[-1] >> 20)
        assert rss[-1] < 1.05 * rss[0]

    async def test_probe(self, engine: Engine) -> None:
        await asyncio.wait_for(engine.probe(), 5)


async def closes_well(engine: Engine, own: set[psutil.Process], tokens: int) -> None:
    """Every waiter ends with `Draining`, nothing is left running, and a closed engine says so."""
    waiters = [asyncio.create_task(engine.judge(prompt(tokens, 900 + i), LABELS)) for i in range(4)]
    await asyncio.sleep(0.5)
    assert not any(waiter.done() for waiter in waiters)
    started = time.monotonic()
    both = asyncio.gather(engine.close(), engine.close())
    done, pending = await asyncio.wait(waiters, timeout=10)
    assert not pending
    assert {type(waiter.exception()) for waiter in done} == {Draining}
    await asyncio.wait_for(both, 20)
    LOG.info("%s %s: closed in %.1f s", *who(engine), time.monotonic() - started)
    assert not alive(own), "both calls of close() come back only when the processes are gone"
    await says_that_it_is_closed(engine)


async def says_that_it_is_closed(engine: Engine) -> None:
    with pytest.raises(ServiceError):
        await asyncio.wait_for(engine.probe(), 5)
    with pytest.raises(Draining):
        await asyncio.wait_for(engine.judge(prompt(100), LABELS), 5)
    await asyncio.wait_for(engine.close(), 5)


def processes() -> set[psutil.Process]:
    """Living descendants of this process, but for multiprocessing's resource tracker."""
    found = set()
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if not any("resource_tracker" in word for word in child.cmdline()):
                found.add(child)
    return found


def alive(own: set[psutil.Process]) -> list[psutil.Process]:
    """Those that still run. A zombie counts when it is ours to reap."""
    found = []
    for each in own:
        with contextlib.suppress(psutil.NoSuchProcess):
            zombie = each.status() == psutil.STATUS_ZOMBIE
            if each.is_running() and (not zombie or each.ppid() == psutil.Process().pid):
                found.append(each)
    return found
