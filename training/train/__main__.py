"""python -m training.train training/recipes/nano.yaml .train/nano [--hours H]"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console

from app.errors import StartError
from training.recipe import read_recipe
from training.train.loop import Run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m training.train", description=__doc__)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("folder", type=Path, help="where the run lives; a second call goes on")
    parser.add_argument(
        "--hours", type=float, default=float("inf"), help="stop and save after so long"
    )
    parser.add_argument("--cpu", action="store_true")
    options = parser.parse_args()
    console = Console(stderr=True)
    try:
        run = Run(read_recipe(options.recipe), options.folder, cpu=options.cpu)
        done = run.train(options.hours * 3600)
    except StartError as error:
        console.print(error.message, style="red")
        return 2
    except OSError as error:
        console.print(f"{error}; what was saved stays, and a second call goes on", style="red")
        return 1
    except KeyboardInterrupt:
        return 130
    place = run.place
    told = "done" if done else "stopped; a second call goes on"
    console.print(f"{told}: {place.tokens:,} tokens in {place.seconds / 60:.0f} min")
    return 0


if __name__ == "__main__":
    sys.exit(main())
