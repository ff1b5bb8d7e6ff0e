"""Grouping of streams into batches by count, weight, key, gap or window."""

from collections import deque

__all__ = ["by_count", "by_weight", "by_key", "by_gap", "windows", "pack", "Batcher"]


def by_count(items, size, overlap=0):
    """Yield lists of `size` items; the last one can be shorter.

    A batch starts with the last `overlap` items of the one before, but never has only those.
    """
    if size < 1:
        raise ValueError("size must be at least 1")
    if not 0 <= overlap < size:
        raise ValueError("overlap must be at least 0 and below size")
    batch, fresh = [], 0
    for item in items:
        batch.append(item)
        fresh += 1
        if len(batch) == size:
            yield batch
            batch, fresh = batch[size - overlap :], 0
    if fresh:
        yield batch


def by_weight(items, limit, weight=len, max_count=None):
    """Yield lists of consecutive items whose weights add up to `limit` at most.

    An item heavier than `limit` forms a batch of its own. `max_count` bounds the items too.
    """
    batch, total = [], 0
    for item in items:
        size = weight(item)
        full = total + size > limit or (max_count is not None and len(batch) >= max_count)
        if batch and full:
            yield batch
            batch, total = [], 0
        batch.append(item)
        total += size
    if batch:
        yield batch


def by_key(items, key, size=None):
    """Group items by a key wherever they stand; returns (key, list) pairs, first seen first.

    With a `size` a group is cut into lists of that size, which follow each other.
    """
    groups = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    if size is None:
        return list(groups.items())
    return [(name, part) for name, group in groups.items() for part in by_count(group, size)]


def by_gap(numbers, gap):
    """Cut rising numbers into lists wherever the next one is more than `gap` away.

    Raises ValueError when a number is smaller than the one before it.
    """
    groups = []
    for number in numbers:
        if groups and number < groups[-1][-1]:
            raise ValueError(f"out of order: {number} after {groups[-1][-1]}")
        if groups and number - groups[-1][-1] <= gap:
            groups[-1].append(number)
        else:
            groups.append([number])
    return groups


def windows(items, size, step=1, partial=False):
    """Yield tuples of `size` neighbouring items, starting at every `step`-th item.

    With `partial` the windows that run over the end come too, shortened.
    """
    if size < 1 or step < 1:
        raise ValueError("size and step must be at least 1")
    items = list(items)
    for start in range(0, len(items), step):
        window = tuple(items[start : start + size])
        if len(window) == size or partial:
            yield window


def pack(items, capacity, weight=len):
    """Put items into as few bins as the first-fit-decreasing rule finds; returns lists.

    Heavier items are placed first, equal ones in their order; each goes into the first bin with
    room. Raises ValueError when an item is heavier than `capacity`.
    """
    bins = []
    for item in sorted(items, key=weight, reverse=True):
        if weight(item) > capacity:
            raise ValueError(f"too heavy: {item!r}")
        for content in bins:
            if sum(weight(known) for known in content) + weight(item) <= capacity:
                content.append(item)
                break
        else:
            bins.append([item])
    return bins


class Batcher:
    """Collects items and releases a batch when `size` are there or the oldest waited `max_age`."""

    def __init__(self, size, max_age):
        self.size, self.max_age = size, max_age
        self._waiting = deque()

    def add(self, item, now):
        """Take an item in at time `now`; returns a batch that is due, or None."""
        self._waiting.append((now, item))
        return self.due(now)

    def due(self, now):
        """Return the oldest items, `size` at most, when a batch is due at `now`, else None."""
        if not self._waiting:
            return None
        if len(self._waiting) < self.size and now - self._waiting[0][0] < self.max_age:
            return None
        return self.flush()

    def flush(self):
        """Return the oldest items, `size` at most, whether due or not."""
        return [self._waiting.popleft()[1] for _ in range(min(self.size, len(self._waiting)))]
