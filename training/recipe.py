"""A recipe: what a training run reads, in which order, and how it learns. Read once, frozen, closed.

    recipes/nano.yaml ──► Recipe(model, data, stages, …)

Raises `StartError` naming the file and the key; an unknown key is an error.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from app.errors import StartError


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]


class Base(Closed):
    """Whose architecture, tokenizer, template and answer tokens: a folder of the model store.

    `weights`: begin from its weights, from the seed alone, or from those in another folder, such as
    the `after-STAGE` of a run.
    """

    folder: Path
    weights: Literal["load", "random"] | Path
    attention: str = "sdpa"
    gradient_checkpointing: bool = False


class Labelled(Closed):
    """A folder of trajectories with `labels.jsonl`. `share` weighs it in the mix of sources."""

    folder: Path
    splits: tuple[str, ...] | None = None
    policies: tuple[str, ...] | None = None  # only these
    share: Positive = 1.0
    instances: Path | None = None  # only these ids, a line each


class Data(Closed):
    """`overlong`: what becomes of prompts above a stage's length: rendered with the serving `elide`,
    or dropped; never cut. `positives_per_negative` is SWE-RM's ratio (2:1 in arXiv 2512.21919);
    null takes the data as they are. `policy_shares` weighs policies; those not named weigh 1."""

    sources: tuple[Labelled, ...] = ()
    held_out: tuple[Labelled, ...] = ()
    overlong: Literal["elide", "drop"] = "elide"
    positives_per_negative: Positive | None = 2.0
    policy_shares: dict[str, Positive] = {}
    max_rows: Count | None = None


class Stage(Closed):
    """One stretch of training.

    `reads`: `text` (language alone), `drills` (made-up evidence, judged), `trajectories`, `lengthened`
    (trajectories among whose turns files are read that do not matter, up to `length_tokens`), `windows`
    (language alone, out of whole trajectories that are longer than a step can hold).
    `examples` of text or drills; of what is labelled that many in all, over and over, in place of `epochs`.
    `bins_tokens` is the length curriculum: examples are read bin by bin, short ones first.
    `batches_per_step` batches of at most `batch_tokens` (padding counted) make one step of the
    optimizer, each row of them with the same weight.
    `language_share` of the unmasked positions takes part in the language loss, whose weight beside
    the answer's is `language_weight`. `stretch_tokens`: half of the texts are read as if they were
    that long, by jumps of position.
    """

    name: str
    reads: Literal["text", "drills", "trajectories", "lengthened", "windows"]
    length_tokens: Count
    examples: Count | None = None
    epochs: Positive = 1.0
    batch_tokens: Count
    batches_per_step: Count = 1
    peak_lr: Positive
    final_lr_ratio: Share = 0.1
    warmup_ratio: Share = 0.05
    language_weight: Annotated[float, Field(ge=0)] = 0.0
    language_share: Share = 0.25
    stretch_tokens: Annotated[int, Field(ge=0)] = 0
    answer_weight: Annotated[float, Field(ge=0)] = 1.0
    bins_tokens: tuple[Count, ...] = ()

    @property
    def labelled(self) -> bool:
        """Whether it reads the rows of `data`."""
        return self.reads in ("trajectories", "lengthened", "windows")

    @model_validator(mode="after")
    def _learns(self) -> Stage:
        if not self.language_weight and not self.answer_weight:
            problem = f"stage {self.name} has no loss: set language_weight or answer_weight"
            raise ValueError(problem)
        if self.reads == "windows" and not self.language_weight:
            problem = f"stage {self.name} reads windows, which have no answer: set language_weight"
            raise ValueError(problem)
        if not self.labelled and self.examples is None:
            problem = f"stage {self.name} reads {self.reads}, which has no end: set examples"
            raise ValueError(problem)
        return self


class MuonRule(Closed):
    """For the matrices inside the layers: momentum, and their learning rate as a multiple of the
    stage's."""

    momentum: Share = 0.95
    lr_ratio: Positive = 1.0


class Recipe(Closed):
    name: str
    seed: int
    base: Base
    data: Data
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.95)
    muon: MuonRule | None = None  # null: AdamW for all
    clip_norm: Positive = 1.0
    aux_weight: Annotated[float, Field(ge=0)] = 0.001
    precision: Literal["no", "bf16"] = "no"
    save_every_s: Positive = 300.0
    look_every_steps: Count = 100
    look_rows: Count = 400


def read_recipe(file: Path) -> Recipe:
    """Raises `StartError` naming the file and at most ten of the keys that are wrong."""
    try:
        return Recipe.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except OSError as error:
        message = f"{file}: {error.strerror}"
        raise StartError(message) from error
    except yaml.YAMLError as error:
        message = f"{file} is no YAML: {error}"
        raise StartError(message) from error
    except ValidationError as error:
        wrong = [
            f"{'.'.join(map(str, each['loc'])) or 'recipe'}: {each['msg']}"
            for each in error.errors()[:10]
        ]
        message = f"{file}: " + "; ".join(wrong)
        raise StartError(message) from error


def same_beginning(saved: dict[str, Any], recipe: Recipe, begun_stages: int) -> bool:
    """Whether what has had its effect, when so many stages are begun, is the same in both: stages to
    come may change, and so may the data while none of it was read. Keys that came after `saved` was
    written have their defaults in it."""
    try:
        before = Recipe.model_validate(saved)
    except ValidationError:
        return False
    return _behind(before, begun_stages) == _behind(recipe, begun_stages)


def _behind(recipe: Recipe, begun_stages: int) -> dict[str, Any]:
    stages = recipe.stages[:begun_stages]
    later = {"name", "look_every_steps", "look_rows", "save_every_s", "stages"}
    if not any(stage.labelled for stage in stages):
        later |= {"data"}
    return recipe.model_dump(exclude=later) | {"stages": stages}
