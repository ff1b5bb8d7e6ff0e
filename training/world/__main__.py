"""Makes the training world, or shows what is in one.

    python -m training.world --out .world --trajectories 9000 --seed 7 --workers 2
    python -m training.world --summary .world

A second run with the same arguments goes on where the first one ended.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from training.world import catalog, summary
from training.world.generate import Order, columns, generate
from training.world.shelf import Shelf


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m training.world", description="Makes trajectories of scripted agents."
    )
    parser.add_argument("--out", type=Path, default=Path(".world"))
    parser.add_argument("--trajectories", type=int, default=9000)
    parser.add_argument("--instances", type=int, default=13, help="of every task")
    parser.add_argument("--seed", default="7")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--tasks", type=Path, default=catalog.HERE, metavar="DIR")
    parser.add_argument("--summary", type=Path, metavar="OUT", help="show what OUT holds and end")
    args = parser.parse_args(arguments)
    for name in ("trajectories", "instances", "workers"):
        if getattr(args, name) < 1:
            parser.error(f"--{name} is below 1")
    return args


def main(arguments: list[str] | None = None) -> int:
    args = parse(arguments)
    console = Console()
    if args.summary:
        summary.show(Shelf(args.summary).rows(), console)
        return 0
    if importlib.util.find_spec("minisweagent") is None:
        console.print("mini-swe-agent is missing; install the extra `training`")
        return 2
    os.environ["MSWEA_SILENT_STARTUP"] = "1"
    tasks = catalog.read_tasks(args.tasks)
    order = Order(tasks, args.trajectories, args.instances, args.seed, args.workers)
    shelf = Shelf(args.out.resolve())
    try:
        with Progress(*columns(), console=console) as progress:
            rows = generate(order, shelf, progress)
    except KeyboardInterrupt:
        console.print("ended by you; the same command goes on from here")
        return 130
    except OSError as problem:
        console.print(f"{problem.strerror}: {problem.filename or args.out}; run again to go on")
        return 1
    shelf.keep_splits(rows)
    summary.show(rows, console)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
