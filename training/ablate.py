"""Ablations: a recipe with one key changed at a time, each run judged on all that is held out.

    python -m training.ablate training/ablations.yaml .train/ablations [--picture FILE.svg]

A line of JSON a run; what is finished is not run again, what was stopped goes on.
"""

from __future__ import annotations

import argparse
import copy
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from app import quality
from app.errors import NotEnoughLabels, StartError
from training.recipe import Closed, Recipe
from training.train.loop import Run
from training.train.plan import held_out


class Ablations(Closed):
    """`questions`: question → answer → what it changes in the recipe, by keys with dots
    (`data.max_rows`, `stages.0.length_tokens`). An answer that changes nothing is the recipe itself;
    what stands under several questions is run once, for all. Answers are run in the order in which they
    stand, each in the folder `QUESTION_ANSWER`, so one may begin at the weights that another before it
    has left."""

    recipe: Recipe
    questions: dict[str, dict[str, dict[str, Any]]]


def read_ablations(file: Path) -> Ablations:
    """Raises `StartError` naming the file and what is wrong with it."""
    try:
        return Ablations.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        message = f"{file}: {error}"
        raise StartError(message) from error


def changed(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """Raises `StartError` naming a key that is not there, or a value that it does not take."""
    made = copy.deepcopy(recipe.model_dump(mode="json"))
    for key, value in changes.items():
        *way, last = (int(each) if each.isdigit() else each for each in key.split("."))
        place: Any = made
        try:
            for each in way:
                place = place[each]
            place[last] = value
        except (KeyError, IndexError, TypeError) as error:
            message = f"the recipe has no {key}"
            raise StartError(message) from error
    try:
        return Recipe.model_validate(made)
    except ValidationError as error:
        message = f"{dict(changes)}: {error}"
        raise StartError(message) from error


def result_of(recipe: Recipe, folder: Path) -> dict[str, Any]:
    """Trains where that is not done, and measures on every held-out row.

    Raises `StartError` for a folder in which another recipe was run, and what a run raises.
    """
    file = folder / "result.json"
    if file.exists():
        kept = json.loads(file.read_text())
        if not _same(kept["recipe"], recipe):
            message = f"{folder} holds what another recipe gave: give another folder, or remove it"
            raise StartError(message)
        return dict(kept["found"])
    run = Run(recipe, folder, examples=folder.parent / "examples")
    run.train()
    examples, _ = held_out(recipe, run.examples)
    rows = list(examples.index)
    logits = np.array(run.logits(examples, rows))
    resolved = np.array([row.resolved for row in rows])
    within = quality.auc_within(
        logits, resolved, [row.policy for row in rows], cluster=[row.instance_id for row in rows]
    ).auc
    found = {
        "auc_within": [within.value, within.low, within.high],
        "log_loss": float(np.logaddexp(0.0, np.where(resolved, -logits, logits)).mean()),
        "rows": len(rows), "tokens": run.place.tokens, "minutes": round(run.place.seconds / 60, 1),
    }  # fmt: skip
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps({"recipe": recipe.model_dump(mode="json"), "found": found}))
    fresh.rename(file)
    return found


def _same(saved: dict[str, Any], recipe: Recipe) -> bool:
    """Keys that came after `saved` was written have their defaults in it."""
    try:
        return Recipe.model_validate(saved) == recipe
    except ValidationError:
        return False


def picture(results: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> bytes:
    """SVG: a panel a question, AUC within policy by answer."""
    panels = [
        (question, {answer: tuple(each["auc_within"]) for answer, each in answers.items()})
        for question, answers in results.items()
    ]
    return quality.figure_bytes(quality.intervals_figure(panels, "AUC within policy"), "svg")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m training.ablate", description=__doc__)
    parser.add_argument("ablations", type=Path)
    parser.add_argument("folder", type=Path, help="a folder a run; a second call goes on")
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    console = Console(stderr=True)
    try:
        results = _all(read_ablations(options.ablations), options.folder)
    except (StartError, NotEnoughLabels) as error:
        console.print(error.message, style="red")
        return 2
    except OSError as error:
        console.print(f"{error}; what was saved stays, and a second call goes on", style="red")
        return 1
    except KeyboardInterrupt:
        return 130
    console.print(_table(results))
    if options.picture:
        options.picture.write_bytes(picture(results))
    return 0


def _all(ablations: Ablations, folder: Path) -> dict[str, dict[str, dict[str, Any]]]:
    runs = {
        (question, answer): (changes, changed(ablations.recipe, changes))
        for question, answers in ablations.questions.items()
        for answer, changes in answers.items()
    }  # all are read before the first is run
    results: dict[str, dict[str, dict[str, Any]]] = {}
    named = {ablations.recipe.model_dump_json(): "recipe"}
    for (question, answer), (changes, recipe) in runs.items():
        name = named.setdefault(recipe.model_dump_json(), f"{question} {answer}")
        found = result_of(recipe, folder / re.sub(r"[^\w.-]+", "_", name))
        results.setdefault(question, {})[answer] = found
        line = {"ablation": question, "answer": answer, "changes": changes, **found}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
    return results


def _table(results: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Table:
    table = Table(
        "question", "answer", "AUC within policy", "95 %", "log loss", "tokens", "minutes"
    )
    for question, answers in results.items():
        for answer, each in answers.items():
            value, low, high = each["auc_within"]
            table.add_row(
                question, answer, f"{value:.3f}", f"{low:.3f} … {high:.3f}", f"{each['log_loss']:.3f}",
                f"{each['tokens']:,}", f"{each['minutes']:.0f}",
            )  # fmt: skip
    return table


if __name__ == "__main__":
    sys.exit(main())
