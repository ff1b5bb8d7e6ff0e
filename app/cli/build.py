"""Builds the rooms out of the settings and hands them on: the composition root."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import asdict
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from app import adapters, calibration, store
from app.admission import Admission
from app.admission import Limits as DoorLimits
from app.api.house import Health, House
from app.api.house import Limits as BodyLimits
from app.calibration import Calibrator
from app.cli.canaries import known_canaries
from app.cli.gate import Gate, open_gate, open_gate_for_one
from app.cli.keeping import kept
from app.config import Settings, engine_threads
from app.engine import Engine, EngineFacts, processes
from app.engine.supervisor import Supervisor
from app.engine.watched import Watch
from app.errors import StartError
from app.memo import Memo
from app.metrics import Metrics, Reading
from app.render import Renderer
from app.scorer import Model, Scorer
from app.types import Identity, Labels, Verdict

Say = Callable[[str], None]


def version() -> str:
    return metadata.version("swe-rm-server")


def open_model(settings: Settings) -> tuple[store.Model, Renderer, Labels]:
    """The model, every hash verified, and what lays trajectories out for it. Raises `StartError`."""
    found = store.open_model(settings.model_store, settings.model)
    context_tokens = settings.max_tokens or found.context_tokens
    if context_tokens > found.context_tokens:
        message = (
            f"max_tokens {context_tokens} is above the context of {found.name}, "
            f"{found.context_tokens}: lower max_tokens or choose another model"
        )
        raise StartError(message)
    renderer = Renderer(
        found.tokenizer_path,
        found.template,
        f"{found.template.name}@{found.template_digest}",
        allowed_tokens=context_tokens - 1,
        memo_bytes=settings.token_memo_bytes,
    )
    return found, renderer, renderer.labels(found.labels)


def read_calibrations(found: store.Model) -> tuple[dict[str, Calibrator], Calibrator | None]:
    """(those of trajectories by id, the active one of steps). Raises `StartError`."""
    known = calibration.read_calibrators(found.calibrations)
    calibration.chosen(known, found.active_calibration, "trajectories")
    name = found.active_step_calibration
    steps = calibration.chosen(known, name, "steps") if name is not None else None
    return {k: each for k, each in known.items() if each.judges == "trajectories"}, steps


@asynccontextmanager
async def open_house(
    settings: Settings,
    registry: CollectorRegistry | None,
    say: Say,
    on_lost: Callable[[], None] = lambda: None,
    *,
    keeping: bool = True,
) -> AsyncIterator[House]:
    """All rooms, opened in order and closed in reverse. Raises `StartError`; `say` tells progress.

    `registry` is that of the metrics; None: one of its own. `on_lost` is called when the engine is
    lost for good. With `keeping` false nothing is recorded: for a house of one command.
    """
    gate = open_gate(settings, say) if keeping else open_gate_for_one(settings)
    found, renderer, labels = await asyncio.to_thread(open_model, settings)
    calibrators, step_calibrator = read_calibrations(found)
    say(f"{found.name} verified; starting the {settings.engine} engine")
    if left := await asyncio.to_thread(processes.clear_left_over, _records(settings)):
        say(f"ended {left} engine processes that an earlier server left behind")

    async def start_engine() -> Engine:
        return await _start_engine(settings, found, renderer)

    first = await start_engine()
    engine, watcher = first, None
    try:
        canaries, record = known_canaries(settings, found, renderer, first.facts)
        supervisor = Supervisor(
            first, start_engine, labels, canaries, _logit_of(labels), _watch(settings), on_lost
        )
        engine = supervisor
        if recorded := await supervisor.start():
            record.write(recorded)
            say(
                f"canary: recorded {len(recorded)} logits for {first.facts.dtype}, not known before"
            )
        watcher = asyncio.create_task(supervisor.run())
        identity = _identity(found, engine.facts, labels, renderer.fingerprint)
        floor, active = found.label_mass_floor, found.active_calibration
        model = Model(identity, labels, floor, calibrators, active, step_calibrator)
        registry = registry or CollectorRegistry()
        house = _house(settings, model, renderer, supervisor, registry, gate)
        try:
            async with kept(settings, house, say) if keeping else nullcontext():
                yield house
        finally:
            house.close()
            await asyncio.to_thread(gate.close)
    finally:
        if watcher:
            watcher.cancel()
            with suppress(asyncio.CancelledError):
                await watcher
        await engine.close()


def _house(
    settings: Settings,
    model: Model,
    renderer: Renderer,
    supervisor: Supervisor,
    registry: CollectorRegistry,
    gate: Gate,
) -> House:
    facts = supervisor.facts
    step_tokens = settings.batch_tokens or facts.step_tokens
    door = DoorLimits(
        settings.inside_tokens,
        settings.waiting_tokens,
        settings.waiting_items,
        settings.window_tokens or facts.busy_steps * step_tokens,
        step_tokens,
        settings.part_steps,
        facts.cache_tokens,
    )
    scorer = Scorer(
        model,
        renderer,
        Admission(door),
        supervisor,
        settings.render_threads,
        settings.waiting_items,
        Memo(settings.memo_bytes, settings.memo_ttl_s),
    )
    limits = BodyLimits(
        max_items=settings.max_items,
        max_body_bytes=settings.max_body_bytes,
        max_ndjson_body_bytes=settings.max_ndjson_body_bytes,
        max_item_bytes=settings.max_item_bytes,
        bodies_bytes=settings.bodies_bytes,
        body_timeout_s=settings.body_timeout_s,
    )
    metrics = Metrics(registry)
    metrics.model.info(
        {
            "name": model.identity.model,
            "revision": model.identity.revision,
            "trained": str(model.identity.trained).lower(),
        }
    )

    metrics.gauges(partial(_disk, settings.state_dir))
    metrics.gauges(_tasks)

    def health() -> Health:
        return Health(
            supervisor.trouble,
            asdict(supervisor.canary),
            supervisor.state,
            supervisor.restarts,
            supervisor.probe_age_s,
            supervisor.retry_after_s(),
        )

    return House(scorer, metrics, limits, health, version(), gate.access, traces=gate.traces)


def _disk(state_dir: Path) -> Iterator[Reading]:
    """Of the disk that the state lies on; nothing before there is a folder."""
    with suppress(OSError):
        disk = shutil.disk_usage(state_dir)
        yield "swe_rm_state_free_bytes", "Free on the disk of state_dir", disk.free
        yield "swe_rm_state_size_bytes", "Size of the disk of state_dir", disk.total


def _tasks() -> Iterator[Reading]:
    """Nothing where no loop runs."""
    with suppress(RuntimeError):
        yield "swe_rm_loop_tasks", "Tasks of the event loop", len(asyncio.all_tasks())


async def _start_engine(settings: Settings, found: store.Model, renderer: Renderer) -> Engine:
    """The one place that chooses an engine; each is imported only when chosen."""
    told = settings.dtype != "auto"
    dtype = settings.dtype if told else found.dtype
    allowed_tokens = renderer.allowed_tokens
    if settings.engine == "fake":
        from app.engine.fake import FakeEngine

        return FakeEngine(EngineFacts("fake", "1", dtype, dtype, allowed_tokens))
    if settings.engine == "transformers":
        from app.engine.transformers import TransformersEngine

        return await TransformersEngine.start(found.dir, dtype, allowed_tokens, dtype_told=told)
    from app.engine.vllm import VllmEngine
    from app.engine.vllm_options import VllmOptions

    return await VllmEngine.start(
        VllmOptions(
            model_dir=found.dir,
            dtype=dtype,
            dtype_told=told,
            allowed_tokens=allowed_tokens,
            threads=engine_threads(settings),
            kv_cache_gib=settings.kv_cache_gib,
            gpu_memory_ratio=settings.gpu_memory_ratio,
            batch_tokens=settings.batch_tokens,
            running_items=settings.running_items,
            compile=settings.compile,
            tensor_parallel=settings.tensor_parallel,
            records=_records(settings),
        )
    )


def _records(settings: Settings) -> Path:
    return settings.state_dir / "engines"


def _watch(settings: Settings) -> Watch:
    return Watch(
        probe_every_s=settings.probe_every_s,
        patience_s=settings.patience_s,
        canary_every_s=settings.canary_every_s,
        restarts=settings.restarts,
        restart_window_s=settings.restart_window_s,
    )


def _logit_of(labels: Labels) -> Callable[[Verdict], float]:
    return lambda verdict: calibration.margin(verdict, labels).logit


def _identity(found: store.Model, facts: EngineFacts, labels: Labels, fingerprint: str) -> Identity:
    """The system fingerprint covers all that may change a logit."""
    parts = [
        found.weights_digest,
        fingerprint,
        labels.ids,
        labels.reduction,
        facts.name,
        facts.version,
        facts.dtype,
        facts.kv_dtype,
    ]
    digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    trained = found.trained and facts.name != "fake"  # who makes numbers up has learnt nothing
    return Identity(found.name, found.revision, fingerprint, f"fp_{digest[:16]}", trained)


def prompt_ids(settings: Settings, items: Sequence[Mapping[str, Any]]) -> list[list[int]]:
    """Token ids of items with `messages`, as the server renders them; for benchmarks."""
    _, renderer, _ = open_model(settings)
    adapted = [adapters.adapt_messages(i["messages"], patch=i.get("patch")) for i in items]
    return [renderer.render(each.trajectory).ids.tolist() for each in adapted]
