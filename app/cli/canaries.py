"""The model's canaries, rendered, with the logits that this engine is held to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app import adapters, store
from app.config import Settings
from app.engine import EngineFacts
from app.engine.canary import Canary
from app.errors import StartError
from app.render import Renderer


def known_canaries(
    settings: Settings, found: store.Model, renderer: Renderer, facts: EngineFacts
) -> tuple[list[Canary], CanaryRecord]:
    """The canaries of a model for one engine, and where logits that nobody knew are recorded.

    Raises `StartError` where a canary renders to another prompt than the manifest says.
    """
    record = _record_of(settings.state_dir, found, facts)
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
class CanaryRecord:
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


def _record_of(state_dir: Path, found: store.Model, facts: EngineFacts) -> CanaryRecord:
    revision = found.revision.removeprefix("sha256:")[:12]
    name = f"{found.name}-{revision}-{facts.name}-{facts.version}-{facts.dtype}.json"
    return CanaryRecord(state_dir / "canary" / name)
