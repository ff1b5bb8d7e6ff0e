"""Ablations: one key at a time, nothing run twice, every answer judged on all that is held out."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from test_training_run import ROOT, one_thread, recipe, shrunken

from app import quality
from app.calibration import sigmoid
from app.errors import StartError
from training import ablate
from training.recipe import Recipe, read_recipe
from training.train.loop import Run

__all__ = ["one_thread"]  # for every test of this file too

EXAMPLES = sorted((ROOT / "examples" / "trajectories").glob("*.traj.json"))


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    """A recipe that reads 32 trajectories of two policies, and is judged on the same."""
    folder = tmp_path_factory.mktemp("labelled")
    lines = []
    for number in range(32):
        (folder / f"{number}.json").write_bytes(EXAMPLES[number % len(EXAMPLES)].read_bytes())
        lines.append({"file": f"{number}.json", "instance_id": f"i{number % 8}",
                      "resolved": number % 2, "policy": "ab"[number // 2 % 2]})  # fmt: skip
    (folder / "labels.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")
    tiny = shrunken(tmp_path_factory.mktemp("store") / "tiny")
    stage = {
        "reads": "trajectories",
        "name": "judge",
        "length_tokens": 8192,
        "batch_tokens": 8192,
        "examples": 8,
    }
    source = [{"folder": folder}]
    data = {"sources": source, "held_out": source, "positives_per_negative": None}
    return recipe(tiny, stage, data=data)


@pytest.fixture(scope="module")
def measured(plan: Recipe, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The folder in which it was run, and what was found."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    return folder, ablate.result_of(plan, folder)


def written(folder: Path, plan: Recipe, questions: dict[str, Any]) -> Path:
    file = folder / "ablations.yaml"
    file.write_text(
        yaml.safe_dump(
            {"recipe": plan.model_dump(mode="json"), "questions": questions}, sort_keys=False
        )
    )
    return file


def test_each_answer_is_run_once_and_told(
    plan: Recipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    runs: list[Recipe] = []
    train = Run.train
    monkeypatch.setattr(Run, "train", lambda self: (runs.append(self.recipe), train(self)))
    questions = {
        "policies": {"one": {"data.sources.0.policies": ["a"]}, "both": {}},
        "examples": {"4": {"stages.0.examples": 4}, "8": {}},
        "once more": {"four": {"stages.0.examples": 4}},
    }
    file = written(tmp_path, plan, questions)
    argv = ["ablate", str(file), str(tmp_path / "runs"), "--picture", str(tmp_path / "found.svg")]
    monkeypatch.setattr("sys.argv", argv)
    told = []
    for _ in range(2):
        assert ablate.main() == 0
        told.append([json.loads(line) for line in capsys.readouterr().out.splitlines()])
    assert told[0] == told[1]
    assert [run.data.sources[0].policies for run in runs] == [("a",), None, None]
    assert [run.stages[0].examples for run in runs] == [8, 8, 4], "the second call runs nothing"
    lines = told[0]
    assert [(line["ablation"], line["answer"]) for line in lines] == [
        ("policies", "one"), ("policies", "both"), ("examples", "4"), ("examples", "8"),
        ("once more", "four"),
    ]  # fmt: skip
    assert lines[1] | {"ablation": "examples", "answer": "8"} == lines[3]
    assert lines[2] | {"ablation": "once more", "answer": "four"} == lines[4]
    assert all(line["rows"] == 32 for line in lines), "judged on all that is held out"
    assert lines[2]["tokens"] < lines[3]["tokens"]
    ran = {file.parent.name for file in (tmp_path / "runs").glob("*/result.json")}
    assert ran == {"recipe", "policies_one", "examples_4"}
    assert all(low <= value <= high for value, low, high in (x["auc_within"] for x in lines))
    assert "AUC within policy" in (tmp_path / "found.svg").read_text()


def test_what_is_told_is_what_the_weights_say(
    plan: Recipe, measured: tuple[Path, dict[str, Any]]
) -> None:
    folder, found = measured
    run = Run(plan, folder)
    assert run.train(), "it is at its end"
    examples, rows = ablate.held_out(plan, folder.parent / "examples")
    logits, resolved = run.logits(examples, rows), [row.resolved for row in rows]
    within = quality.auc_within(logits, resolved, [row.policy for row in rows], draws=2)
    assert found["auc_within"][0] == pytest.approx(within.auc.value)
    losses = [
        -math.log(sigmoid(logit if row.resolved else -logit))
        for logit, row in zip(logits, rows, strict=True)
    ]
    assert found["log_loss"] == pytest.approx(sum(losses) / len(losses))


def test_what_another_recipe_measured_is_not_told_as_this_ones(
    plan: Recipe, measured: tuple[Path, dict[str, Any]]
) -> None:
    folder, found = measured
    assert ablate.result_of(plan, folder) == found
    other = plan.model_copy(update={"seed": plan.seed + 1})
    with pytest.raises(StartError, match="another recipe"):
        ablate.result_of(other, folder)


def test_a_result_of_a_recipe_that_is_none_any_more_is_named(plan: Recipe, tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text(json.dumps({"recipe": {"gone": 1}, "found": {}}))
    with pytest.raises(StartError, match="another recipe"):
        ablate.result_of(plan, tmp_path)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"data.max_row": 3}, "max_row"),
        ({"stages.1.examples": 3}, "no stages.1.examples"),
        ({"stages.0.examples": 0}, "examples"),
    ],
)  # fmt: skip
def test_a_wrong_change_is_named_before_anything_is_run(
    changes: dict[str, Any], told: str, plan: Recipe, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    file = written(tmp_path, plan, {"first": {"fine": {}}, "then": {"wrong": changes}})
    monkeypatch.setattr("sys.argv", ["ablate", str(file), str(tmp_path / "runs")])
    assert ablate.main() == 2
    assert told in capsys.readouterr().err.replace("\n", " ")
    assert not (tmp_path / "runs").exists()


def test_runs_side_by_side_read_the_same_examples(
    plan: Recipe, measured: tuple[Path, dict[str, Any]]
) -> None:
    folder, _ = measured
    prepared = sorted((folder.parent / "examples").iterdir())
    ablate.result_of(plan.model_copy(update={"seed": plan.seed + 1}), folder.with_name("other"))
    assert sorted((folder.parent / "examples").iterdir()) == prepared
    assert not list(folder.with_name("other").glob("examples*"))


def test_the_shipped_ablations_can_be_read() -> None:
    ablations = ablate.read_ablations(ROOT / "training" / "ablations.yaml")
    made = {
        (question, answer): ablate.changed(ablations.recipe, changes)
        for question, answers in ablations.questions.items()
        for answer, changes in answers.items()
    }
    large = made["parameters, 1,200 read", "7.2M"]
    nano = read_recipe(ROOT / "training" / "recipes" / "nano.yaml")
    assert (large.base, large.stages[:2]) == (nano.base, nano.stages[:2]), "it begins as nano does"
    first = made["trajectories read", "1,600"]
    assert first.stages[:2] == large.stages[:2], "and so do the others"
    assert made["policies", "14"] == made["order", "any"] == ablations.recipe, "run once"


def test_more_questions_than_a_row_of_panels_holds_are_all_in_the_picture() -> None:
    found = {f"question {n}": {"yes": {"auc_within": [0.7, 0.6, 0.8]}} for n in range(6)}
    drawn = ablate.picture(found).decode()
    assert all(question in drawn for question in found)


def test_a_file_that_is_no_list_of_ablations_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("recipe: {}")
    with pytest.raises(StartError, match=r"a\.yaml"):
        ablate.read_ablations(tmp_path / "a.yaml")
