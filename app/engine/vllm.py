"""vLLM's AsyncLLM, in process: the only file that imports vLLM.

The label log-probabilities come from one generated position with `logprob_token_ids`: exact, over the
whole vocabulary, and with prefix caching and chunked prefill left on. Nothing a caller sends reaches
SamplingParams but the priority.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
import time
import uuid
from array import array
from collections.abc import AsyncIterator, Iterator
from typing import Any

from app.engine import device, processes
from app.engine.calls import Calls
from app.engine.protocol import EngineFacts
from app.engine.reading import label_logprobs, strict_ids
from app.engine.vllm_options import VllmOptions
from app.errors import EngineFailed, EngineRestarting, ServiceError, StartError
from app.types import Labels, Priority, Verdict

# Lower goes first in vLLM's priority scheduling.
_PRIORITY: dict[Priority, int] = {"interactive": 0, "rollout": 10, "backfill": 20}
_SHUTDOWN_S = 3.0
_LOOK_AGAIN_S = 0.5
_CPU_BLOCK_TOKENS = 32
_CHECKED_ON_LOOP_TOKENS = 8192


class VllmEngine:
    """See `Engine`. Build it with `await VllmEngine.start(options)`."""

    def __init__(
        self,
        llm: Any,
        facts: EngineFacts,
        vocabulary: int,
        children: set[processes.Process],
        guard: processes.Guard,
    ) -> None:
        self._llm = llm
        self._facts = facts
        self._vocabulary = vocabulary
        self._children = children
        self._guard = guard
        self._calls = Calls()
        self._closed: asyncio.Task[None] | None = None

    @property
    def facts(self) -> EngineFacts:
        return self._facts

    @classmethod
    async def start(cls, options: VllmOptions) -> VllmEngine:
        """Starts the engine processes. Raises `StartError` with vLLM's reason when they do not come up.

        Cancelled, it ends those that are there already.
        """
        options.set_environment()
        try:
            guard = await asyncio.to_thread(processes.Guard, options.records)
        except OSError as cause:
            message = f"{options.records} cannot be written ({cause.strerror}): set --state-dir"
            raise StartError(message) from cause
        before = set(processes.descendants(os.getpid()))
        given_up = threading.Event()
        building = asyncio.create_task(asyncio.to_thread(_build, options, given_up))
        try:
            llm = await asyncio.shield(building)
        except BaseException as cause:
            given_up.set()
            await _abandon(building, before)
            guard.dismiss()
            if not isinstance(cause, Exception):
                raise
            message = f"vLLM did not start with {options.model_dir.name}: {cause}"
            raise StartError(message) from cause
        import vllm

        children = set(processes.descendants(os.getpid())) - before
        config = llm.vllm_config
        facts = EngineFacts(
            name="vllm",
            version=vllm.__version__,
            dtype=str(config.model_config.dtype).removeprefix("torch."),
            kv_dtype=str(config.cache_config.cache_dtype),
            allowed_tokens=config.model_config.max_model_len - 1,
            cache_tokens=_cache_tokens(config.cache_config),
            step_tokens=config.scheduler_config.max_num_batched_tokens,
            busy_steps=_busy_steps(),
        )
        return cls(llm, facts, config.model_config.get_vocab_size(), children, guard)

    async def judge(
        self, ids: array[int], labels: Labels, priority: Priority = "rollout"
    ) -> Verdict:
        from vllm import SamplingParams
        from vllm.inputs.engine import tokens_input

        prompt = tokens_input(await self._checked(ids))
        params = SamplingParams(
            max_tokens=1,
            temperature=0.0,
            ignore_eos=True,
            detokenize=False,
            logprob_token_ids=list(labels.ids),
        )
        started = time.perf_counter()
        with self._calls.own(), _translated():
            stream = self._llm.generate(
                prompt, params, f"judge-{uuid.uuid4().hex}", priority=_PRIORITY[priority]
            )
            output = await _last(stream)
        if output is None or len(output.outputs) != 1:
            message = "the engine ended the item without exactly one output"
            raise EngineFailed(message)
        answer = output.outputs[0]
        found = answer.logprobs[0] if answer.logprobs else {}
        values = {token: entry.logprob for token, entry in found.items()}
        return Verdict(
            label_logprobs=label_logprobs(answer.finish_reason, values, labels),
            prompt_tokens=len(ids),
            cached_tokens=int(output.num_cached_tokens or 0),
            engine_s=time.perf_counter() - started,
        )

    async def _checked(self, ids: array[int]) -> list[int]:
        """Long prompts are checked off the loop: a dozen taken in one turn would hold it up."""
        limits = self._vocabulary, self._facts.allowed_tokens
        if isinstance(ids, array) and len(ids) > _CHECKED_ON_LOOP_TOKENS:
            return await asyncio.to_thread(strict_ids, ids, *limits)
        return strict_ids(ids, *limits)

    async def probe(self) -> None:
        # check_health() only reads a flag. is_paused() goes through the input thread and the busy loop,
        # but vLLM leaves it waiting for ever when the engine dies meanwhile. So both are asked.
        with self._calls.own(), _translated():
            answer = asyncio.create_task(self._llm.is_paused())
            try:
                while not (await asyncio.wait({answer}, timeout=_LOOK_AGAIN_S))[0]:
                    await self._llm.check_health()
                answer.result()
            finally:
                answer.cancel()

    async def close(self) -> None:
        # A task of its own: a caller who gives up must not leave the processes behind.
        if self._closed is None:
            self._closed = asyncio.create_task(self._close())
        await asyncio.shield(self._closed)

    async def _close(self) -> None:
        # vLLM's reader of outputs would take the shutdown for a crash and log one.
        if reader := self._llm.output_handler:
            reader.cancel()
        # vLLM leaves callers of generate() waiting for ever after its shutdown.
        self._calls.end()
        try:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(
                    asyncio.to_thread(self._llm.shutdown, _SHUTDOWN_S), _SHUTDOWN_S + 5
                )
            # Its __del__ shuts down once more, when the interpreter has already gone to pieces.
            self._llm.shutdown = lambda *_, **__: None
        finally:
            await asyncio.to_thread(processes.reap, self._children)
            await asyncio.to_thread(self._guard.dismiss)
            self._llm = None


def _busy_steps() -> int:
    from vllm.platforms import current_platform

    return device.CPU_BUSY_STEPS if current_platform.is_cpu() else device.GPU_BUSY_STEPS


def _build(options: VllmOptions, given_up: threading.Event) -> Any:
    # A server that is replacing an engine has sockets and threads: a forked child would hold every
    # connection open, and whatever lock a thread had just then. The first one starts sooner by a fork.
    if "vllm" in sys.modules:
        os.environ.setdefault("VLLM_WORKER_MULTIPROC_METHOD", "spawn")
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.platforms import current_platform
    from vllm.v1.engine.async_llm import AsyncLLM

    dtype, step_tokens = options.dtype, options.batch_tokens or device.GPU_STEP_TOKENS
    per_device: dict[str, Any] = {"gpu_memory_utilization": options.gpu_memory_ratio}
    if current_platform.is_cpu():
        per_device = {"block_size": _CPU_BLOCK_TOKENS}
        step_tokens = options.batch_tokens or device.CPU_STEP_TOKENS
        dtype = dtype if options.dtype_told else device.cpu_dtype(dtype)
    args = AsyncEngineArgs(
        model=str(options.model_dir),
        skip_tokenizer_init=True,
        trust_remote_code=False,
        load_format="safetensors",
        use_tqdm_on_load=False,
        dtype=dtype,
        max_model_len=options.allowed_tokens + 1,
        max_num_batched_tokens=step_tokens,
        max_num_seqs=options.running_items,
        enable_prefix_caching=True,
        enable_chunked_prefill=True,
        scheduling_policy="priority",  # and no long prompt keeps whole steps from others
        long_prefill_token_threshold=min(step_tokens // 2, options.allowed_tokens),
        tensor_parallel_size=options.tensor_parallel,
        enforce_eager=not options.compile,
        disable_log_stats=False,
        generation_config="vllm",
        # In bfloat16 a logit of 10 has steps of 0.06: scores would tie, and jump with the batch.
        hf_overrides={"head_dtype": "float32"},
        **per_device,
    )
    if given_up.is_set():
        message = "the start was given up"
        raise RuntimeError(message)
    with processes.terminal_signals_kept_away():
        return AsyncLLM.from_engine_args(args)


async def _abandon(building: asyncio.Task[Any], before: set[processes.Process]) -> None:
    """Ends a start that nobody waits for: its processes as they appear, so that it fails soon."""

    def reap() -> None:
        processes.reap(set(processes.descendants(os.getpid())) - before)

    while not building.done():
        await asyncio.to_thread(reap)
        await asyncio.wait({building}, timeout=_LOOK_AGAIN_S)
    if not building.cancelled() and not building.exception():
        await asyncio.to_thread(building.result().shutdown, 0)
    await asyncio.to_thread(reap)


def _cache_tokens(cache: Any) -> int:
    size_tokens = cache.kv_cache_size_tokens or (cache.num_gpu_blocks or 0) * cache.block_size
    return int(size_tokens) if cache.enable_prefix_caching else 0


async def _last(stream: AsyncIterator[Any]) -> Any:
    last = None
    async for output in stream:
        last = output
    return last


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """The one place where vLLM's exceptions become ours."""
    try:
        yield
    except ServiceError:
        raise
    except Exception as cause:
        from vllm.v1.engine.exceptions import EngineDeadError

        if isinstance(cause, EngineDeadError):
            message = "the engine died under the item"
            raise EngineRestarting(message) from cause
        message = f"the engine refused the item ({type(cause).__name__})"
        raise EngineFailed(message, defect=cause) from cause
