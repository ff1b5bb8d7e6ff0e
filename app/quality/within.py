"""Order inside one policy: can the verifier tell good runs from bad ones of the same agent?

Pooled AUC also rewards telling a strong agent from a weak one, which neither reranking nor a reward
can use; these measures count only pairs of rows of one policy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from app.errors import InvalidRequest, NotEnoughLabels
from app.quality import measures
from app.quality.sample import MIN_ROWS, Estimate, Floats, Ints, Sample, codes, estimate, sample


@dataclass(frozen=True, slots=True)
class PolicyAuc:
    """`auc` is None where the policy has under 30 rows or one class alone."""

    policy: str
    n: int
    positives: int
    pairs: int
    auc: Estimate | None


@dataclass(frozen=True, slots=True)
class Within:
    """`auc`: correctly ordered resolved/unresolved pairs inside a policy / all such pairs."""

    n: int
    pairs: int
    auc: Estimate
    policies: tuple[PolicyAuc, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """`difference` = a - b, resampled together; above zero with its interval: a orders better."""

    a: Estimate
    b: Estimate
    difference: Estimate


def auc_within(
    score: ArrayLike,
    resolved: ArrayLike,
    policy: ArrayLike,
    *,
    cluster: ArrayLike | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> Within:
    """Share of resolved/unresolved pairs of one policy that `score` orders rightly, ties one half.

    `score` may be any number that grows with confidence. Intervals resample clusters (instances).
    Raises `NotEnoughLabels`, also when no policy has both kinds; `InvalidRequest` for bad values.
    """
    rows = sample(score, resolved, cluster=cluster)
    names, place = _policies(rows, policy)
    counter = _PairsWithin(rows, place, len(names))
    good, total = counter.count(rows.weight[None, :])
    if not total.sum():
        message = "no policy has both a resolved and an unresolved row"
        raise NotEnoughLabels(message)
    drawn = [counter.count(weights) for weights in rows.weights(draws, seed)]
    draw_good, draw_total = (np.concatenate(parts, axis=1) for parts in zip(*drawn, strict=True))
    table = []
    for at, name in enumerate(names):
        mine = rows.resolved[place == at]
        pairs = int(total[at, 0])
        auc = None
        if pairs and len(mine) >= MIN_ROWS:
            auc = _share(good[at], total[at], draw_good[at], draw_total[at])
        table.append(PolicyAuc(name, len(mine), int(mine.sum()), pairs, auc))
    pooled = _share(good.sum(0), total.sum(0), draw_good.sum(0), draw_total.sum(0))
    return Within(rows.n, int(total.sum()), pooled, tuple(table))


def auc_within_difference(
    a: ArrayLike,
    b: ArrayLike,
    resolved: ArrayLike,
    policy: ArrayLike | None = None,
    *,
    cluster: ArrayLike | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> Difference:
    """Two scorers of the same rows, compared on the same resamples (paired).

    Without `policy` all pairs count: the difference of pooled AUCs. Raises as `auc_within`.
    """
    both = [sample(score, resolved, cluster=cluster) for score in (a, b)]
    rows = both[0]
    names, place = _policies(rows, np.zeros(rows.n) if policy is None else policy)
    counters = [_PairsWithin(each, place, len(names)) for each in both]
    values = [_pooled(counter, rows.weight[None, :])[0] for counter in counters]
    if not np.isfinite(values).all():
        message = "no policy has both a resolved and an unresolved row"
        raise NotEnoughLabels(message)
    drawn = np.concatenate(
        [[_pooled(counter, w) for counter in counters] for w in rows.weights(draws, seed)], axis=1
    )
    first, second = (estimate(float(v), d) for v, d in zip(values, drawn, strict=True))
    return Difference(first, second, estimate(float(values[0] - values[1]), drawn[0] - drawn[1]))


class _PairsWithin:
    def __init__(self, rows: Sample, place: Ints, policies: int) -> None:
        self._parts = [np.flatnonzero(place == at) for at in range(policies)]
        self._pairs = [measures.Pairs(rows.score[p], rows.resolved[p]) for p in self._parts]

    def count(self, weights: Floats) -> tuple[Floats, Floats]:
        """(concordant, all), each [policies, draws]."""
        parts = zip(self._pairs, self._parts, strict=True)
        found = [pairs.count(weights[:, part]) for pairs, part in parts]
        return np.stack([good for good, _ in found]), np.stack([total for _, total in found])


def _pooled(counter: _PairsWithin, weights: Floats) -> Floats:
    good, total = counter.count(weights)
    return measures.ratio(good.sum(0), total.sum(0))


def _policies(rows: Sample, policy: ArrayLike) -> tuple[list[str], Ints]:
    names = np.unique(np.asarray(policy))
    place, _ = codes(policy)
    if len(place) != rows.n:
        message = f"{rows.n} rows, but {len(place)} policies"
        raise InvalidRequest(message)
    return [str(name) for name in names], place


def _share(good: Floats, total: Floats, draw_good: Floats, draw_total: Floats) -> Estimate:
    return estimate(float((good / total)[0]), measures.ratio(draw_good, draw_total))
