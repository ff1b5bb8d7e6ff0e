"""Builds the rooms out of the settings and hands them on: the composition root."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from app import adapters, calibration, store
from app.admission import Admission
from app.admission import Limits as DoorLimits
from app.api.house import Health, House
from app.api.house import Limits as BodyLimits
from app.config import Settings, engine_threads
from app.engine import Engine, EngineFacts, processes
from app.engine.canary import Canary
from app.engine.supervisor import Supervisor
from app.engine.watched import Watch
from app.errors import StartError
from app.metrics import Metrics
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
    )
    return found, renderer, renderer.labels(found.labels)


@asynccontextmanager
async def open_house(
    settings: Settings,
    registry: CollectorRegistry,
    say: Say,
    on_lost: Callable[[], None] = lambda: None,
) -> AsyncIterator[House]:
    """All rooms, opened in order and closed in reverse. Raises `StartError`; `say` tells progress.

    `on_lost` is called when the engine is lost for good.
    """
    found, renderer, labels = await asyncio.to_thread(open_model, settings)
    calibrators = calibration.read_calibrators(found.calibrations)
    if found.active_calibration not in calibrators:
        message = f"the active calibration {found.active_calibration!r} is not among the model's"
        raise StartError(message)
    say(f"{found.name} verified; starting the {settings.engine} engine")
    if left := await asyncio.to_thread(processes.clear_left_over, _records(settings)):
        say(f"ended {left} engine processes that an earlier server left behind")

    async def start_engine() -> Engine:
        return await _start_engine(settings, found, renderer)

    first = await start_engine()
    engine, watcher = first, None
    try:
        canaries, record = _known_canaries(settings, found, renderer, first.facts)
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
        model = Model(
            identity, labels, found.label_mass_floor, calibrators, found.active_calibration
        )
        house = _house(settings, model, renderer, supervisor, registry)
        try:
            yield house
        finally:
            house.close()
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
) -> House:
    door = DoorLimits(settings.inside_tokens, settings.waiting_tokens, settings.waiting_items)
    scorer = Scorer(
        model,
        renderer,
        Admission(door),
        supervisor,
        settings.render_threads,
        settings.waiting_items,
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

    def health() -> Health:
        return Health(
            supervisor.trouble,
            asdict(supervisor.canary),
            supervisor.state,
            supervisor.restarts,
            supervisor.probe_age_s,
            supervisor.retry_after_s(),
        )

    return House(scorer, metrics, limits, health, settings.trust_prompts, version())


async def _start_engine(settings: Settings, found: store.Model, renderer: Renderer) -> Engine:
    """The one place that chooses an engine; each is imported only when chosen."""
    dtype = found.dtype if settings.dtype == "auto" else settings.dtype
    allowed_tokens = renderer.allowed_tokens
    if settings.engine == "fake":
        from app.engine.fake import FakeEngine

        return FakeEngine(EngineFacts("fake", "1", dtype, dtype, allowed_tokens))
    if settings.engine == "transformers":
        from app.engine.transformers import TransformersEngine

        return await TransformersEngine.start(found.dir, dtype, allowed_tokens)
    from app.engine.vllm import VllmEngine, VllmOptions

    return await VllmEngine.start(
        VllmOptions(
            model_dir=found.dir,
            dtype=dtype,
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


def _known_canaries(
    settings: Settings, found: store.Model, renderer: Renderer, facts: EngineFacts
) -> tuple[list[Canary], _CanaryRecord]:
    record = _canary_record(settings.state_dir, found, facts)
    # The fake engine's logits are no model's, so no canary fits it.
    items = () if facts.name == "fake" else found.canary
    return _canaries(found, renderer, items, facts, record.read()), record


def _canaries(
    found: store.Model,
    renderer: Renderer,
    items: tuple[store.CanaryItem, ...],
    facts: EngineFacts,
    recorded: Mapping[str, float],
) -> list[Canary]:
    canaries = []
    for item in items:
        prompt = renderer.render(adapters.adapt(item.document).trajectory)
        if prompt.digest != item.prompt_digest:
            message = (
                f"canary {item.id} renders to {prompt.digest}, not to {item.prompt_digest}: the "
                "template, the tokenizer or the rendering changed since the manifest was made"
            )
            raise StartError(message)
        expected = item.expected_logit.get(facts.dtype, recorded.get(item.id))
        tolerance = found.canary_tolerance.get(facts.dtype, 0.05)
        canaries.append(Canary(item.id, prompt.ids, expected, tolerance))
    return canaries


@dataclass(frozen=True, slots=True)
class _CanaryRecord:
    """Logits that this machine recorded because the manifest knows none for the dtype."""

    file: Path

    def read(self) -> dict[str, float]:
        if not self.file.exists():
            return {}
        try:
            return {k: float(v) for k, v in json.loads(self.file.read_text()).items()}
        except (ValueError, AttributeError) as cause:
            message = f"{self.file} is no record of canary logits: delete it to record them anew"
            raise StartError(message) from cause

    def write(self, logits: Mapping[str, float]) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.file.with_suffix(".new")
        fresh.write_text(json.dumps(dict(logits), indent=2) + "\n")
        fresh.replace(self.file)


def _canary_record(state_dir: Path, found: store.Model, facts: EngineFacts) -> _CanaryRecord:
    revision = found.revision.removeprefix("sha256:")[:12]
    name = f"{found.name}-{revision}-{facts.name}-{facts.version}-{facts.dtype}.json"
    return _CanaryRecord(state_dir / "canary" / name)


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
    return Identity(found.name, found.revision, fingerprint, f"fp_{digest[:16]}", found.trained)


def prompt_ids(settings: Settings, items: Sequence[Mapping[str, Any]]) -> list[list[int]]:
    """Token ids of items with `messages`, as the server renders them; for benchmarks."""
    _, renderer, _ = open_model(settings)
    adapted = [adapters.adapt_messages(i["messages"], patch=i.get("patch")) for i in items]
    return [renderer.render(each.trajectory).ids.tolist() for each in adapted]
