"""Makes the trajectories with several processes; goes on where an earlier run ended."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from training.world import bugs, issues
from training.world.catalog import Task
from training.world.judge import Judge
from training.world.schedule import Job, jobs
from training.world.shelf import Shelf, write_document
from training.world.workplace import fast_folder, narrow_environment

_WAIT_S = 0.5
_END_S = 10.0


@dataclass(frozen=True)
class Order:
    """What to make."""

    tasks: Sequence[Task]
    trajectories: int
    instances: int  # of every task
    seed: str
    workers: int

    def facts(self) -> dict[str, Any]:
        """What must be the same when a folder is gone on with."""
        return {
            "seed": self.seed,
            "task set": {task.name: task.digest for task in self.tasks},
            "instances per task": self.instances,
        }


def generate(order: Order, shelf: Shelf, progress: Progress) -> list[dict[str, Any]]:
    """All rows, finished earlier or made here. Raises `SystemExit` naming what went wrong."""
    shelf.open(order.facts())
    instances = shelf.instances()
    if instances is None:
        instances = _forge_all(order, progress)
        shelf.keep_instances(instances)
    rows = shelf.rows()
    done = {row["file"] for row in rows}
    work = [j for j in jobs(instances, order.trajectories, order.seed) if j.name not in done]
    bar = progress.add_task("trajectories", total=len(done) + len(work), completed=len(done))
    place = {instance.id: n for n, instance in enumerate(instances)}
    # An instance stays with one worker, which prepares its repository once.
    shares: list[list[tuple[bugs.Instance, Job]]] = [[] for _ in range(order.workers)]
    for job in work:
        number = place[job.instance_id]
        shares[number % order.workers].append((instances[number], job))
    for row in _worked(_play_share, shares, order, shelf.out, progress, bar):
        shelf.add_row(row)
        rows.append(row)
    return rows


def _forge_all(order: Order, progress: Progress) -> list[bugs.Instance]:
    bar = progress.add_task("instances", total=len(order.tasks))
    shares = [list(order.tasks[w :: order.workers]) for w in range(order.workers)]
    made: dict[str, list[bugs.Instance]] = {}
    for found in _worked(_forge_share, shares, order, None, progress, bar):
        made[found[0].task] = found
    return [instance for name in sorted(made) for instance in made[name]]


def _worked(
    work: Any,
    shares: Sequence[Sequence[Any]],
    order: Order,
    out: Path | None,
    progress: Progress,
    bar: TaskID,
) -> Iterator[Any]:
    """What worker processes answer, as it comes. They are ended with this one."""
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    with tempfile.TemporaryDirectory(prefix="world-", dir=fast_folder()) as scratch:
        workers = [
            context.Process(
                target=_run_worker,
                args=(work, share, order, out, Path(scratch) / str(number), answers),
                daemon=True,
            )
            for number, share in enumerate(shares)
            if share
        ]
        for worker in workers:
            worker.start()
        try:
            yield from _collected(workers, answers, progress, bar)
        finally:
            _end(workers)


def _collected(
    workers: Sequence[BaseProcess], answers: Any, progress: Progress, bar: TaskID
) -> Iterator[Any]:
    running = len(workers)
    while running:
        try:
            kind, value = answers.get(timeout=_WAIT_S)
        except queue.Empty:
            dead = [worker for worker in workers if worker.exitcode not in (None, 0)]
            if dead:
                message = f"a worker died with exit code {dead[0].exitcode}; run again to go on"
                raise SystemExit(message) from None
            continue
        if kind == "end":
            running -= 1
        elif kind == "trouble":
            raise SystemExit(value)
        else:
            progress.advance(bar)
            yield value


def _end(workers: Sequence[BaseProcess]) -> None:
    """Those that are done are let go; the others are told to leave, then made to."""
    for worker in workers:
        worker.join(_WAIT_S)
        if worker.is_alive():
            worker.terminate()
    for worker in workers:
        worker.join(_END_S)
        if worker.is_alive():
            worker.kill()


def _run_worker(
    work: Any, share: Sequence[Any], order: Order, out: Path | None, scratch: Path, answers: Any
) -> None:
    """In a worker process. Ctrl-C is the first process's; that one sends SIGTERM."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    scratch.mkdir()
    narrow_environment(scratch)
    try:
        parent = os.getppid()
        for answer in work(share, order, out, scratch):
            answers.put(("answer", answer))
            if os.getppid() != parent:  # killed: nobody keeps the rows
                return
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        answers.put(("end", None))
    except OSError as problem:
        answers.put(
            ("trouble", f"{problem.strerror}: {problem.filename or out}; run again to go on")
        )
    except SystemExit as problem:
        if problem.code != 0:
            answers.put(("trouble", str(problem.code)))
    except Exception:
        answers.put(("trouble", traceback.format_exc()))


def _leave(*_: object) -> None:
    raise SystemExit(0)


def _forge_share(
    share: Sequence[Task], order: Order, out: Path | None, scratch: Path
) -> Iterator[list[bugs.Instance]]:
    with Judge() as judge:
        for task in share:
            made = bugs.forge(judge, task, order.instances, order.seed)
            if not made:
                message = f"task {task.name}: no bug counts"
                raise SystemExit(message)
            yield [issues.write(task, instance, order.seed) for instance in made]


def _play_share(
    share: Sequence[tuple[bugs.Instance, Any]], order: Order, out: Path, scratch: Path
) -> Iterator[dict[str, Any]]:
    from training.world.run import Workshop

    tasks = {task.name: task for task in order.tasks}
    with Judge() as judge:
        workshop = Workshop(scratch, judge, order.seed)
        for instance, job in share:
            made = workshop.make(tasks[job.task], instance, job)
            if made.twin is not None:
                write_document(out / made.row["swapped"], made.twin)
            write_document(out / job.name, made.document)
            yield made.row


def columns() -> tuple[Any, ...]:
    return (
        TextColumn("{task.description:<13}"), BarColumn(), MofNCompleteColumn(),
        TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
