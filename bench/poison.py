"""Lies come to the store: labels that contradict tests, and a key that floods. The fit must not move.

    python -m bench.poison [--runs 4000] [--flood 2000] [--method platt]

One key tells the truth of its runs, in as many minutes as its limit asks for. Then 5 % of those runs
are labelled again, the other way round, by a human; and another key scores runs of its own and
tells the opposite of the truth, `tests` as its evidence, all within a minute. The calibration fitted as
POST /calibrations fits it must stay, at every margin, within the 95 % bootstrap interval of the one
fitted on the truth alone. For comparison the same fit with nothing put into quarantine, which leaves it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.api.feedback import fitting
from app.calibration import read_calibrator, sigmoid
from app.outcomes import Evidence, Labelled, Report, ScoreFacts, Store, open_store
from app.quality.methods import apply, fit_curve

_LIMIT = 1000  # outcomes a minute that a key may tell
_CONTRADICTING = 0.05
_DRAWS = 200
_MARGINS = np.linspace(-4.0, 4.0, 81)
_CARD = """\
labels of the truth            {truth}
contradicting, by a human      {contradicting:6d}   {contradicting_status}
told by the flooding key       {flood:6d}   {flood_status}
labels of the fit              {fitted_on}
widest half of the interval    {half_width}
moved at most                  {moved}   {inside} of {margins} margins within the interval
without a quarantine           {moved_unguarded}   {inside_unguarded} of {margins}"""

Floats = NDArray[np.float64]


class Clock:
    now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


def truth(logit: float) -> float:
    return sigmoid(0.8 * logit - 0.5)


def facts(key_id: str, number: int, logit: float, now: float) -> ScoreFacts:
    name, p = f"{key_id}-{number}", sigmoid(logit)
    return ScoreFacts(
        name, f"t-{name}", f"p-{name}", "m", "sha256:m", "t@1", "fp", "identity",
        logit, p, p, 0.9, key_id, now,
    )  # fmt: skip


async def tell(
    store: Store,
    clock: Clock,
    key_id: str,
    labels: dict[int, bool],
    evidence: Evidence,
    at_once: int,
) -> Counter[str]:
    """`at_once` a minute."""
    statuses: Counter[str] = Counter()
    reports = [Report(said, evidence, f"{key_id}-{n}") for n, said in labels.items()]
    for start in range(0, len(reports), at_once):
        clock.now += 61
        answers = await store.record(reports[start : start + at_once], key_id)
        statuses.update(each.status for each in answers)
    return statuses


async def score(
    store: Store, clock: Clock, key_id: str, runs: int, chance: random.Random
) -> dict[int, bool]:
    """What became of the runs of a key, in truth."""
    found = {}
    for number in range(runs):
        logit = chance.gauss(0.0, 2.0)
        store.put(facts(key_id, number, logit, clock.now))
        found[number] = chance.random() < truth(logit)
    await store.recorder.flush()
    return found


def curve(rows: Sequence[Labelled], method: str) -> Floats:
    """As POST /calibrations fits it."""
    made = fitting.fit(
        rows, lambda row: row.probability, method=method, by_policy=False, holdout=0.3, facts={}
    )
    fitted = read_calibrator(made.document | {"id": "drill"}).curve
    return np.array([fitted(margin) for margin in _MARGINS])


def columns(rows: Sequence[Labelled]) -> tuple[Floats, Floats]:
    return np.array([r.logit for r in rows]), np.array([float(r.resolved) for r in rows])


def plain(method: str, logit: Floats, resolved: Floats) -> Floats:
    return apply(fit_curve(method, logit, resolved, np.ones(len(logit))), _MARGINS)


def interval(rows: Sequence[Labelled], method: str, seed: int) -> tuple[Floats, Floats]:
    """Of the curve at every margin: 95 % of the fits on resamples of the rows."""
    logit, resolved = columns(rows)
    draw = np.random.default_rng(seed)
    fits = []
    for _ in range(_DRAWS):
        mine = draw.integers(0, len(logit), len(logit))
        fits.append(plain(method, logit[mine], resolved[mine]))
    low, high = np.quantile(fits, [0.025, 0.975], axis=0)
    return low, high


async def drill(runs: int, flood: int, method: str, seed: int) -> dict[str, Any]:
    chance, clock = random.Random(seed), Clock()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/outcomes.db"
        async with open_store(url, outcomes_a_minute=_LIMIT, clock=clock) as store:
            honest = await score(store, clock, "honest", runs, chance)
            await tell(store, clock, "honest", honest, "tests", _LIMIT)
            clean = await store.labelled(0.0)
            some = chance.sample(sorted(honest), math.ceil(_CONTRADICTING * runs))
            against = {n: not honest[n] for n in some}
            said = await tell(store, clock, "honest", against, "human", _LIMIT)
            own = await score(store, clock, "flood", flood, chance)
            lies = {n: not resolved for n, resolved in own.items()}
            flooded = await tell(store, clock, "flood", lies, "tests", flood)
            poisoned = await store.labelled(0.0)
            every = [*clean, *await _lies(store, against, lies)]
    low, high = interval(clean, method, seed)
    first, second = curve(clean, method), curve(poisoned, method)
    logit, resolved = columns(every)
    unguarded = plain(method, logit, resolved)
    return {
        "truth": len(clean),
        "contradicting": len(against),
        "contradicting_status": dict(said),
        "flood": len(lies),
        "flood_status": dict(flooded),
        "fitted_on": len(poisoned),
        "method": method,
        "margins": len(_MARGINS),
        "half_width": round(float(np.max(high - low)) / 2, 4),
        "moved": round(float(np.max(np.abs(second - first))), 4),
        "inside": int(np.sum((low <= second) & (second <= high))),
        "moved_unguarded": round(float(np.max(np.abs(unguarded - first))), 4),
        "inside_unguarded": int(np.sum((low <= unguarded) & (unguarded <= high))),
        "seed": seed,
    }


async def _lies(store: Store, against: dict[int, bool], lies: dict[int, bool]) -> list[Labelled]:
    """What the fit would hold too, were nothing in quarantine."""
    told = {f"honest-{n}": said for n, said in against.items()}
    told |= {f"flood-{n}": said for n, said in lies.items()}
    found = await store.find([n for n in told if n.startswith("honest")], "honest")
    found |= await store.find([n for n in told if n.startswith("flood")], "flood")
    return [
        Labelled(
            f.trajectory_digest, None, f.model, f.revision, f.calibration, None, None,
            f.logit, f.probability, told[name], "tests", False,
        )
        for name, f in found.items()
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=4000)
    parser.add_argument("--flood", type=int, default=2000)
    parser.add_argument("--method", default="platt", help="not auto: its interval has no one form")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    found = asyncio.run(drill(options.runs, options.flood, options.method, options.seed))
    print(_CARD.format(**found))
    print(json.dumps(found))
    bites = found["inside_unguarded"] < found["margins"]
    sys.exit(0 if bites and found["inside"] == found["margins"] else 1)


if __name__ == "__main__":
    main()
