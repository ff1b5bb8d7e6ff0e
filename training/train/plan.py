"""The order of everything: each stage's batches, a pure function of recipe and seed, so that a run
that was stopped goes on at the very batch where it was."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from app.errors import StartError
from app.render import Renderer
from app.types import Trajectory
from training.data.drills import drills
from training.data.encode import Example, Examples, encode_row, model_of, prepare, renderer_of
from training.data.lengthen import up_to
from training.data.mix import Drawn, balanced, batches, in_bins
from training.data.rows import Row, read_rows
from training.data.text import shown, sources, windows
from training.recipe import Recipe, Stage
from training.train.batch import Piece


@dataclass(frozen=True, slots=True)
class Planned:
    """A stage and its batches, in order."""

    stage: Stage
    batches: tuple[tuple[Piece, ...], ...]

    @property
    def steps(self) -> int:
        """Of the optimizer; the last may have fewer batches."""
        return math.ceil(len(self.batches) / self.stage.batches_per_step)

    def at(self, step: int) -> tuple[tuple[Piece, ...], ...]:
        """The batches of a step."""
        size = self.stage.batches_per_step
        return self.batches[step * size : (step + 1) * size]

    def lr(self, step: int) -> float:
        """Linear warm-up to the peak, then a cosine down to `final_lr_ratio` of it."""
        stage, steps = self.stage, max(1, self.steps)
        warm = max(1, int(stage.warmup_ratio * steps))
        if step < warm:
            return stage.peak_lr * (step + 1) / warm
        done = min(1.0, (step - warm) / max(1, steps - warm))
        share = stage.final_lr_ratio
        return stage.peak_lr * (share + (1 - share) * 0.5 * (1 + math.cos(math.pi * done)))


def plan(recipe: Recipe, stage: Stage, number: int, place: Path) -> Planned:
    """Batches of one stage. Examples are prepared in `place`."""
    seed = recipe.seed * 1_000 + number
    if stage.reads == "text":
        pieces = _text(recipe, stage, seed)
    elif stage.reads == "drills":
        pieces = _drills(recipe, stage, seed)
    elif stage.reads == "lengthened":
        pieces = _lengthened(recipe, stage, seed)
    elif stage.reads == "windows":
        pieces = _windows(recipe, stage, seed, place)
    else:
        return Planned(stage, tuple(_trajectories(recipe, stage, seed, place)))
    size = max(1, stage.batch_tokens // stage.length_tokens)
    if stage.reads != "text":
        return Planned(stage, tuple(_by_length(pieces, stage.batch_tokens)))
    return Planned(
        stage, tuple(tuple(pieces[at : at + size]) for at in range(0, len(pieces), size))
    )


def held_out(recipe: Recipe, place: Path) -> tuple[Examples, list[Example]]:
    """What the run looks at now and then and never learns from, as long as trajectories are read."""
    rows = [row for source in recipe.data.held_out for row in read_rows(source)]
    read = [stage for stage in recipe.stages if stage.reads == "trajectories"] or recipe.stages
    length = max(stage.length_tokens for stage in read)
    examples = prepare(rows, recipe.base.folder, length, recipe.data.overlong, place)
    every = max(1, len(examples.index) // recipe.look_rows)
    return examples, list(examples.index[::every])[: recipe.look_rows]


def prepared(recipe: Recipe, stage: Stage, place: Path) -> Examples:
    base, overlong = recipe.base.folder, recipe.data.overlong
    return prepare(_rows(recipe), base, stage.length_tokens, overlong, place)


def _rows(recipe: Recipe) -> list[Row]:
    rows = [row for source in recipe.data.sources for row in read_rows(source)]
    return rows if recipe.data.max_rows is None else rows[: recipe.data.max_rows]


def _trajectories(recipe: Recipe, stage: Stage, seed: int, place: Path) -> list[tuple[Piece, ...]]:
    examples = prepared(recipe, stage, place)
    planned: list[tuple[Piece, ...]] = []
    for epoch, drawn in enumerate(_drawn(recipe, stage, seed, examples.index)):
        for binned in in_bins(drawn, stage.bins_tokens if epoch == 0 else ()):
            for batch in batches(binned, stage.batch_tokens, seed + epoch):
                planned.append(tuple(_piece(examples, each) for each in batch))
    return planned


def _drawn(
    recipe: Recipe, stage: Stage, seed: int, examples: Sequence[Drawn]
) -> Iterator[list[Drawn]]:
    """What each epoch reads, until the stage has read as much as it shall."""
    data, left = recipe.data, stage.examples or math.inf
    shares = {source.folder.resolve().name: source.share for source in data.sources}
    for epoch in itertools.count():
        part = 1.0 if stage.examples else min(1.0, stage.epochs - epoch)
        drawn = balanced(
            examples,
            data.positives_per_negative,
            shares,
            data.policy_shares,
            seed + epoch * 97,
        )
        drawn = drawn[: int(min(left, len(drawn) * max(0.0, part)))]
        if not drawn:
            return
        left -= len(drawn)
        yield drawn


def _piece(examples: Examples, example: Example) -> Piece:
    return Piece(examples.prompt(example), example.resolved, example.masked)


def _text(recipe: Recipe, stage: Stage, seed: int) -> list[Piece]:
    tokenizer = model_of(recipe.base.folder).tokenizer_path
    found = windows(tokenizer, stage.length_tokens, stage.examples or 0, seed)
    return [Piece(ids, None) for ids in found]


def _drills(recipe: Recipe, stage: Stage, seed: int) -> list[Piece]:
    renderer: Renderer = renderer_of(recipe.base.folder, stage.length_tokens)
    return [
        Piece(np.frombuffer(renderer.render(story).ids, dtype=np.int32), resolved)
        for story, resolved in drills(seed, stage.examples or 0)
    ]


def _lengthened(recipe: Recipe, stage: Stage, seed: int) -> list[Piece]:
    """Raises `StartError` when nothing could be read."""
    renderer: Renderer = renderer_of(recipe.base.folder, stage.length_tokens)
    draw = random.Random(seed)
    files = [
        (shown(file), file.read_text(encoding="utf-8", errors="replace")) for file in sources()
    ]
    files = [(name, text) for name, text in files if text]

    def longer(story: Trajectory) -> Trajectory:
        return up_to(story, stage.length_tokens, files, draw)

    pieces, problems = [], ["no rows"]
    for row in (row for epoch in _drawn(recipe, stage, seed, _rows(recipe)) for row in epoch):
        found = encode_row(row, renderer, recipe.data.overlong, longer)
        if found.ids is None:
            problems.append(f"{row.file}: {found.problem}")
        else:
            pieces.append(Piece(found.ids, row.resolved, found.masked))
    told = f"the last of {len(problems) - 1} that cannot be read: {problems[-1]}"
    if not pieces:
        message = f"stage {stage.name} can read none of its rows; {told}"
        raise StartError(message)
    if len(problems) > 1:
        Console(stderr=True).print(f"stage {stage.name} leaves rows out; {told}", markup=False)
    return pieces


def _windows(recipe: Recipe, stage: Stage, seed: int, place: Path) -> list[Piece]:
    """Pieces of the drawn prompts, as long as the model's context lets those be; in any order."""
    base = recipe.base.folder
    limit = model_of(base).context_tokens - 1
    examples = prepare(_rows(recipe), base, limit, recipe.data.overlong, place)
    drawn = (each for epoch in _drawn(recipe, stage, seed, examples.index) for each in epoch)
    pieces = [window for each in drawn for window in _cut(examples, each, stage.length_tokens)]
    random.Random(seed).shuffle(pieces)
    return pieces


def _cut(examples: Examples, example: Example, length_tokens: int) -> Iterator[Piece]:
    ids = examples.prompt(example)
    for at in range(0, len(ids), length_tokens):
        window = ids[at : at + length_tokens]
        inside = ((max(a - at, 0), min(b - at, len(window))) for a, b in example.masked)
        yield Piece(window, None, tuple((a, b) for a, b in inside if a < b))


def _by_length(pieces: Sequence[Piece], batch_tokens: int) -> list[tuple[Piece, ...]]:
    """Batches of neighbours in length, through the same packing as trajectories."""
    stand_ins = [
        Example(n, len(p.ids), bool(p.resolved), "", "", "", 0, 0, ()) for n, p in enumerate(pieces)
    ]
    return [
        tuple(pieces[each.start] for each in batch)
        for batch in batches(stand_ins, batch_tokens, len(pieces))
    ]
