"""Sets of numbers made of half-open intervals [start, end)."""

from bisect import bisect_right

__all__ = ["SpanSet", "normalize"]


def normalize(spans):
    """Sort spans, join those that overlap or touch, and drop empty ones.

    Returns a list of (start, end) tuples. Raises ValueError when a span ends before it starts.
    """
    merged = []
    for start, end in sorted(spans):
        if end < start:
            raise ValueError(f"span ends before it starts: ({start}, {end})")
        if start == end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


class SpanSet:
    """An immutable set of half-open intervals, always kept in normal form."""

    def __init__(self, spans=()):
        self._spans = normalize(spans)

    def __repr__(self):
        return f"SpanSet({self._spans!r})"

    def __iter__(self):
        return iter(self._spans)

    def __len__(self):
        """The number of separate spans."""
        return len(self._spans)

    def __eq__(self, other):
        if not isinstance(other, SpanSet):
            return NotImplemented
        return self._spans == other._spans

    def __hash__(self):
        return hash(tuple(self._spans))

    def __contains__(self, point):
        """Tell whether a point lies in a span; starts belong to it, ends do not."""
        index = bisect_right(self._spans, point, key=lambda span: span[0]) - 1
        return index >= 0 and point < self._spans[index][1]

    def __or__(self, other):
        """Union."""
        return SpanSet([*self, *other])

    def __and__(self, other):
        """Intersection."""
        found = []
        for a_start, a_end in self:
            for b_start, b_end in other:
                start, end = max(a_start, b_start), min(a_end, b_end)
                if start < end:
                    found.append((start, end))
        return SpanSet(found)

    def __sub__(self, other):
        """What lies in this set but not in the other."""
        left = list(self)
        for cut_start, cut_end in other:
            pieces = []
            for start, end in left:
                if cut_end <= start or end <= cut_start:
                    pieces.append((start, end))
                    continue
                if start < cut_start:
                    pieces.append((start, cut_start))
                if cut_end < end:
                    pieces.append((cut_end, end))
            left = pieces
        return SpanSet(left)

    def __xor__(self, other):
        """What lies in exactly one of the two sets."""
        return (self - other) | (other - self)

    def measure(self):
        """The total length of all spans."""
        return sum(end - start for start, end in self._spans)

    def bounds(self):
        """Return (first start, last end), or None when the set is empty."""
        if not self._spans:
            return None
        return self._spans[0][0], self._spans[-1][1]

    def gaps(self, low=None, high=None):
        """Return the set of what is not covered between `low` and `high`.

        Each defaults to the bound of the set, so that only the inner gaps are given.
        """
        if not self._spans and (low is None or high is None):
            return SpanSet()
        low = self._spans[0][0] if low is None else low
        high = self._spans[-1][1] if high is None else high
        if high <= low:
            return SpanSet()
        return SpanSet([(low, high)]) - self

    def covers(self, start, end):
        """Tell whether all of [start, end) is in the set; an empty range always is."""
        if start >= end:
            return True
        return SpanSet([(start, end)]) - self == SpanSet()

    def shift(self, offset):
        """Return the set moved by `offset`."""
        return SpanSet((start + offset, end + offset) for start, end in self)

    def grow(self, margin):
        """Widen every span by `margin` on both sides; a negative one shrinks, dropping spans."""
        grown = ((start - margin, end + margin) for start, end in self)
        return SpanSet((start, end) for start, end in grown if start < end)
