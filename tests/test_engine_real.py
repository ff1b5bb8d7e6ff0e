"""vLLM and transformers with the small model: the contract, their parity, and vLLM's ends.

Three vLLM engines live one after the other: bfloat16 for the contract, float32 for parity and a
brick, and a last one that is killed.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import statistics
import tempfile
import time
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import psutil
import pytest
import pytest_asyncio
from counts import FULL, count
from engine_contract import (
    LABELS,
    LOG,
    EngineContract,
    alive,
    closes_well,
    logit,
    processes,
    prompt,
    says_that_it_is_closed,
    who,
)

from app.admission import Admission, Demand, Limits, Standing, in_parts
from app.engine import Engine, device
from app.engine.supervisor import Supervisor
from app.engine.transformers import TransformersEngine
from app.engine.vllm import VllmEngine
from app.engine.vllm_options import VllmOptions
from app.engine.watched import Watch
from app.errors import Draining, EngineRestarting, ItemError, StartError
from app.types import Priority, Verdict

MODEL = Path(__file__).parent.parent / "model_store" / "swe-rm-nano"
ALLOWED_TOKENS = 24_000

pytestmark = [
    pytest.mark.engine,
    pytest.mark.asyncio(loop_scope="module"),
    # What vLLM, torch and SWIG warn of when they are imported and used.
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:(torch|vllm|transformers)"),
    pytest.mark.filterwarnings("ignore:Unclosed context <zmq:ResourceWarning"),
]


@dataclass(frozen=True)
class Started:
    engine: VllmEngine
    own: set[psutil.Process]


def options(dtype: str, model_dir: Path, records: Path | None = None) -> VllmOptions:
    cores = len(os.sched_getaffinity(0))
    return VllmOptions(
        model_dir=model_dir, dtype=dtype, dtype_told=True, allowed_tokens=ALLOWED_TOKENS, threads=cores,
        kv_cache_gib=1, gpu_memory_ratio=0.2, batch_tokens=None, running_items=64, compile=False,
        tensor_parallel=1, records=records or Path(tempfile.gettempdir()) / "swe-rm-test-engines",
    )  # fmt: skip


@asynccontextmanager
async def vllm(dtype: str, **over: int) -> AsyncIterator[Started]:
    before = processes()
    started = time.monotonic()
    engine = await VllmEngine.start(replace(options(dtype, MODEL), **over))
    LOG.info("vllm %s: started in %.1f s", dtype, time.monotonic() - started)
    own = processes() - before
    try:
        yield Started(engine, own)
    finally:
        await engine.close()
        assert not alive(own)
        with warnings.catch_warnings():  # of what vLLM leaves open, now and not in a later test
            warnings.simplefilter("ignore")
            gc.collect()


@asynccontextmanager
async def reference(dtype: str) -> AsyncIterator[TransformersEngine]:
    engine = await TransformersEngine.start(MODEL, dtype, ALLOWED_TOKENS)
    try:
        yield engine
    finally:
        await engine.close()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def reference_bfloat16() -> AsyncIterator[TransformersEngine]:
    async with reference("bfloat16") as engine:
        yield engine


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def vllm_bfloat16() -> AsyncIterator[Started]:
    async with vllm("bfloat16") as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def vllm_float32() -> AsyncIterator[Started]:
    async with vllm("float32") as started:
        yield started


async def test_nobody_told_the_dtype() -> None:
    engine = await TransformersEngine.start(MODEL, "bfloat16", ALLOWED_TOKENS, dtype_told=False)
    try:
        assert engine.facts.dtype == device.cpu_dtype("bfloat16")
    finally:
        await engine.close()


class TestTransformers(EngineContract):
    drift = 0.02

    @pytest.fixture
    def engine(self, reference_bfloat16: TransformersEngine) -> Engine:
        return reference_bfloat16


class TestVllm(EngineContract):
    drift = 0.02
    long_tokens = 16_000

    @pytest.fixture
    def engine(self, vllm_bfloat16: Started) -> Engine:
        return vllm_bfloat16.engine

    async def test_cancelled_work_is_gone_from_inside(self, engine: VllmEngine) -> None:
        calls = [asyncio.create_task(engine.judge(prompt(900, 50 + i), LABELS)) for i in range(40)]
        await asyncio.sleep(0.05)
        inside = [not call.done() for call in calls]  # a busy machine may have judged some
        assert sum(inside) > 20
        for call in calls[::2]:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        wanted = [here and n % 2 == 0 for n, here in enumerate(inside)]
        assert [call.cancelled() for call in calls] == wanted
        assert engine._llm.get_num_unfinished_requests() == 0
        assert engine._llm.get_num_queued_tokens() == 0

    async def test_an_interactive_item_passes_bulk(self, engine: VllmEngine) -> None:
        bulk = [
            asyncio.create_task(engine.judge(prompt(8_000, 100 + i), LABELS, "backfill"))
            for i in range(6)
        ]
        await asyncio.sleep(0.1)
        await engine.judge(prompt(300, 99), LABELS, "interactive")
        assert sum(call.done() for call in bulk) <= 2
        await asyncio.gather(*bulk)


async def compare(engine: VllmEngine, other: Engine, usual: float, worst: float) -> None:
    """The same logit from both, for short, medium and long prompts, cached and not."""
    for tokens, many in ((200, 7), (3_000, 3), (count(6_000, 20_000), 1)):
        prompts = [prompt(tokens, seed=7 + i) for i in range(many)]
        cold = [await engine.judge(ids, LABELS) for ids in prompts]
        warm = [await engine.judge(ids, LABELS) for ids in prompts]
        expected = [logit(await other.judge(ids, LABELS)) for ids in prompts]
        assert {verdict.cached_tokens for verdict in cold} == {0}
        assert min(verdict.cached_tokens for verdict in warm) > tokens // 2
        moved = [abs(logit(v) - e) for v, e in zip(cold + warm, expected * 2, strict=True)]
        found = statistics.median(moved), max(moved)
        LOG.info("parity %s %s, %d tokens: median %.2g, worst %.2g", *who(engine), tokens, *found)
        assert found[0] <= usual, tokens
        assert found[1] <= worst, tokens


async def test_parity_in_bfloat16(
    vllm_bfloat16: Started, reference_bfloat16: TransformersEngine
) -> None:
    """Rounding may turn a router's close choice around: then a logit jumps, here by 0.1 at times,
    and transformers in bfloat16 is as far from transformers in float32."""
    await compare(vllm_bfloat16.engine, reference_bfloat16, usual=0.05, worst=0.25)


async def test_transformers_closes_well(reference_bfloat16: TransformersEngine) -> None:
    await closes_well(reference_bfloat16, set(), tokens=8_000)


async def test_vllm_closes_well(vllm_bfloat16: Started) -> None:
    await closes_well(vllm_bfloat16.engine, vllm_bfloat16.own, tokens=16_000)


async def test_parity_in_float32(vllm_float32: Started) -> None:
    engine = vllm_float32.engine
    assert (engine.facts.dtype, engine.facts.name) == ("float32", "vllm")
    kv_bytes_per_token = 4 * 2 * 2 * 32 * 4  # layers, K and V, heads, their size, float32
    assert engine.facts.cache_tokens == pytest.approx(2**30 / kv_bytes_per_token, rel=0.01)
    assert engine.facts.busy_steps == 1, "this is a CPU"
    async with reference("float32") as other:
        await compare(engine, other, usual=1e-4, worst=1e-3)
    alone = logit(await engine.judge(prompt(250, 1), LABELS))
    calls = [engine.judge(prompt(200 + i, i), LABELS) for i in range(15)]
    verdicts = await asyncio.gather(engine.judge(prompt(250, 1), LABELS), *calls)
    assert abs(logit(verdicts[0]) - alone) <= 1e-3


async def test_by_parts_an_item_costs_and_scores_what_it_does_whole(vllm_float32: Started) -> None:
    engine, ids = vllm_float32.engine, prompt(12_000, 900)
    whole = await engine.judge(ids, LABELS)
    assert await engine._llm.reset_prefix_cache()
    admission = Admission(Limits(10**6, 10**6, 100, window_tokens=4_096, step_tokens=2_048))
    demand = Demand.of(len(ids))
    ticket = admission.enter({0: demand}, Standing("rollout", "k", 1e18))
    ticket.use(0)
    ends: list[int] = []

    async def judge(tokens: int, priority: Priority) -> Verdict:
        ends.append(tokens)
        return await engine.judge(ids[:tokens], LABELS, priority)

    seat = ticket.seat(demand, divisible=engine.facts.keeps_prefixes)
    parts = await in_parts(admission, seat, judge)
    assert len(ends) > 3
    assert (parts.prompt_tokens, parts.cached_tokens) == (12_000, 0)
    assert abs(logit(parts) - logit(whole)) <= 1e-3


async def test_a_bricked_engine_is_seen_and_can_be_closed(vllm_float32: Started) -> None:
    """One smuggled float ends vLLM's input thread: its flag stays green and every call hangs."""
    from vllm import SamplingParams
    from vllm.inputs.engine import tokens_input

    engine = vllm_float32.engine
    guest = engine._llm.generate(tokens_input([11, 12.5]), SamplingParams(max_tokens=1), "brick")
    brick = asyncio.ensure_future(anext(guest))
    waiter = asyncio.create_task(engine.judge(prompt(200), LABELS))
    await asyncio.sleep(0.5)
    watch = Watch(probe_every_s=0.1, patience_s=1.5)

    async def no_other() -> VllmEngine:
        raise AssertionError

    supervisor = Supervisor(engine, no_other, LABELS, [], logit, watch)
    await supervisor.start()
    watching = asyncio.create_task(supervisor.run())
    await asyncio.sleep(2)
    await engine._llm.check_health()  # says nothing, which is why there is a probe
    assert supervisor.trouble == "the engine did not answer in time"
    watching.cancel()
    await asyncio.wait({watching}, timeout=1)
    assert watching.done()
    await asyncio.wait_for(engine.close(), 20)
    with pytest.raises(Draining):
        await asyncio.wait_for(waiter, 1)
    assert not alive(vllm_float32.own)
    await says_that_it_is_closed(engine)
    brick.cancel()
    await asyncio.wait({brick}, timeout=1)


@pytest.mark.skipif(not FULL, reason="an engine of its own: make acceptance")
async def test_killed_while_calls_are_in_flight() -> None:
    """kill -9 of the core, stopped before so that a probe too is on its way: all end within 2 s."""
    async with vllm("bfloat16") as started:
        engine = started.engine
        await engine.judge(prompt(100), LABELS)
        waiters = [asyncio.create_task(engine.judge(prompt(9_000, i), LABELS)) for i in range(6)]
        await asyncio.sleep(0.3)
        core = next(each for each in started.own if "EngineCore" in " ".join(each.cmdline()))
        core.send_signal(signal.SIGSTOP)
        look = asyncio.create_task(engine.probe())
        await asyncio.sleep(1)
        assert not look.done()
        core.kill()
        done, pending = await asyncio.wait({look, *waiters}, timeout=2)
        assert not pending
        for call in done:
            error = call.exception()
            assert isinstance(error, EngineRestarting | ItemError), error
            assert error.retryable
        assert {type(waiter.exception()) for waiter in waiters} == {EngineRestarting}
        for call in (engine.probe(), engine.judge(prompt(100), LABELS)):
            with pytest.raises(EngineRestarting):
                await asyncio.wait_for(call, 2)
        await asyncio.wait_for(engine.close(), 20)
        assert not alive(started.own)
        await says_that_it_is_closed(engine)


@pytest.mark.skipif(not FULL, reason="an engine of its own: make acceptance")
async def test_c12_a_starved_cache_scores_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """6 × 3,000 tokens at once in a cache of 5,120."""
    from vllm.engine import arg_utils

    starved = partial(arg_utils.AsyncEngineArgs, num_gpu_blocks_override=160)
    monkeypatch.setattr(arg_utils, "AsyncEngineArgs", starved)
    prompts = [prompt(3_000, seed) for seed in range(6)]
    async with vllm("float32", allowed_tokens=5_000) as started:
        alone = [logit(await started.engine.judge(ids, LABELS)) for ids in prompts]
        calls = [started.engine.judge(ids, LABELS) for ids in prompts]
        together = await asyncio.wait_for(asyncio.gather(*calls), 120)
    moved = [abs(logit(v) - a) for v, a in zip(together, alone, strict=True)]
    LOG.info("a starved cache moves a logit by %.2g at most", max(moved))
    assert max(moved) <= 1e-3


async def test_a_model_that_does_not_load_leaves_nothing_behind(tmp_path: Path) -> None:
    before = processes()
    (tmp_path / "config.json").write_text('{"model_type": "nothing"}')
    with pytest.raises(StartError):
        await TransformersEngine.start(tmp_path, "float32", 100)
    with pytest.raises(StartError):
        await VllmEngine.start(options("float32", tmp_path))
    assert processes() == before
