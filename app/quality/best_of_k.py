"""What picking the best of k is worth: RM@k (SWE-RM), TTS@k (SWE-Lego), Best@k (SWE-Gym).

Not one draw of k candidates but the exact mean over all k-subsets of each instance's candidates, so a
curve does not depend on luck. Candidates whose scores tie are picked with equal chances.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from app.quality import measures
from app.quality.sample import Estimate, Floats, estimate, sample

MIN_INSTANCES = 10  # a point of fewer is told, but neither drawn nor printed


@dataclass(frozen=True, slots=True)
class Point:
    """Expected share of instances resolved by one pick among k candidates.

    `picked` by the verifier, `oracle` by who knows the labels (unbiased pass@k, Chen et al. 2021),
    `random` by chance; `share` = (picked - random) / (oracle - random), None where no pick matters.
    Only the `instances` with at least k candidates count.
    """

    k: int
    instances: int
    picked: Estimate
    oracle: Estimate
    random: Estimate
    share: Estimate | None


@dataclass(frozen=True, slots=True)
class Curve:
    n: int
    instances: int
    points: tuple[Point, ...]


def best_of_k(
    probability: ArrayLike,
    resolved: ArrayLike,
    instance: ArrayLike,
    logit: ArrayLike | None = None,
    *,
    draws: int = 1000,
    seed: int = 0,
) -> Curve:
    """A point for every k from 1 to the largest group. Order is the server's: probability, then
    `logit`. Intervals resample instances. Raises `NotEnoughLabels`, `InvalidRequest`."""
    rows = sample(probability, resolved, cluster=instance)
    second = np.zeros(rows.n) if logit is None else sample(logit, resolved).score
    groups = [np.flatnonzero(rows.unit == at) for at in range(rows.units)]
    largest = max(map(len, groups))
    picked, oracle, chance = (np.full((rows.units, largest), np.nan) for _ in range(3))
    for at, mine in enumerate(groups):
        n, labels = len(mine), rows.resolved[mine]
        order = np.lexsort((-second[mine], -rows.score[mine]))
        keys = np.stack([rows.score[mine], second[mine]], axis=1)[order]
        picked[at, :n] = expected_best(keys, labels[order])
        oracle[at, :n] = 1 - _subset_shares(n)[n - int(labels.sum())]
        chance[at, :n] = labels.mean()
    drawn = _resample(rows.units, draws, seed)
    points = [
        _point(k, picked[:, k - 1], oracle[:, k - 1], chance[:, k - 1], drawn)
        for k in range(1, largest + 1)
    ]
    return Curve(rows.n, rows.units, tuple(points))


def expected_best(keys: Floats, resolved: Floats) -> Floats:
    """Success of the pick for k = 1 … n, over all k-subsets; `keys` [n, parts] stand best first.

    A block of t tied candidates with a better ones holds the pick with probability
    (C(n-a, k) - C(n-a-t, k)) / C(n, k); the pick is then any of the t alike.
    """
    n = len(keys)
    shares = _subset_shares(n)
    starts = np.flatnonzero(np.r_[True, (keys[1:] != keys[:-1]).any(axis=1)])
    rates = np.add.reduceat(resolved, starts) / np.diff(np.r_[starts, n])
    ends = np.r_[starts[1:], n]
    return np.asarray(rates @ (shares[n - starts] - shares[n - ends]))


@lru_cache(maxsize=64)
def _subset_shares(n: int) -> Floats:
    """C(m, k) / C(n, k) for m = 0 … n (rows) and k = 1 … n: subsets that avoid n - m candidates."""
    left = np.arange(n + 1)[:, None] - np.arange(n)[None, :]
    return np.asarray(np.cumprod(np.maximum(left, 0) / (n - np.arange(n)), axis=1))


def _resample(units: int, draws: int, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    picked = rng.integers(0, units, size=(draws, units)) + np.arange(draws)[:, None] * units
    return np.bincount(picked.ravel(), minlength=draws * units).reshape(draws, units).astype(float)


def _point(k: int, picked: Floats, oracle: Floats, chance: Floats, drawn: Floats) -> Point:
    mine = np.isfinite(picked)
    columns = [column[mine] for column in (picked, oracle, chance)]
    means = [column.mean() for column in columns]
    draws = [measures.mean(column, drawn[:, mine]) for column in columns]
    share = None
    if means[1] - means[2] > 1e-12:
        room = draws[1] - draws[2]
        gained = measures.ratio(draws[0] - draws[2], np.where(room > 1e-12, room, 0.0))
        share = estimate(float((means[0] - means[2]) / (means[1] - means[2])), gained)
    best, oracle_at, random_at = (
        estimate(float(value), drawn) for value, drawn in zip(means, draws, strict=True)
    )
    return Point(k, int(mine.sum()), best, oracle_at, random_at, share)
