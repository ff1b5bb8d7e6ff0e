"""Prefix sums under updates, and an order-statistics multiset on top of them."""

from collections.abc import Iterable

__all__ = ["FenwickTree", "RankedCounts"]


class FenwickTree:
    """A list of numbers with fast point updates and range sums."""

    def __init__(self, values: Iterable[int] = ()) -> None:
        """Hold the given numbers at positions 0, 1, 2 and so on."""
        self._values = list(values)
        size = len(self._values)
        self._tree = [0] + self._values[:]
        for position in range(1, size + 1):
            parent = position + (position & -position)
            if parent <= size:
                self._tree[parent] += self._tree[position]

    def __len__(self) -> int:
        """Return how many numbers are held."""
        return len(self._values)

    def _check(self, index: int) -> int:
        """Return the position for an index, negative ones counted from the end; IndexError."""
        size = len(self._values)
        if not -size <= index < size:
            raise IndexError(f"index {index} out of range for {size} values")
        return index % size

    def __getitem__(self, index: int) -> int:
        """Return the number at an index; IndexError if there is none."""
        return self._values[self._check(index)]

    def add(self, index: int, delta: int) -> None:
        """Add delta to the number at an index; IndexError if there is none."""
        index = self._check(index)
        self._values[index] += delta
        size = len(self._values)
        position = index + 1
        for _ in range(size.bit_length() + 1):
            if position > size:
                break
            self._tree[position] += delta
            position += position & -position

    def set(self, index: int, value: int) -> int:
        """Replace the number at an index and return the earlier one."""
        old = self[index]
        self.add(index, value - old)
        return old

    def prefix_sum(self, end: int) -> int:
        """Return the sum of the first `end` numbers; ValueError unless 0 <= end <= len."""
        if not 0 <= end <= len(self._values):
            raise ValueError(f"end {end} is not between 0 and {len(self._values)}")
        total = 0
        for _ in range(end.bit_length()):
            total += self._tree[end]
            end &= end - 1
        return total

    def range_sum(self, start: int, end: int) -> int:
        """Return the sum of positions start <= i < end; 0 where start >= end."""
        if start >= end:
            return 0
        return self.prefix_sum(end) - self.prefix_sum(start)


class RankedCounts:
    """Counts of the integers 0 .. size - 1, with ranks and the k-th smallest."""

    def __init__(self, size: int) -> None:
        """Start with all counts at zero; ValueError on a negative size."""
        if size < 0:
            raise ValueError("size must not be negative")
        self._counts = FenwickTree([0] * size)
        self._total = 0

    def __len__(self) -> int:
        """Return how many integers are held, repeats included."""
        return self._total

    def add(self, value: int, times: int = 1) -> None:
        """Count a value; a negative number of times takes away. ValueError below zero."""
        if self._counts[value] + times < 0:
            raise ValueError(f"count of {value} would fall below zero")
        self._counts.add(value, times)
        self._total += times

    def rank(self, value: int) -> int:
        """Return how many held integers are smaller than the value."""
        return self._counts.prefix_sum(value)

    def kth(self, k: int) -> int:
        """Return the k-th smallest held integer, k from 0; IndexError if there are too few."""
        if not 0 <= k < self._total:
            raise IndexError(f"there are only {self._total} values")
        low, high = 0, len(self._counts) - 1
        for _ in range(len(self._counts).bit_length() + 1):
            if low >= high:
                break
            middle = (low + high) // 2
            if self._counts.prefix_sum(middle + 1) > k:
                high = middle
            else:
                low = middle + 1
        return low

    def median(self) -> float:
        """Return the median, the mean of the two middle values for an even count; ValueError."""
        if self._total == 0:
            raise ValueError("no median of nothing")
        return (self.kth((self._total - 1) // 2) + self.kth(self._total // 2)) / 2
