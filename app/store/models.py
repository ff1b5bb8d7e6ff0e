"""Opening a model: from a folder to the values that engine, render and scorer are built from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from app.errors import StartError
from app.store import files as disk
from app.store.files import FileReport
from app.store.manifest import (
    MANIFEST,
    PULLED,
    WEIGHTS,
    CanaryEntry,
    FileEntry,
    Manifest,
    Source,
    folder_of,
    parse,
    read_manifest,
    read_pulled,
    read_text,
)
from app.store.weights import (
    CONFIG,
    TOKENIZER,
    check_config,
    check_weights,
    load_object,
    refuse_remote_code,
)
from app.types import LabelSpec, TemplateSpec


@dataclass(frozen=True, slots=True)
class CanaryItem:
    """A document whose prompt digest (as `Prompt.digest`) and logit, by dtype, are known."""

    id: str
    document: Any
    prompt_digest: str
    expected_logit: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Model:
    """A model whose every file was checked. `dir` is the folder that the engine is given.

    `revision` is what makes a score of this model (files, template, labels, architecture, name);
    canary, calibrations and notes take no part. `weights_digest` covers the listed files alone,
    `template_digest` template and labels. All three read `sha256:<hex>`.
    """

    name: str
    dir: Path
    description: str
    trained: bool
    licence: str | None
    source: Source
    architecture: str
    context_tokens: int
    dtype: str
    files: Mapping[str, FileEntry]
    template: TemplateSpec
    labels: LabelSpec
    label_mass_floor: float
    revision: str
    template_digest: str
    weights_digest: str
    canary: tuple[CanaryItem, ...] = ()
    canary_tolerance: Mapping[str, float] = field(default_factory=dict)
    calibrations: tuple[dict[str, Any], ...] = ()
    active_calibration: str = "identity"
    active_step_calibration: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def tokenizer_path(self) -> Path:
        return self.dir / TOKENIZER


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """One line of `swe-rm models`. `weights_present`: every listed file is there, at its size."""

    name: str
    description: str
    trained: bool
    architecture: str
    context_tokens: int
    licence: str | None
    weights_present: bool
    bytes: int


@dataclass(frozen=True, slots=True)
class Report:
    """Every listed file, and what else would stop the start (None: nothing would)."""

    name: str
    files: tuple[FileReport, ...]
    problem: str | None

    @property
    def ok(self) -> bool:
        return self.problem is None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the engine's files lie, which they are, and how to get them back."""

    folder: Path
    manifest: Manifest
    dir: Path
    files: Mapping[str, FileEntry]
    way_out: str


def _place(folder: Path, manifest: Manifest) -> _Place | None:
    """None when the weights were never pulled."""
    if manifest.files is not None:
        way_out = "The file was changed or cut short; restore it from where the model came."
        return _Place(folder, manifest, folder, manifest.files, way_out)
    pulled = read_pulled(folder)
    if pulled is None:
        return None
    if manifest.source.revision not in (None, pulled.revision):
        message = (
            f"{folder / PULLED} holds revision {pulled.revision}, but {folder / MANIFEST} pins "
            f"{manifest.source.revision}. Delete {PULLED} and {WEIGHTS}/, then run "
            f"`swe-rm models pull {manifest.name}`."
        )
        raise StartError(message)
    way_out = f"Delete {WEIGHTS}/ and run `swe-rm models pull {manifest.name}` to restore it."
    return _Place(folder, manifest, folder / WEIGHTS, pulled.files, way_out)


def _placed(folder: Path) -> _Place:
    manifest = read_manifest(folder)
    place = _place(folder, manifest)
    if place is None:
        message = (
            f"The weights of {manifest.name} are not here yet. "
            f"Run `swe-rm models pull {manifest.name}` on a machine with network access."
        )
        raise StartError(message)
    return place


def _check_listing(place: _Place) -> None:
    """What lies in the folder, before anything in it is read."""
    shards = [name for name in place.files if name.endswith(".safetensors")]
    for name in (CONFIG, TOKENIZER, *(shards or ["model.safetensors"])):
        if name not in place.files:
            message = (
                f"{place.manifest.name} lists no {name}. A served model needs {CONFIG}, "
                f"{TOKENIZER} and a .safetensors file; build or convert the missing one."
            )
            raise StartError(message)
    disk.refuse_unlisted(place.dir, place.files)
    if place.dir != place.folder:
        disk.refuse_unlisted(place.folder, {}, skip=(WEIGHTS, f"{WEIGHTS}.partial"))


def _check_contents(place: _Place) -> None:
    """What the files say, once they are known to be the right ones."""
    refuse_remote_code(place.dir)
    check_config(place.dir, place.manifest)
    check_weights(place.dir, sorted(place.files), place.manifest.architecture)


def _digest(value: object) -> str:
    text = json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _canary(folder: Path, manifest: Manifest) -> tuple[CanaryItem, ...]:
    entries = list(manifest.canary.items)
    if manifest.canary.file is not None:
        path = folder / manifest.canary.file
        for number, line in enumerate(read_text(path).splitlines(), 1):
            if line.strip():
                entries.append(parse(CanaryEntry, line, f"{path}, line {number},"))
    return tuple(
        CanaryItem(
            each.id,
            each.document,
            "sha256:" + each.prompt_sha256.removeprefix("sha256:"),
            {str(dtype): logit for dtype, logit in each.expected_logit.items()},
        )
        for each in entries
    )


def _model(place: _Place) -> Model:
    manifest = place.manifest
    template, labels = manifest.template.spec(), manifest.labels.spec()
    hashes = {name: entry.sha256 for name, entry in place.files.items()}
    wording = {"template": asdict(template), "labels": asdict(labels)}
    identity = {"architecture": manifest.architecture, "name": manifest.name, "files": hashes}
    return Model(
        name=manifest.name,
        dir=place.dir,
        description=manifest.description,
        trained=manifest.trained,
        licence=manifest.licence,
        source=manifest.source,
        architecture=manifest.architecture,
        context_tokens=manifest.context_tokens,
        dtype=manifest.dtype,
        files=dict(place.files),
        template=template,
        labels=labels,
        label_mass_floor=manifest.label_mass_floor,
        revision=_digest(identity | wording),
        template_digest=_digest(wording),
        weights_digest=_digest(hashes),
        canary=_canary(place.folder, manifest),
        canary_tolerance={str(k): v for k, v in manifest.canary.tolerance.items()},
        calibrations=tuple(load_object(place.folder / n) for n in manifest.calibrations.files),
        active_calibration=manifest.calibrations.active,
        active_step_calibration=manifest.calibrations.active_steps,
        notes=manifest.notes,
    )


def open_model(store_dir: Path, name: str, *, verify: bool = True) -> Model:
    """The model `name`, or a StartError. `verify=False` skips the hashing, and only that.

    Order: manifest, then what lies in the folder, then sizes and hashes, and only then a look into
    the files, so nothing is parsed that was not meant to be there.
    """
    place = _placed(folder_of(store_dir, name))
    _check_listing(place)
    reports = disk.check(place.dir, place.files, hashing=verify)
    disk.refuse_changed(place.dir, reports, place.way_out)
    _check_contents(place)
    return _model(place)


def verify(store_dir: Path, name: str) -> Report:
    """Hash every file and go through every check; unlike `open_model` it tells every state."""
    place = _placed(folder_of(store_dir, name))
    reports = disk.check(place.dir, place.files)
    problem = None
    try:
        _check_listing(place)
        disk.refuse_changed(place.dir, reports, place.way_out)
        _check_contents(place)
        _model(place)
    except StartError as error:
        problem = error.message
    return Report(name, reports, problem)


def _summary(folder: Path) -> ModelSummary:
    manifest = read_manifest(folder)
    place = _place(folder, manifest)
    reports = disk.check(place.dir, place.files, hashing=False) if place else ()
    return ModelSummary(
        name=manifest.name,
        description=manifest.description,
        trained=manifest.trained,
        architecture=manifest.architecture,
        context_tokens=manifest.context_tokens,
        licence=manifest.licence,
        weights_present=bool(reports) and all(each.state == "ok" for each in reports),
        bytes=sum(each.expected.bytes for each in reports),
    )


def list_models(store_dir: Path) -> list[ModelSummary]:
    """Every folder with a manifest, by name. Nothing is hashed; a broken manifest is told."""
    return [_summary(path.parent) for path in sorted(store_dir.glob(f"*/{MANIFEST}"))]
