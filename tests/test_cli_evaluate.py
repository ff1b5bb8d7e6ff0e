"""`evaluate`, `calibrate`, `report`: labelled runs in; tables, documents and pages out; bad files named."""

from __future__ import annotations

import errno
import gzip
import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from houses import STORE, chat
from models import uncalibrated
from test_cli import run

from app import store
from app.calibration import read_calibrators
from app.cli.labels import read_labels
from app.errors import StartError

FAKE = ("--engine", "fake", "--model-store", str(STORE))
POOL = Path(__file__).parents[2] / "shared" / "trajectories"
REVISION = store.open_model(STORE, "swe-rm-nano", verify=False).revision


def score_line(name: str, logit: float, /, **over: Any) -> str:
    line = {
        "file": name, "status": "scored", "probability": 1 / (1 + math.exp(-logit)), "logit": logit,
        "tokens": {"prompt": 100 + int(abs(logit) * 10)}, "model": "swe-rm-nano",
        "revision": REVISION, "template": "t", "system_fingerprint": "fp", "calibration": "identity",
    }  # fmt: skip
    return json.dumps(line | over)


def write_pool(folder: Path, n: int = 80, files: bool = False) -> tuple[Path, Path]:
    """(labels, scores) of a verifier that knows something: 4 runs an instance, 2 policies."""
    rng = np.random.default_rng(0)
    labels, scores = [], []
    for at in range(n):
        logit = float(rng.normal())
        resolved = int(rng.random() < 1 / (1 + math.exp(-2 * logit)))
        name = f"runs/r{at}.json" + (".gz" if at % 2 else "")
        policy = "strong" if at % 9 else "weak"
        labels.append(
            {"file": name, "instance_id": f"i{at // 4}", "resolved": resolved, "policy": policy}
        )
        scores.append(score_line(f"{folder}/{name}", logit))
        if files:
            text = json.dumps({"messages": chat(n=1 + at % 5, word=f"w{at}")}).encode()
            (folder / "runs").mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(gzip.compress(text) if at % 2 else text)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "labels.jsonl").write_text("".join(json.dumps(x) + "\n" for x in labels))
    (folder / "scores.jsonl").write_text("\n".join(scores) + "\n")
    return folder / "labels.jsonl", folder / "scores.jsonl"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a report on finished scores whose runs are not there."""
    folder = tmp_path_factory.mktemp("pool")
    labels, scores = write_pool(folder, 240)
    result = run("evaluate", labels, "--scores", scores, "--out", folder / "report", "--draws", 50)
    assert "AUC within policy" in result.stdout
    assert "RM@4" in result.stdout
    assert "no regression on counts" in result.stderr
    return folder / "report"


def test_finished_scores_are_measured_without_an_engine(report: Path) -> None:
    told = json.loads((report / "report.json").read_text())
    assert (told["n"], told["instances"], told["labelled"]) == (240, 60, 240)
    names = [each["name"] for each in told["scorers"]]
    assert names == ["as served", "recalibrated, 5 folds", "base rate", "shorter is better"]
    served, again, base, shorter = told["scorers"]
    assert served["auc"]["value"] > 0.7
    assert base["auc"]["value"] == 0.5
    assert shorter["summary"] is None
    assert again["summary"]["log_loss"]["value"] < base["summary"]["log_loss"]["value"]
    assert [each["value"] for each in told["slices"]] == ["strong", "weak"]
    assert told["slices"][1]["served"]["enough"] is False
    assert told["maker"]["revision"] == REVISION
    assert len(served["best_of_k"]["points"]) == 4


def test_a_shortened_run_is_as_long_as_it_was(tmp_path: Path) -> None:
    """Else *shorter is better* could not tell one that was elided from one that just fitted."""
    labels, scores = write_pool(tmp_path)
    rows = [json.loads(line) for line in labels.read_text().splitlines()]
    lines = [
        score_line(f"{tmp_path}/{row['file']}", 0.1 * at,
                   tokens={"prompt": 8_000, "elided": 0 if row["resolved"] else 20_000})
        for at, row in enumerate(rows)
    ]  # fmt: skip
    scores.write_text("\n".join(lines) + "\n")
    run("evaluate", labels, "--scores", scores, "--out", tmp_path / "report", "--draws", 50)
    told = json.loads((tmp_path / "report" / "report.json").read_text())
    (shorter,) = (s for s in told["scorers"] if s["name"] == "shorter is better")
    assert shorter["auc"]["value"] == 1.0


def test_figures_are_there_and_alike_each_time(report: Path, tmp_path: Path) -> None:
    for name in ("reliability", "best_of_k"):
        assert (report / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert b"<svg" in (report / f"{name}.svg").read_bytes()
    pool = report.parent
    run("evaluate", pool, "--scores", pool / "scores.jsonl", "--out", tmp_path, "--draws", 50)
    for name in ("report.json", "reliability.svg", "best_of_k.svg"):
        assert (tmp_path / name).read_text() == (report / name).read_text()


def test_the_page_stands_alone(report: Path, tmp_path: Path) -> None:
    told = json.loads((report / "report.json").read_text())
    told["slices"][0]["value"] = "<script>alert(1)</script>"
    (tmp_path / "report.json").write_text(json.dumps(told))
    run("report", tmp_path, "--out", tmp_path / "quality.html")
    page = (tmp_path / "quality.html").read_text()
    assert page.count("<svg") == 2
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "src=" not in page
    assert "<link" not in page
    assert "0.500" in page


@pytest.mark.parametrize("content", ["", "[]", '{"object": "quality.report"}', "{broken"])
def test_what_is_no_report_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "report.json").write_text(content)
    result = run("report", tmp_path, "--out", tmp_path / "quality.html", code=2)
    assert "report" in result.stderr
    assert not (tmp_path / "quality.html").exists()


def test_a_folder_is_scored_then_measured_then_not_scored_again(tmp_path: Path) -> None:
    labels, scores = write_pool(tmp_path, 40, files=True)
    scores.unlink()
    told = json.loads(
        run(
            "evaluate", *FAKE, tmp_path, "--scores", scores, "--json", "--draws", "20"
        ).stdout.splitlines()[-1]
    )  # fmt: skip
    assert told["n"] == 40
    assert told["scorers"][-1]["name"] == "logistic regression on counts"
    lines = scores.read_text()
    assert len(lines.splitlines()) == 40
    # An unknown model would stop an engine of its own: none is started.
    again = run(
        "evaluate", labels, "--scores", scores, "--json", "--draws", "20", "--model", "no-model"
    )
    assert json.loads(again.stdout) == told
    assert scores.read_text() == lines


def test_runs_that_could_not_be_scored_are_counted(tmp_path: Path) -> None:
    labels, scores = write_pool(tmp_path)
    text = scores.read_text().splitlines()
    lost = json.loads(text[5])
    text[5] = json.dumps({"file": lost["file"], "status": "failed", "error": {"code": "too_long"}})
    scores.write_text("\n".join(text))
    told = json.loads(run("evaluate", labels, "--scores", scores, "--json", "--draws", 20).stdout)
    assert told["failed"] == {"too_long": 1}
    assert (told["n"], told["labelled"]) == (79, 80)


def test_too_few_labels_are_no_number(tmp_path: Path) -> None:
    labels, scores = write_pool(tmp_path, 20)
    result = run("evaluate", labels, "--scores", scores, code=2)
    assert "at least 30" in result.stderr
    assert "AUC" not in result.stdout


LABEL = {"file": "runs/r0.json", "resolved": 1}
BAD_LABELS = {
    "no JSON": "{",
    "no JSON object": "[1]",
    "names no run": json.dumps({"resolved": 1}),
    "file must be text": json.dumps(LABEL | {"file": 5}),
    "file must be text ": json.dumps(LABEL | {"file": ""}),
    "resolved is missing": json.dumps({"file": "a"}),
    "resolved is null": json.dumps(LABEL | {"resolved": None}),
    "resolved is 2": json.dumps(LABEL | {"resolved": 2}),
    "resolved is 1.0": json.dumps(LABEL | {"resolved": 1.0}),
    'resolved is "yes"': json.dumps(LABEL | {"resolved": "yes"}),
    "instance_id must be text": json.dumps(LABEL | {"instance_id": 3}),
}


@pytest.mark.parametrize(("problem", "line"), BAD_LABELS.items())
def test_a_bad_label_is_named_with_its_line(tmp_path: Path, problem: str, line: str) -> None:
    labels, scores = write_pool(tmp_path)
    with labels.open("a") as file:
        file.write("\n" + line + "\n")
    for command in ("evaluate", "calibrate"):
        how = (
            (labels, "--scores", scores)
            if command == "evaluate"
            else (scores, "--labels", labels, "--out", tmp_path / "c.json")
        )
        result = run(command, *how, code=2)
        assert f"line 82: {problem.strip()}" in result.stderr
    assert not (tmp_path / "c.json").exists()


def test_labels_twice_unknown_or_none_are_named(tmp_path: Path) -> None:
    labels, scores = write_pool(tmp_path)
    good = labels.read_text()
    labels.write_text(good + good.splitlines()[2] + "\n")
    out = ("--out", tmp_path / "c.json")
    said = run("calibrate", scores, "--labels", labels, *out, code=2).stderr
    assert "line 81: runs/r2.json stands in line 3 already" in said
    labels.write_text(good + json.dumps({"score_id": "sc-gone", "resolved": 1}) + "\n")
    said = run("calibrate", scores, "--labels", labels, *out, code=2).stderr
    assert "line 81" in said
    assert "sc-gone" in said
    labels.write_text("\n\n")
    assert "holds no labels" in run("calibrate", scores, "--labels", labels, *out, code=2).stderr
    labels.write_bytes(b"\xff\xfe\x00")
    assert "labels.jsonl" in run("calibrate", scores, "--labels", labels, *out, code=2).stderr
    gone = run("calibrate", scores, "--labels", tmp_path / "gone", *out, code=2).stderr
    assert "gone: FileNotFoundError" in gone
    labels.write_text("{\n" * 8)
    with pytest.raises(StartError, match="and 3 more"):
        read_labels(labels)
    assert not (tmp_path / "c.json").exists()


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"probability": "high"}, "line 81: probability must be a number"),
        ({"probability": 1.5}, "line 81: probability is 1.5"),
        ({"probability": True}, "line 81: probability"),
        ({"logit": float("nan")}, "line 81: logit is nan"),
        ({"revision": "sha256:other"}, "more than one model"),
    ],
)
def test_scores_that_are_none_are_named(tmp_path: Path, over: dict[str, Any], said: str) -> None:
    labels, scores = write_pool(tmp_path)
    with scores.open("a") as file:
        file.write(score_line("one.json", 0.5, **over) + "\n")
    out = ("--out", tmp_path / "c.json")
    assert said in run("calibrate", scores, "--labels", labels, *out, code=2).stderr
    assert said in run("evaluate", labels, "--scores", scores, code=2).stderr


@pytest.mark.parametrize("content", ["", "hello\n", "{}\n"])
def test_a_file_without_scores_is_named(tmp_path: Path, content: str) -> None:
    labels, scores = write_pool(tmp_path)
    scores.write_text(content)
    said = run("calibrate", scores, "--labels", labels, "--out", tmp_path / "c.json", code=2).stderr
    assert "holds no scores" in said


def model_copy(tmp_path: Path) -> Path:
    return uncalibrated(tmp_path / "store")


def test_a_calibration_goes_into_a_model_and_is_served(tmp_path: Path) -> None:
    labels, scores = write_pool(tmp_path / "pool", 160)
    model, out = model_copy(tmp_path), tmp_path / "c.json"
    how = ("calibrate", scores, "--labels", labels, "--method", "platt", "--id", "mine")
    result = run(*how, "--out", out, "--into", model, "--activate")
    assert "held-out" in result.stderr
    document = json.loads(out.read_text())
    assert json.loads((model / "calibrations" / "mine.json").read_text()) == document
    assert document["created"]
    assert document["revision"] == REVISION
    opened = store.open_model(tmp_path / "store", "swe-rm-nano")
    assert opened.active_calibration == "mine"
    assert opened.revision == REVISION
    assert set(read_calibrators(opened.calibrations)) >= {"identity", "mine"}
    served = ("--engine", "fake", "--model-store", str(tmp_path / "store"))
    (tmp_path / "a.json").write_text(json.dumps({"messages": chat()}))
    told = json.loads(run("score", *served, "--json", tmp_path / "a.json").stdout)
    assert told["calibration"] == "mine"
    assert told["interval"]["low"] <= told["probability"] <= told["interval"]["high"]


def test_into_a_model_refuses_and_changes_nothing(tmp_path: Path) -> None:
    labels, scores = write_pool(tmp_path / "pool")
    model = model_copy(tmp_path)
    before = (model / "manifest.json").read_bytes()
    how = ("--labels", labels, "--method", "platt", "--into", model)
    scores.write_text(scores.read_text().replace(REVISION, "sha256:other"))
    assert "one revision alone" in run("calibrate", scores, *how, code=2).stderr
    _, scores = write_pool(tmp_path / "pool")
    for name in ("identity", "../up", "a b", ""):
        assert "no id" in run("calibrate", scores, *how, "--id", name, code=2).stderr
    assert (model / "manifest.json").read_bytes() == before
    assert not (model / "calibrations").exists()
    run("calibrate", scores, *how, "--id", "one")
    taken = run("calibrate", scores, *how[:-3], "beta", *how[-2:], "--id", "one", code=2)
    assert "choose another id" in taken.stderr
    assert len(list((model / "calibrations").iterdir())) == 1
    assert "--activate goes with" in run(
        "calibrate", scores, "--labels", labels, "--out", tmp_path / "c", "--activate", code=2
    ).stderr  # fmt: skip
    assert "name --out" in run("calibrate", scores, "--labels", labels, code=2).stderr


def test_a_falling_fit_is_refused(tmp_path: Path) -> None:
    labels, scores = write_pool(tmp_path)
    rows = [json.loads(line) for line in labels.read_text().splitlines()]
    labels.write_text(
        "".join(json.dumps(row | {"resolved": 1 - row["resolved"]}) + "\n" for row in rows)
    )
    out = tmp_path / "c.json"
    said = run("calibrate", scores, "--labels", labels, "--out", out, code=2).stderr
    assert "do not rise" in said
    assert not out.exists()


def test_a_full_disk_is_named_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels, scores = write_pool(tmp_path / "pool")
    out = tmp_path / "out" / "c.json"

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    said = run(
        "calibrate", scores, "--labels", labels, "--method", "platt", "--out", out, code=2
    ).stderr  # fmt: skip
    assert "No space left on device" in said
    assert "c.json" in said
    assert list(out.parent.iterdir()) == []


def test_steps_are_calibrated_by_the_outcome_of_their_run(tmp_path: Path) -> None:
    labels, scores = write_pool(tmp_path / "pool")
    out = tmp_path / "c.json"
    how = ("--labels", labels, "--for", "steps", "--method", "platt", "--out", out)
    assert "no steps" in run("calibrate", scores, *how, code=2).stderr
    rows = [json.loads(line) for line in scores.read_text().splitlines()]
    for row in rows:
        row["steps"] = [{"turn": t, "logit": row["logit"] / (3 - t)} for t in range(3)]
    scores.write_text("".join(json.dumps(row) + "\n" for row in rows))
    model = model_copy(tmp_path)
    run("calibrate", scores, *how, "--into", model, "--activate")
    document = json.loads(out.read_text())
    assert document["for"] == "steps"
    assert document["fitted_on"]["n"] == 240
    opened = store.open_model(tmp_path / "store", "swe-rm-nano", verify=False)
    assert opened.active_step_calibration == document["id"]
    assert opened.active_calibration == "identity"


def test_the_real_labels_with_made_up_scores(tmp_path: Path) -> None:
    if not (POOL / "labels.jsonl").exists():
        pytest.skip(f"the labelled pool is not at {POOL}")
    rng = np.random.default_rng(0)
    rows = read_labels(POOL).rows
    scores = tmp_path / "scores.jsonl"
    lines = [
        score_line(x.name, 1.5 * x.resolved - 0.4 + float(rng.normal()), tokens={"prompt": 1000})
        for x in rows
    ]
    scores.write_text("\n".join(lines))
    out = tmp_path / "c.json"
    run("calibrate", scores, "--labels", POOL, "--out", out, "--by-policy")
    document = json.loads(out.read_text())
    assert document["fitted_on"]["n"] == len(rows)
    assert document["fitted_on"]["clusters"] == len({x.instance_id for x in rows})
    assert document["held_out"]["after"]["ece"]["value"] < 0.2
    assert len(read_calibrators([document])) == 2
