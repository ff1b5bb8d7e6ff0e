"""Reports of `swe-rm evaluate` and lines of the benches → the model's card, README.md in its folder.

    python -m training.card model_store/swe-rm-nano --run .train/nano \\
        --report "Held-out modules=.train/nano/test/report.json" --prose .train/nano/prose.json

Every figure of the card stands in one of these files; the sentences before them are the manifest's.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app import quality, store

_SCORERS = ("as served", "recalibrated")


def card(
    model: Path,
    run: Path,
    reports: Sequence[tuple[str, Path]],
    prose: Path | None,
) -> str:
    """Markdown. Raises `StartError` for a folder that is no model, `OSError` and `ValueError` for
    reports that cannot be read."""
    manifest = store.read_manifest(model)
    opened = store.open_model(model.absolute().parent, model.name, verify=False)
    parts = [
        f"# {model.name}",
        f"{manifest.description} Revision `{opened.revision}`. Licence {manifest.licence}.",
        *manifest.notes,
        "## How it was made",
        _went_on(manifest.source.base_model) + _made(run),
        "## What it can do",
        "Intervals are 95 % bootstrap percentiles over instances. *Recalibrated*: by cross-validation "
        "over instances, as a site does with its own outcomes.",
    ]
    for title, file in reports:
        parts += [f"### {title}", _measured(json.loads(file.read_text(encoding="utf-8")))]
    if prose:
        parts += ["### Swapped prose", _swapped(json.loads(prose.read_text(encoding="utf-8")))]
    parts += ["## Calibrations", _calibrations(model, manifest.calibrations.active)]
    parts += ["## Made again", _made_again(manifest.source.base_model)]
    return "\n\n".join(parts) + "\n"


def _made(run: Path) -> str:
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    steps = [line for line in lines if "look" not in line]
    seconds, peak = sum(s["seconds"] for s in steps), max(s["peak_mib"] for s in steps)
    names = list(dict.fromkeys(step["stage"] for step in steps))
    rows = [
        "| stage | steps | tokens | answer loss, last tenth | language loss, last tenth |",
        "|---|---|---|---|---|",
    ]
    for name in names:
        last = {
            step["step"]: step for step in steps if step["stage"] == name
        }  # a resumed run repeats some
        mine = [last[at] for at in sorted(last)]
        tail = mine[-max(1, len(mine) // 10) :]
        losses = [_mean(tail, loss) for loss in ("answer", "language")]
        rows.append(
            f"| {name} | {len(mine)} | {sum(s['tokens'] for s in mine):,} | {losses[0]} | {losses[1]} |"
        )
    head = (
        f"{seconds / 3600:.1f} h of steps on this machine, at most {peak / 1024:.1f} GiB of memory."
    )
    return head + "\n\n" + "\n".join(rows)


def _went_on(base_model: str | None) -> str:
    return f"It went on from the weights of `{base_model}`. " if base_model else ""


def _made_again(base_model: str | None) -> str:
    if base_model is None:
        return "`make train-nano`, with the repository alone (docs/training.md)."
    return (
        "With labelled runs, which are not in the repository, from the weights named above, whose own card "
        'says how they are made (docs/training.md, "Runs of your own").'
    )


def _mean(steps: Sequence[Mapping[str, Any]], loss: str) -> str:
    values = [(step[loss], step["rows"]) for step in steps if step[loss] is not None]
    rows = sum(n for _, n in values)
    return f"{sum(value * n for value, n in values) / rows:.3f}" if rows else "—"


def _measured(report: Mapping[str, Any]) -> str:
    shown = [s for s in report["scorers"] if s["name"].startswith(_SCORERS)]
    shown += [s for s in report["scorers"] if s not in shown]
    head = f"{report['n']} runs of {report['instances']} instances, {report['positives']} resolved"
    failed = sum(report.get("failed", {}).values())
    if failed:
        head += f"; {failed} had no score and are left out"
    if report.get("recalibration_problem"):
        head += f". Not recalibrated: {report['recalibration_problem']}"
    rows = ["| | " + " | ".join(s["name"] for s in shown) + " |", "|---" * (len(shown) + 1) + "|"]
    for name, read in [*quality.lines(report), *quality.best_of_k_lines(report)]:
        heading = name.replace("  ", "… ", 1)
        rows.append(f"| {heading} | " + " | ".join(_cell(read(s)) for s in shown) + " |")
    return head + ".\n\n" + "\n".join(rows)


def _cell(found: Mapping[str, Any] | float | None) -> str:
    if found is None:
        return "—"
    if isinstance(found, float):
        return f"{found:.3f}"
    return f"{found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})"


def _swapped(line: Mapping[str, Any]) -> str:
    low, high = line["interval"]
    return (
        f"{line['pairs']} pairs of the same actions, success claims exchanged for doubts: the "
        f"probability moves by {line['mean_change']:.3f} ({low:.3f} to {high:.3f}) in the mean, "
        f"by {line['towards_claim']:+.3f} towards the claim."
    )


def _calibrations(model: Path, active: str) -> str:
    rows = []
    for file in sorted((model / "calibrations").glob("*.json")):
        found = json.loads(file.read_text(encoding="utf-8"))
        star = ", active" if found["id"] == active else ""
        rows.append(f"- `{found['id']}` ({found['method']}{star})")
    return "\n".join(rows) or "None: what is served is the sigmoid of the margin."


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m training.card", description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--report", action="append", default=[], metavar="TITLE=FILE")
    parser.add_argument("--prose", type=Path)
    options = parser.parse_args()
    reports = [
        (title, Path(file)) for title, _, file in (each.rpartition("=") for each in options.report)
    ]
    text = card(options.model, options.run, reports, options.prose)
    (options.model / "README.md").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
