"""`swe-rm calibrate`: labelled scores → a calibration document, and into a model's folder."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from app import calibration, quality, store
from app.cli.keep import keep
from app.cli.labels import Label, read_labels, slice_value
from app.cli.scored import Scores, join, read_scores, steps_of
from app.errors import StartError

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True, slots=True)
class Fit:
    """What is asked. `by` gives values of a label's field curves of their own; only the policy is
    known to the server."""

    scores: Path
    labels: Path
    method: str = "auto"
    by: Literal["policy"] | None = None
    judges: calibration.Judged = "trajectories"
    id: str | None = None
    created: str | None = None


@dataclass(frozen=True, slots=True)
class Fitted:
    """The document, and how many labelled runs had no score."""

    document: dict[str, Any]
    failed: Mapping[str, int]


def fit(asked: Fit) -> Fitted:
    """Raises `StartError` for bad files, and what app.quality.fit raises."""
    if asked.id is not None and (not _ID.fullmatch(asked.id) or asked.id == "identity"):
        message = f"{asked.id!r} is no id for a calibration: letters, digits, dots, dashes"
        raise StartError(message)
    labels, scores = read_labels(asked.labels), read_scores(asked.scores)
    joined = join(labels, scores)
    if joined.missing:
        found = [f"line {x.line}: {asked.scores} has nothing of {x.name}" for x in joined.missing]
        raise labels.wrong(found)
    rows = _margins(asked, joined.rows)
    if not rows:
        message = f"{asked.scores} holds no steps; score with steps to calibrate them"
        raise StartError(message)
    document = quality.fit(
        [logit for _, logit, _ in rows],
        [label.resolved for label, _, _ in rows],
        asked.method,
        weight=[weight for _, _, weight in rows],
        cluster=[label.instance_id for label, _, _ in rows],
        slices={asked.by: [slice_value(x, asked.by) for x, _, _ in rows]} if asked.by else None,
        facts=_facts(asked, scores),
    )
    calibration.read_calibrator(document)  # whatever was fitted, the server must be able to read it
    return Fitted(document, joined.failed)


def into_model(folder: Path, document: Mapping[str, Any], *, activate: bool) -> Path:
    """Lists the document in the folder's manifest. Raises `StartError`; then nothing has changed.

    The document comes first and the manifest, which alone makes it known, last.
    """
    folder = folder.absolute()
    manifest = store.read_manifest(folder)
    model = store.open_model(folder.parent, folder.name, verify=False)
    if document.get("revision") != model.revision:
        message = (
            f"the scores were made by {document.get('model')} {document.get('revision')}; {folder} "
            f"is {model.name} {model.revision}. A calibration fits one revision alone."
        )
        raise StartError(message)
    name = f"calibrations/{document['id']}.json"
    known = calibration.read_calibrators(model.calibrations)
    if document["id"] in known and name not in manifest.calibrations.files:
        message = (
            f"{folder} has a calibration {document['id']!r} in another file: choose another id"
        )
        raise StartError(message)
    path = folder / name
    if name in manifest.calibrations.files and json.loads(path.read_text()) != document:
        message = f"{path} is there already and holds something else: choose another id"
        raise StartError(message)
    keep(path, _text(document))
    keep(folder / "manifest.json", _listed(folder, name, document, activate=activate))
    return path


def write(path: Path, document: Mapping[str, Any]) -> None:
    """Raises `StartError`; then nothing is there that was not there before."""
    keep(path, _text(document))


def _margins(
    asked: Fit, rows: list[tuple[Label, Mapping[str, Any]]]
) -> list[tuple[Label, float, float]]:
    """(label, margin, weight). The steps of one run share the weight of one."""
    if asked.judges == "trajectories":
        return [(label, row["logit"], 1.0) for label, row in rows]
    steps = [(label, steps_of(row)) for label, row in rows]
    return [(label, each, 1 / len(found)) for label, found in steps for each in found]


def _facts(asked: Fit, scores: Scores) -> dict[str, Any]:
    facts = {"model": scores.maker["model"], "revision": scores.maker["revision"]}
    facts |= {"template": scores.maker["template"], "for": asked.judges}
    given = {"id": asked.id, "created": asked.created}
    return facts | {key: value for key, value in given.items() if value is not None}


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def _listed(folder: Path, name: str, document: Mapping[str, Any], *, activate: bool) -> str:
    """manifest.json with the document among its calibrations; every other key as it stands."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    told = manifest.setdefault("calibrations", {})
    files = told.setdefault("files", [])
    if name not in files:
        files.append(name)
    if activate:
        told["active_steps" if document["for"] == "steps" else "active"] = document["id"]
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    store.Manifest.model_validate_json(text)
    return text


def told(fitted: Fitted) -> list[str]:
    """What a person wants to know of a fit, a line each."""
    document = fitted.document
    counts = document["fitted_on"]
    lines = [
        f"{document['id']}: {document['method']}, fitted on {counts['n']} rows of "
        f"{counts['clusters']} instances, {counts['positives']} resolved"
    ]
    if held := document["held_out"]:
        for name, text in (("ece", "ECE"), ("brier", "Brier"), ("log_loss", "log loss")):
            before, after = held["before"][name]["value"], held["after"][name]["value"]
            lines.append(f"{text} on {held['n']} held-out rows: {before:.3f} → {after:.3f}")
    if fitted.failed:
        lines.append(f"{sum(fitted.failed.values())} labelled runs have no score; left out")
    return lines
