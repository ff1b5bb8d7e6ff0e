"""Half-open intervals of integers."""

__all__ = ["clip", "free", "length", "merge", "overlap", "parse"]


def parse(text):
    """`"3-7"` as (3, 7), `"5"` as (5, 6). Raises ValueError on anything else."""
    first, dash, last = text.strip().partition("-")
    if not dash:
        return int(first), int(first) + 1
    start, end = int(first), int(last)
    if end <= start:
        raise ValueError(f"empty interval: {text}")
    return start, end


def length(span):
    """How many integers an interval holds; 0 for one turned round."""
    start, end = span
    return max(0, end - start)


def overlap(one, two):
    """Whether two intervals share an integer. Intervals that only touch do not."""
    return one[0] < two[1] and two[0] < one[1]


def clip(span, low, high):
    """The part of an interval inside low..high, or None where nothing is left."""
    start = max(span[0], low)
    end = min(span[1], high)
    if start >= end:
        return None
    return start, end


def merge(spans):
    """Sorted, disjoint intervals; those that touch or overlap become one."""
    merged = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def free(spans, low, high, at_least=1):
    """Gaps of at least `at_least` integers inside low..high."""
    gaps = []
    cursor = low
    for start, end in merge(spans):
        if end <= low or start >= high:
            continue
        if start - cursor >= at_least:
            gaps.append((cursor, start))
        cursor = max(cursor, end)
    if high - cursor >= at_least:
        gaps.append((cursor, high))
    return gaps
