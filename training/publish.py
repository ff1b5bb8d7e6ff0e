"""A finished run → a model of the store: weights, tokenizer, manifest with hashes, canary.

    python -m training.publish .train/nano model_store/swe-rm-nano --description "…"

Calibrations are fitted on what the published model says (`swe-rm calibrate --into`), then comes the card.
The tokenizer is that of the recipe's `base.folder`. The model is put together beside its place, opened by
the store as the server will, and then renamed, so that what stands in the store is always whole.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from app.errors import StartError
from app.store import open_model
from training.manifest import write_manifest

_TAKEN = ("tokenizer.json", "tokenizer_config.json")
_LARGEST_BYTES = 40 * 2**20
# What was trained puts 0.997 and more on its two answers; less than this, and it was asked something else.
_FLOOR = 0.1


def publish(
    run: Path,
    target: Path,
    *,
    template: Path,
    examples: Path,
    facts: dict[str, Any],
) -> int:
    """Returns the bytes of the folder. Raises `StartError` when the store would refuse the model."""
    weights = run / "model"
    if not (weights / "model.safetensors").is_file():
        message = (
            f"{weights} holds no weights: the run is not finished (training.train goes on with it)"
        )
        raise StartError(message)
    folder = target.with_name(f".{target.name}") / target.name
    shutil.rmtree(folder.parent, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        for name in ("config.json", "model.safetensors"):
            shutil.copy2(weights / name, folder / name)
        place = json.loads((run / "state" / "place.json").read_text(encoding="utf-8"))
        for name in _TAKEN:
            shutil.copy2(Path(place["recipe"]["base"]["folder"]) / name, folder / name)
        facts = facts | {"source": {"base_model": place.get("went_on_from")}}
        context_tokens = json.loads((folder / "config.json").read_text())["max_position_embeddings"]
        write_manifest(folder, template, examples, context_tokens, facts)
        open_model(folder.parent, folder.name)
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        if size > _LARGEST_BYTES:
            message = f"{size / 2**20:.0f} MiB; a model of this repository may have {_LARGEST_BYTES >> 20}"
            raise StartError(message)
        if target.exists():
            target.rename(folder.with_name("old"))
        folder.rename(target)
        return size
    finally:
        shutil.rmtree(folder.parent, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m training.publish", description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--template", type=Path, default=Path("training/template.json"))
    parser.add_argument("--examples", type=Path, default=Path("examples/trajectories"))
    parser.add_argument("--description", required=True)
    parser.add_argument("--note", action="append", default=[])
    options = parser.parse_args()
    console = Console(stderr=True)
    facts = {"description": options.description, "trained": True, "notes": options.note,
             "label_mass_floor": _FLOOR}  # fmt: skip
    try:
        size = publish(
            options.run, options.target, template=options.template, examples=options.examples,
            facts=facts,
        )  # fmt: skip
    except (StartError, OSError) as error:
        console.print(str(error), style="red")
        return 2
    console.print(f"{options.target}: {size / 2**20:.1f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
