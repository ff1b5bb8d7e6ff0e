"""What a manifest says, and nothing else: the shape of manifest.json, pulled.json and canary.jsonl.

Closed, frozen, strict: an unknown key, a number written as text or a path that leaves the folder
stops the start with the file and the key in the message. A manifest is data that decides what a
score means, so nothing in it is guessed, coerced or ignored.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from app.errors import StartError
from app.types import LabelSpec, Reduction, TemplateSpec

MANIFEST = "manifest.json"
PULLED = "pulled.json"
WEIGHTS = "weights"

Dtype = Literal["bfloat16", "float16", "float32"]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def inside(name: str) -> str:
    """A relative path that stays inside: forward slashes, no `..`, no root, all printable."""
    if not name.isprintable() or "\\" in name or ":" in name:
        message = f"{name!r} is not a plain file name"
        raise ValueError(message)
    if any(part in ("", ".", "..") for part in name.split("/")):
        message = f"{name!r} leaves the model folder or is no plain relative path"
        raise ValueError(message)
    return name


Inside = Annotated[str, AfterValidator(inside)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Commit = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
Repository = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$")]
Text = Annotated[str, StringConstraints(min_length=1)]


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class FileEntry(Closed):
    """One file that the engine may read: what it weighs and what it hashes to."""

    sha256: Sha256
    bytes: Annotated[int, Field(ge=0)]


class Source(Closed):
    """Where the weights were published. `revision` is a full commit, never a branch."""

    repository: Repository | None = None
    revision: Commit | None = None
    base_model: str | None = None
    paper: str | None = None


class Template(Closed):
    """`types.TemplateSpec`, written out, and `source`: what of it is known and what is assumed."""

    name: Text
    head: str
    briefing: str
    assistant: str
    call: str
    argument: str
    raw_argument: str
    observation: str
    patch: str
    no_patch: str
    question: str
    escape: tuple[Text, ...] = ()
    source: str

    def spec(self) -> TemplateSpec:
        return TemplateSpec(**self.model_dump(exclude={"source"}))


class Labels(Closed):
    """The answer forms, as text; `render` turns them into token ids."""

    yes: Annotated[tuple[Text, ...], Field(min_length=1)]
    no: Annotated[tuple[Text, ...], Field(min_length=1)]
    tokens: Literal["single", "first"] = "single"
    reduction: Reduction = "single"

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if len({*self.yes, *self.no}) != len(self.yes) + len(self.no):
            message = "an answer form is listed twice; yes and no must not share any"
            raise ValueError(message)
        if self.reduction == "single" and len(self.yes) + len(self.no) != 2:
            message = "reduction 'single' takes one form each; use 'max' or 'logsumexp' for several"
            raise ValueError(message)
        return self

    def spec(self) -> LabelSpec:
        return LabelSpec(self.yes, self.no, self.tokens, self.reduction)


class CanaryEntry(Closed):
    """One known answer: which prompt a document renders to, and which logit it gets, by dtype."""

    id: Text
    document: Any
    prompt_sha256: Annotated[str, StringConstraints(pattern=r"^(sha256:)?[0-9a-f]{64}$")]
    expected_logit: dict[Dtype, float]


class Canary(Closed):
    """Known answers, written here or one a line in `file`; `tolerance` is in logits, by dtype."""

    tolerance: dict[Dtype, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    items: tuple[CanaryEntry, ...] = ()
    file: Inside | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.file is not None and self.items:
            message = "items stand either here or in the file, not in both"
            raise ValueError(message)
        return self


class Calibrations(Closed):
    """Documents of app/calibration; `active_steps` is that of steps, where there is one."""

    active: Text = "identity"
    active_steps: Text | None = None
    files: tuple[Inside, ...] = ()


class Manifest(Closed):
    """manifest.json. `files` is null when the weights come by `pull` (see `Pulled`)."""

    manifest_version: Literal[1]
    name: Text
    description: str
    trained: bool
    licence: str | None
    source: Source
    architecture: Text
    context_tokens: Annotated[int, Field(gt=1)]
    dtype: Dtype
    files: dict[Inside, FileEntry] | None
    template: Template
    labels: Labels
    label_mass_floor: Annotated[float, Field(ge=0, le=1)]
    canary: Canary = Canary()
    calibrations: Calibrations = Calibrations()
    notes: tuple[str, ...] = ()


class Pulled(Closed):
    """pulled.json: what `pull` fetched into `weights/`. From then on it pins revision and bytes."""

    revision: Commit
    files: dict[Inside, FileEntry]
    pulled_at: str


Shape = TypeVar("Shape", bound=BaseModel)


def parse(shape: type[Shape], text: str | bytes, where: str) -> Shape:
    """`text` as `shape`; else a StartError that names `where` and up to five keys."""
    try:
        return shape.model_validate_json(text)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        found.sort(key=lambda each: each["type"] != "extra_forbidden")  # the likely slip of a pen
        wrong = [
            f"{'.'.join(str(part) for part in each['loc']) or 'the file'}: {each['msg']}"
            for each in found
        ]
        message = (
            f"{where} does not read as a {shape.__name__.lower()}: {'; '.join(wrong[:5])}. "
            "Correct these keys; model_store/README.md describes each."
        )
        raise StartError(message) from None


def read_text(path: Path) -> bytes:
    """The bytes of a small file of ours; a link is refused, for it may lead anywhere."""
    if path.is_symlink():
        message = f"{path} is a symbolic link. Put the file itself there."
        raise StartError(message)
    try:
        return path.read_bytes()
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror}). Restore the file or its permissions."
        raise StartError(message) from error


def folder_of(store_dir: Path, name: str) -> Path:
    """The folder of a model; a name that is no model (or no name at all) lists those there are."""
    folder = store_dir.absolute() / name
    if not _NAME.fullmatch(name) or not (folder / MANIFEST).exists():
        known = ", ".join(path.parent.name for path in sorted(store_dir.glob(f"*/{MANIFEST}")))
        message = (
            f"There is no model {name!r} in {store_dir}. "
            f"Choose one of: {known or 'none; is this the right model store?'}"
        )
        raise StartError(message)
    return folder


def read_manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST
    manifest = parse(Manifest, read_text(path), str(path))
    if manifest.name != folder.name:
        message = (
            f"{path} is the manifest of {manifest.name!r}, but its folder is {folder.name!r}. "
            "Rename one of them."
        )
        raise StartError(message)
    return manifest


def read_pulled(folder: Path) -> Pulled | None:
    path = folder / PULLED
    return parse(Pulled, read_text(path), str(path)) if path.exists() else None
