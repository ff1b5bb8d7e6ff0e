"""Real vLLM under the supervisor: killed under load, then frozen; both times a new engine comes."""

from __future__ import annotations

import asyncio
import gc
import signal
import time
import warnings
from pathlib import Path

import pytest
from counts import FULL
from engine_contract import LABELS, LOG, alive, logit, processes, prompt
from test_engine_real import MODEL, options
from test_engine_real import pytestmark as real_engine

from app.engine.canary import Canary
from app.engine.supervisor import Supervisor
from app.engine.vllm import VllmEngine
from app.engine.watched import Watch
from app.errors import EngineRestarting

pytestmark = [*real_engine, pytest.mark.timeout(1800)]
BACK_WITHIN_S = 900  # seconds on an idle machine


async def until_ready(supervisor: Supervisor, restarts: int) -> None:
    async with asyncio.timeout(BACK_WITHIN_S):
        while not (supervisor.ready and supervisor.restarts == restarts):
            await asyncio.sleep(0.05)


@pytest.mark.skipif(not FULL, reason="three engines, two minutes: make acceptance")
async def test_killed_under_load_and_frozen(tmp_path: Path) -> None:
    before = processes()

    async def start() -> VllmEngine:
        return await VllmEngine.start(options("bfloat16", MODEL, tmp_path))

    watch = Watch(probe_every_s=0.5, patience_s=5, canary_every_s=5, first_wait_s=0.1)
    canary = Canary("c", prompt(300), None, tolerance=0.02)
    supervisor = Supervisor(await start(), start, LABELS, [canary], logit, watch)
    await supervisor.start()
    running = asyncio.create_task(supervisor.run())
    try:
        for restarts, fault in enumerate((signal.SIGKILL, signal.SIGSTOP), start=1):
            own = processes() - before
            core = next(each for each in own if "EngineCore" in " ".join(each.cmdline()))
            calls = [
                asyncio.create_task(supervisor.judge(prompt(9_000, seed), LABELS))
                for seed in range(8)
            ]
            await asyncio.sleep(0.3)
            core.send_signal(fault)
            started = time.monotonic()
            done, pending = await asyncio.wait(calls, timeout=2 if fault == signal.SIGKILL else 120)
            assert not pending
            assert {type(call.exception()) for call in done} == {EngineRestarting}
            ended_s = time.monotonic() - started
            await until_ready(supervisor, restarts)
            LOG.info(
                "%s: items ended in %.1f s, back in %.1f s",
                fault.name,
                ended_s,
                time.monotonic() - started,
            )
            assert [each for each in alive(own) if "VLLM" in " ".join(each.cmdline())] == []
            assert (supervisor.canary.drift or 0) <= 0.02
            await supervisor.judge(prompt(100), LABELS)
    finally:
        running.cancel()
        await asyncio.wait({running})
        await supervisor.close()
        with warnings.catch_warnings():  # of what vLLM leaves open, now and not in a later test
            warnings.simplefilter("ignore")
            gc.collect()
    assert not alive(processes() - before)
    assert not list(tmp_path.glob("*.json"))
