"""Which examples an epoch reads, and in which order.

`balanced` holds the ratio of positives to negatives (SWE-RM trains at 2:1) and the shares of sources
and policies; `in_bins` is the length curriculum; `batches` packs neighbours in length together.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from training.data.encode import Example
from training.data.rows import Row

_POOL_BATCHES = 40
Drawn = TypeVar("Drawn", Example, Row)


def balanced(
    examples: Sequence[Drawn],
    ratio: float | None,
    source_shares: Mapping[str, float],
    policy_shares: Mapping[str, float],
    seed: int,
) -> list[Drawn]:
    """A draw of the examples in which sources and policies have their shares and labels the ratio.

    The larger label is thinned, never the smaller repeated; shares thin too (a share of 2 beside 1
    keeps all of the first and half of the second). Seeded: another epoch thins otherwise.
    """
    draw = random.Random(seed)
    top = max(
        (source_shares.get(e.source, 1.0) * policy_shares.get(e.policy, 1.0) for e in examples),
        default=1.0,
    )
    kept = [
        e
        for e in examples
        if draw.random() * top < source_shares.get(e.source, 1.0) * policy_shares.get(e.policy, 1.0)
    ]
    if ratio is not None:
        kept = _held_to(kept, ratio, draw)
    draw.shuffle(kept)
    return kept


def _held_to(examples: list[Drawn], ratio: float, draw: random.Random) -> list[Drawn]:
    yes = [e for e in examples if e.resolved]
    no = [e for e in examples if not e.resolved]
    if len(yes) > ratio * len(no):
        yes = draw.sample(yes, int(ratio * len(no)))
    else:
        no = draw.sample(no, min(len(no), int(len(yes) / ratio)))
    return yes + no


def in_bins(examples: Sequence[Example], bins_tokens: Sequence[int]) -> list[list[Example]]:
    """The curriculum: examples up to the first bound, then up to the second, …; the rest last."""
    bounds = sorted(bins_tokens)
    bins: list[list[Example]] = [[] for _ in range(len(bounds) + 1)]
    for example in examples:
        at = next((n for n, bound in enumerate(bounds) if example.tokens <= bound), len(bounds))
        bins[at].append(example)
    return [each for each in bins if each]


def batches(examples: Sequence[Example], batch_tokens: int, seed: int) -> Iterator[list[Example]]:
    """Batches of at most `batch_tokens` (padding counted), neighbours in length together.

    Sorted within pools of some batches only, so that the order of training stays nearly random; an
    example larger than a batch is a batch by itself.
    """
    draw = random.Random(seed)
    mean = sum(e.tokens for e in examples) / max(1, len(examples))
    pool_size = max(1, int(_POOL_BATCHES * batch_tokens / max(1.0, mean)))
    for at in range(0, len(examples), pool_size):
        pool = sorted(examples[at : at + pool_size], key=lambda e: e.tokens)
        packed = list(_packed(pool, batch_tokens))
        draw.shuffle(packed)
        yield from packed


def _packed(pool: Sequence[Example], batch_tokens: int) -> Iterator[list[Example]]:
    batch: list[Example] = []
    for example in pool:
        if batch and example.tokens * (len(batch) + 1) > batch_tokens:
            yield batch
            batch = []
        batch.append(example)
    if batch:
        yield batch


def card(examples: Sequence[Example], dropped: int) -> dict[str, object]:
    """The dataset card: counts by source, policy, label and length."""
    lengths = sorted(e.tokens for e in examples)
    policies = Counter((e.policy, e.resolved) for e in examples)
    return {
        "examples": len(examples),
        "dropped": dropped,
        "resolved": sum(e.resolved for e in examples),
        "instances": len({e.instance_id for e in examples}),
        "sources": dict(Counter(e.source for e in examples)),
        "policies": {
            policy: {"resolved": policies[policy, True], "unresolved": policies[policy, False]}
            for policy in sorted({e.policy for e in examples})
        },
        "tokens": {
            "total": sum(lengths),
            **{f"p{q}": lengths[(len(lengths) - 1) * q // 100] for q in (5, 50, 95, 100)},
        },
        "elided_tokens": sum(e.elided_tokens for e in examples),
        "masked_tokens": sum(b - a for e in examples for a, b in e.masked),
    }
