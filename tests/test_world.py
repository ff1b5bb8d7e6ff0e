"""The training world: bugs that count, labels that hold, a folder that can be gone on with."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from app import adapters
from training.world import bugs, issues
from training.world.catalog import Probe, Task, read_tasks
from training.world.generate import Order
from training.world.judge import Judge
from training.world.operators import OPERATORS, mutations
from training.world.project import project_files, write_files
from training.world.schedule import jobs, splits
from training.world.shelf import Shelf
from training.world.source import Edit, apply

ROOT = Path(__file__).resolve().parents[1]
TASKS = Path(__file__).with_name("world_tasks")

EVERYTHING = '''
import math


def kept(rows, low, limit=3, turned=False):
    """Rows above `low`, sorted, at most `limit`."""
    if limit < 1:
        raise ValueError("limit")
    found = []
    for row in rows:
        if row is None:
            continue
        if row > low and row != 7:
            found.append(row)
    found = sorted(found, reverse=turned)
    return found[:limit]


def total(rows):
    """Sum of the whole parts, doubled."""
    count = 0
    for row in rows:
        count += math.floor(row)
    return count * 2 + 1


def name(text):
    if not text:
        return ""
    return text.strip().lower()


def inside(value, low, high):
    return max(low, min(value, high))


def ratio(part, whole):
    return divmod(part, whole)
'''
EVERYTHING_HIDDEN = """
import unittest
from everything.all import inside, kept, name, ratio, total


class TestAll(unittest.TestCase):
    def test_kept(self):
        self.assertEqual(kept([5, None, 9, 7, 1, 6, 8, 4], 4), [5, 6, 8])

    def test_turned(self):
        self.assertEqual(kept([5, 9, 6], 4, 2, True), [9, 6])

    def test_two(self):
        self.assertEqual(kept([5, 2], 1, 1), [2])

    def test_limit(self):
        with self.assertRaises(ValueError):
            kept([], 0, 0)

    def test_total(self):
        self.assertEqual(total([1.5, 2.5]), 7)

    def test_name(self):
        self.assertEqual(name(" AbC "), "abc")

    def test_no_name(self):
        self.assertEqual(name(""), "")

    def test_none(self):
        self.assertEqual(name(None), "")

    def test_inside(self):
        self.assertEqual([inside(n, 2, 5) for n in (1, 3, 9)], [2, 3, 5])

    def test_ratio(self):
        self.assertEqual(ratio(7, 2), (3, 1))
"""
PROBES = (
    "kept([5, None, 9, 7, 1, 6, 8, 4], 4)", "kept([5, 9, 6], 4, 2, True)", "kept([5, 2], 1, 1)",
    "kept([], 0, 0)", "total([1.5, 2.5])", "name(' AbC ')", "name('')", "name(None)",
    "[inside(n, 2, 5) for n in (1, 3, 9)]", "ratio(7, 2)",
)  # fmt: skip


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with Judge() as judge:
        yield judge


@pytest.fixture(scope="module")
def tasks() -> dict[str, Task]:
    return {task.name: task for task in read_tasks(TASKS)}


@pytest.fixture(scope="module")
def everything() -> Task:
    probes = tuple(Probe("", expression) for expression in PROBES)
    visible = EVERYTHING_HIDDEN.split("    def test_turned")[0]
    return Task(
        "everything", "everything", "all", "All.", EVERYTHING, visible, EVERYTHING_HIDDEN, probes, ()
    )  # fmt: skip


_ASKS = """
import os, subprocess, sys, time
command = [sys.executable, "-s", "-P", sys.argv[1], str(os.getpid())]
server = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
if os.fork() == 0:  # holds the pipe open, as another worker of a pool does
    time.sleep(60)
print(server.pid, flush=True)
time.sleep(60)
"""


def test_the_server_of_forks_ends_with_him_who_asks() -> None:
    script = ROOT / "training" / "world" / "forks.py"
    asking = subprocess.Popen(
        [sys.executable, "-c", _ASKS, str(script)],
        stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    with asking:
        assert asking.stdout is not None
        server = psutil.Process(int(asking.stdout.readline()))
        try:
            asking.kill()
            server.wait(timeout=20)
        finally:
            os.killpg(asking.pid, signal.SIGKILL)


def test_every_judge_sees_the_same(everything: Task) -> None:
    """Labels and issues follow from the seed alone, on every machine and with any number of workers:
    neither the order of a set nor where an object lies is in them."""
    shown = ("{*'abcdefghijklmnopqrstuvwxyz'}", "object()", "{}[object()]")
    task = replace(everything, probes=tuple(Probe("", text) for text in shown))
    seen = set()
    for _ in range(2):
        with Judge() as one:
            found = one.examine(task, task.source)
        assert found is not None
        seen.add(found.probes)
    assert len(seen) == 1


def test_every_operator_makes_bugs_that_count(judge: Judge, everything: Task) -> None:
    sound = bugs.examine_sound(judge, everything)
    counted = set()
    for edit in mutations(everything.source):
        if edit.operator not in counted:
            found = judge.examine(everything, apply(everything.source, [edit]))
            if bugs.judged(sound, found):
                counted.add(edit.operator)
    assert counted == set(OPERATORS)
    assert len(OPERATORS) >= 12


def test_an_equivalent_mutant_does_not_count(judge: Judge, everything: Task) -> None:
    sound = bugs.examine_sound(judge, everything)

    def bug(old: str, new: str) -> bugs.Bug | None:
        start = everything.source.index(old)
        edit = Edit(start, start + len(old), new)
        return bugs.bug_of(judge, everything, sound, [edit], ("", "", ""))

    assert bug("row > low and row != 7", "low < row and 7 != row") is None
    assert bug("row > low and row != 7", "row >= low and row != 7") is not None
    assert bug("return divmod(part, whole)", "while True: pass") is None  # hangs


def test_a_module_that_fails_its_own_tests_is_named(judge: Judge, tasks: dict[str, Task]) -> None:
    broken = replace(tasks["spans"], source=tasks["spans"].source.replace("max(0, ", "max(1, "))
    with pytest.raises(
        SystemExit, match=r"spans: its own source fails TestHidden.test_length_reversed"
    ):
        bugs.examine_sound(judge, broken)


def test_instances_and_their_issues(judge: Judge, tasks: dict[str, Task]) -> None:
    task = tasks["spans"]
    made = [issues.write(task, one, "1") for one in bugs.forge(judge, task, 10, "1")]
    assert len(made) == 10
    assert sum(len(one.bugs) == 2 for one in made) == 3
    for one in made:
        assert one.fail_to_pass
        assert one.pass_to_pass
        assert one.source(task) != task.source
        assert 1 <= len(one.shown) <= 4
        assert all(one.expected[n] != one.observed[n] for n in one.shown)
        # observed or expected, for some styles say neither of a value of None
        assert any(one.observed[n].strip() in one.issue for n in one.shown)
        assert bugs.from_json(json.loads(json.dumps(bugs.to_json(one)))) == one
    assert len({one.issue.partition("\n\n")[2][:12] for one in made}) > 5  # several styles


def test_splits_are_by_module_and_do_not_move() -> None:
    names = [f"module{n}" for n in range(48)]
    found = splits(names, "7")
    assert found == splits(names[::-1], "7")
    assert found != splits(names, "8")
    counts = [list(found.values()).count(kind) for kind in ("train", "calibration", "test")]
    assert counts == [33, 4, 11]


def _instances(judge: Judge, tasks: dict[str, Task]) -> list[bugs.Instance]:
    return [
        issues.write(task, instance, "3")
        for task in tasks.values()
        for instance in bugs.forge(judge, task, 4, "3")
    ]


def test_any_prefix_of_the_work_is_mixed(judge: Judge, tasks: dict[str, Task]) -> None:
    instances = _instances(judge, tasks)
    work = jobs(instances, 100, "7")
    assert len(work) == 100
    assert len({job.name for job in work}) == 100
    assert {job.instance_id for job in work[: len(instances)]} == {one.id for one in instances}
    assert len({job.policy for job in work[: 2 * len(instances)]}) > 6
    assert work[:40] == jobs(instances, 40, "7")  # more work does not change what is done
    assert all(len({j.split for j in work if j.task == name}) == 1 for name in tasks)


def world(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "training.world", "--tasks", str(TASKS), *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "120"}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small world, made in two goes."""
    pytest.importorskip("minisweagent", reason="needs mini-swe-agent (the extra `training`)")
    out = tmp_path_factory.mktemp("world") / "out"
    common = ("--out", str(out), "--seed", "5", "--workers", "1", "--instances", "4")
    first = world(*common, "--trajectories", "5")
    assert first.returncode == 0, first.stdout + first.stderr
    before = {path: path.stat().st_mtime_ns for path in out.glob("*/*/*.gz")}
    assert len(before) == 5
    with (out / "labels.jsonl").open("a") as labels:
        labels.write('{"file": "cut sho')
    second = world(*common, "--trajectories", "14")
    assert second.returncode == 0, second.stdout + second.stderr
    assert "14 trajectories" in second.stdout
    assert all(path.stat().st_mtime_ns == moment for path, moment in before.items())
    return out


def rows_of(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "labels.jsonl").read_text().splitlines()]


def document_of(out: Path, file: str) -> dict[str, Any]:
    return dict(json.loads(gzip.decompress((out / file).read_bytes())))


def test_a_second_run_goes_on(made: Path) -> None:
    rows = rows_of(made)
    assert len(rows) == 14
    assert len({row["file"] for row in rows}) == 14
    assert Shelf(made).rows() == rows
    assert len(list(made.glob("*/*/.*"))) == 0
    splits = [line for file in made.glob("*.jsonl") if file.stem in {r["split"] for r in rows}
              for line in file.read_text().splitlines()]  # fmt: skip
    assert sorted(splits) == sorted((made / "labels.jsonl").read_text().splitlines())


def test_another_seed_or_task_set_is_refused(made: Path, tasks: dict[str, Task]) -> None:
    order = Order(list(tasks.values()), 14, 4, "5", 1)
    Shelf(made).open(order.facts())
    with pytest.raises(SystemExit, match=r"another seed: choose another --out"):
        Shelf(made).open(replace(order, seed="6").facts())
    with pytest.raises(SystemExit, match=r"another task set: choose another --out"):
        Shelf(made).open(replace(order, tasks=order.tasks[:1]).facts())


def test_adapters_read_every_file(made: Path) -> None:
    told = {one.id: one.issue for one in Shelf(made).instances() or []}
    for row in rows_of(made):
        adapted = adapters.adapt(document_of(made, row["file"]))
        trajectory = adapted.trajectory
        assert adapted.format == row["format"]
        assert trajectory.issue == told[row["instance_id"]]
        assert len(trajectory.turns) == row["turns"]
        assert trajectory.patch or not row["resolved"]
        shown = json.dumps([o.text for t in trajectory.turns for o in t.observations])
        assert "/dev/shm" not in shown
        assert "/tmp/world" not in shown


def test_labels_equal_an_independent_rerun(
    made: Path, tasks: dict[str, Task], tmp_path: Path
) -> None:
    instances = {one.id: one for one in Shelf(made).instances() or []}
    for number, row in enumerate(rows_of(made)):
        task, instance = tasks[row["module"]], instances[row["instance_id"]]
        root = tmp_path / str(number)
        write_files(root, project_files(task, instance.source(task)))
        patch = document_of(made, row["file"])["info"]["submission"]
        if patch:
            subprocess.run(["git", "apply", "-"], cwd=root, input=patch, text=True, check=True)
        (root / "hidden.py").write_text(task.hidden)
        tests = subprocess.run(
            [sys.executable, "-m", "unittest", "-v", "hidden"], cwd=root, capture_output=True,
            text=True, timeout=60,
        )  # fmt: skip
        assert row["resolved"] == (tests.returncode == 0), row["file"]
        passed = tests.stderr.count(" ... ok\n")
        assert passed == row["fail_to_pass"][0] + row["pass_to_pass"][0]


def test_twins_differ_only_in_prose(made: Path) -> None:
    rows = [row for row in rows_of(made) if row["swapped"]]
    assert rows, "the seed of this test must give a twin"
    for row in rows:
        one, two = document_of(made, row["file"]), document_of(made, row["swapped"])
        assert one["info"] == two["info"]
        for a, b in zip(one["messages"], two["messages"], strict=True):
            if a["role"] == "assistant":
                assert {**a, "content": ""} == {**b, "content": ""}
            else:
                assert a == b


def test_a_row_whose_file_is_gone_is_made_again(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    (tmp_path / "here").write_text("")
    shelf.add_row({"file": "here"})
    shelf.add_row({"file": "gone"})
    assert shelf.rows() == [{"file": "here"}]
    assert (tmp_path / "labels.jsonl").read_text() == '{"file": "here"}\n'
