"""The run itself: steps, checkpoints, looks at what is held out. One process on a CPU, or as many as
accelerate was told of; FSDP and DeepSpeed come by accelerate's own config."""

from __future__ import annotations

import json
import math
import resource
import shutil
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from transformers import AutoConfig, AutoModelForCausalLM

from app import quality
from app.errors import NotEnoughLabels, StartError
from app.types import Labels
from training.data.encode import Example, Examples, model_of, renderer_of
from training.recipe import Recipe, same_beginning
from training.train.batch import Batch, Piece, collate
from training.train.loss import Losses, Weights, losses
from training.train.optimizer import optimizers
from training.train.plan import Planned, held_out, plan


@dataclass(slots=True)
class Place:
    """Where the run stands; saved with every checkpoint. `went_on_from`: name@revision of the model
    whose weights it began with, None where they were none of a store's."""

    stage: int = 0
    step: int = 0
    seconds: float = 0.0
    tokens: int = 0
    recipe: dict[str, Any] = field(default_factory=dict)
    went_on_from: str | None = None


class Run:
    """A training run that lives in `folder`: state/, metrics.jsonl, after-STAGE/, model/. Examples are
    prepared in `examples`, which runs may share."""

    def __init__(
        self, recipe: Recipe, folder: Path, *, examples: Path | None = None, cpu: bool = False
    ) -> None:
        self.recipe = recipe
        self.folder = folder
        self.examples = examples or folder / "examples"
        self.accelerator = Accelerator(cpu=cpu, mixed_precision=recipe.precision)
        torch.manual_seed(recipe.seed)
        labels = renderer_of(recipe.base.folder, 1_000).labels(model_of(recipe.base.folder).labels)
        self.yes_id, self.no_id = _single(labels)
        self._check_rule()
        model = load(recipe)
        self.model, *self.optimizers = self.accelerator.prepare(model, *optimizers(recipe, model))
        self.pad_id = int(model.config.pad_token_id or 0)
        base = model_of(recipe.base.folder) if recipe.base.weights == "load" else None
        self.place = Place(
            recipe=recipe.model_dump(mode="json"),
            went_on_from=f"{base.name}@{base.revision}" if base else None,
        )
        self._saved_at = time.monotonic()
        self._steps_left = math.inf
        folder.mkdir(parents=True, exist_ok=True)
        self._resume()

    def train(self, until_s: float = math.inf, until_steps: float = math.inf) -> bool:
        """Runs to the end, or saves and returns False after so many seconds or steps."""
        ends_at, self._steps_left = time.monotonic() + until_s, until_steps
        looked = None
        while self.place.stage < len(self.recipe.stages):
            stage = self.recipe.stages[self.place.stage]
            if stage.labelled and self.recipe.data.held_out:
                looked = held_out(self.recipe, self.examples)
            planned = plan(self.recipe, stage, self.place.stage, self.examples)
            if not self._stage(planned, looked, ends_at):
                self.save()
                return False
            self.export(f"after-{stage.name}")
            self.place.stage, self.place.step = self.place.stage + 1, 0
            self.save()
        self._look(looked)
        self.export("model")
        return True

    def _stage(
        self, planned: Planned, looked: tuple[Examples, list[Example]] | None, ends_at: float
    ) -> bool:
        weights = Weights(
            planned.stage.answer_weight,
            planned.stage.language_weight,
            planned.stage.language_share,
            self.recipe.aux_weight,
        )
        columns = (
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"),
            TimeRemainingColumn(), TextColumn("{task.fields[told]}"),
        )  # fmt: skip
        with Progress(*columns, console=Console(stderr=True)) as progress:
            steps = planned.steps
            bar = progress.add_task(
                planned.stage.name, total=steps, completed=self.place.step, told=""
            )
            while self.place.step < steps:
                if time.monotonic() > ends_at or self._steps_left <= 0:
                    return False
                self._steps_left -= 1
                told = self._step(planned, weights)
                progress.update(bar, completed=self.place.step, told=told)
                if looked and self.place.step % self.recipe.look_every_steps == 0:
                    self._look(looked)
                if time.monotonic() - self._saved_at > self.recipe.save_every_s:
                    self.save()
        return True

    def _step(self, planned: Planned, weights: Weights) -> str:
        began = time.monotonic()
        rate = planned.lr(self.place.step)
        for group in (group for each in self.optimizers for group in each.param_groups):
            group["lr"] = rate * group["lr_ratio"]
        seed = self.place.stage * 1_000_003 + self.place.step
        stretch, draw = planned.stage.stretch_tokens, torch.Generator().manual_seed(seed)
        made = [self._batch(each, stretch, seed) for each in planned.at(self.place.step)]
        rows, tokens = sum(len(each.ends) for each in made), sum(each.tokens for each in made)
        self.model.train()
        means = {"answer": 0.0, "language": 0.0, "aux": 0.0}
        for batch in made:
            told: Losses = losses(self.model, batch, weights, draw)
            if not bool(torch.isfinite(told.total)):
                message = (
                    f"the loss is not finite at stage {self.place.stage}, step {self.place.step}"
                )
                raise StartError(message)
            share = len(batch.ends) / rows
            self.accelerator.backward(told.total * share)
            for name in means:
                means[name] += share * getattr(told, name)
        norm = self.accelerator.clip_grad_norm_(self.model.parameters(), self.recipe.clip_norm)
        for each in self.optimizers:
            each.step()
            each.zero_grad()
        took = time.monotonic() - began
        self.place.step += 1
        self.place.tokens += tokens
        self.place.seconds += took
        self._note(
            {
                "stage": planned.stage.name, "step": self.place.step, "lr": rate, **means,
                "norm": float(norm), "tokens": tokens, "rows": rows, "seconds": round(took, 3),
            }
        )  # fmt: skip
        return f"answer {means['answer']:.3f} language {means['language']:.2f} {tokens / took:,.0f} tok/s"

    def _batch(self, pieces: tuple[Piece, ...], stretch_tokens: int, seed: int) -> Batch:
        mine = (
            pieces[self.accelerator.process_index :: self.accelerator.num_processes] or pieces[:1]
        )
        made = collate(mine, self.yes_id, self.no_id, self.pad_id, stretch_tokens, seed)
        return made.to(self.accelerator.device)

    def _look(self, looked: tuple[Examples, list[Example]] | None) -> None:
        if looked is None:
            return
        examples, some = looked
        found = self.logits(examples, some)
        resolved = [each.resolved for each in some]
        probability = [1 / (1 + math.exp(-max(-60.0, min(60.0, each)))) for each in found]
        try:  # hours of training do not end for a handful of labels
            order = quality.auc_within(probability, resolved, [e.policy for e in some], draws=1)
            within = order.auc.value
        except NotEnoughLabels:
            within = math.nan
        loss = sum(
            -math.log(max(1e-9, p if y else 1 - p))
            for p, y in zip(probability, resolved, strict=True)
        )
        self._note(
            {
                "stage": self.place.stage,
                "step": self.place.step,
                "look": len(some),
                "auc_within": within,
                "log_loss": loss / len(some),
                "tokens_seen": self.place.tokens,
                "seconds_in_all": round(self.place.seconds, 1),
            }  # fmt: skip
        )

    @torch.inference_mode()
    def logits(self, examples: Examples, wanted: list[Example]) -> list[float]:
        """l_yes - l_no of each prompt, in order."""
        self.model.eval()
        found = []
        for each in wanted:
            ids = torch.from_numpy(examples.prompt(each).astype("int64"))[None].to(
                self.accelerator.device
            )
            last = (
                self.model(input_ids=ids, logits_to_keep=1, use_cache=False).logits[0, -1].float()
            )
            found.append(float(last[self.yes_id] - last[self.no_id]))
        return found

    def save(self) -> None:
        """A whole checkpoint beside the old one, then in its place."""
        fresh, state = self.folder / "state.new", self.folder / "state"
        shutil.rmtree(fresh, ignore_errors=True)
        self.accelerator.save_state(str(fresh), safe_serialization=True)
        if self.accelerator.is_main_process:
            (fresh / "place.json").write_text(json.dumps(asdict(self.place)))
            shutil.rmtree(state, ignore_errors=True)
            fresh.rename(state)
        self._saved_at = time.monotonic()

    def export(self, name: str) -> Path:
        """The weights as safetensors in bfloat16, beside the config, in a folder of the run's."""
        target = self.folder / name
        model = self.accelerator.unwrap_model(self.model)
        state = {
            name: value.to(torch.bfloat16)
            for name, value in self.accelerator.get_state_dict(self.model).items()
            if not (model.config.tie_word_embeddings and name == "lm_head.weight")
        }
        model.save_pretrained(
            target, state_dict=state, is_main_process=self.accelerator.is_main_process
        )
        if self.accelerator.is_main_process:  # what was trained was float32; what is written is not
            config = json.loads((target / "config.json").read_text()) | {"dtype": "bfloat16"}
            (target / "config.json").write_text(json.dumps(config, indent=2) + "\n")
        return target

    def _check_rule(self) -> None:
        kind = self.accelerator.distributed_type.value
        if self.recipe.muon and kind in {"FSDP", "DEEPSPEED", "MEGATRON_LM"}:
            message = f"muon needs whole matrices, and {kind} deals out pieces: leave it out of the recipe"
            raise StartError(message)

    def _resume(self) -> None:
        state = self.folder / "state"
        if not state.exists() and (self.folder / "state.new" / "place.json").exists():
            (self.folder / "state.new").rename(state)  # stopped between the two moves of `save`
        if not (state / "place.json").exists():
            return
        place = Place(**json.loads((state / "place.json").read_text()))
        begun = place.stage + (place.step > 0)
        if not same_beginning(place.recipe, self.recipe, begun):
            message = (
                f"{self.folder} holds a run whose recipe began with other stages or settings: "
                "give another folder, or remove it to begin anew"
            )
            raise StartError(message)
        self.accelerator.load_state(str(state))
        self.place = replace(place, recipe=self.place.recipe)

    def _note(self, line: dict[str, Any]) -> None:
        if not self.accelerator.is_main_process:
            return
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        with (self.folder / "metrics.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(_without_nan({**line, "peak_mib": peak})) + "\n")


def load(recipe: Recipe) -> Any:
    """The model to train, float32 on a CPU. Nothing is fetched and no code of a model is run."""
    dtype = torch.float32
    weights, how = recipe.base.weights, {"attn_implementation": recipe.base.attention}
    if weights == "random":
        config = AutoConfig.from_pretrained(recipe.base.folder)
        model = AutoModelForCausalLM.from_config(config, dtype=dtype, **how)
    else:
        folder = recipe.base.folder if weights == "load" else Path(weights)
        if not (folder / "config.json").is_file():
            message = f"base.weights: {folder} holds no model; load, random, or the folder of one"
            raise StartError(message)
        model = AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype, local_files_only=True, **how
        )
    if recipe.base.gradient_checkpointing:
        model.gradient_checkpointing_enable()
    return model


def _single(labels: Labels) -> tuple[int, int]:
    if len(labels.yes_ids) != 1 or len(labels.no_ids) != 1:
        message = "training needs one answer token a side; this model's labels have several"
        raise StartError(message)
    return labels.yes_ids[0], labels.no_ids[0]


def _without_nan(line: dict[str, Any]) -> dict[str, Any]:
    return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in line.items()}
