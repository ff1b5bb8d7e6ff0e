"""Compact lists of whole numbers, such as page or port lists: "1-3,5,8-10"."""

__all__ = ["RangeError", "parse", "expand", "compact", "add", "remove", "invert", "span", "chunk"]

MAX_SIZE = 100000


class RangeError(ValueError):
    """A text is no list of ranges."""


def parse(text, low=0, high=None):
    """Return the sorted (first, last) pairs of a text; overlapping and adjacent ones are joined.

    "5-" runs up to `high` and "-5" starts at `low`; "*" is everything. Empty parts between
    commas are skipped. Raises RangeError for other texts, for ranges that run backwards, for
    numbers outside low..high, and for an open end without `high`.
    """
    pairs = []
    for part in text.replace(" ", "").split(","):
        if not part:
            continue
        left, dash, right = ("-" if part == "*" else part).partition("-")
        if not all(number.isdigit() for number in (left, right) if number):
            raise RangeError(f"not a number: {part!r}")
        first = int(left) if left else low
        if not dash:
            last = first
        elif right:
            last = int(right)
        elif high is None:
            raise RangeError(f"open range without an end: {part!r}")
        else:
            last = high
        if first > last:
            raise RangeError(f"range runs backwards: {part!r}")
        if first < low or (high is not None and last > high):
            raise RangeError(f"out of bounds: {part!r}")
        pairs.append((first, last))
    return _join(pairs)


def _join(pairs):
    """Sort pairs and join those that overlap or follow each other directly."""
    joined = []
    for first, last in sorted(pairs):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined


def expand(text, low=0, high=None):
    """Return all numbers of a text in rising order; RangeError above 100,000 numbers."""
    pairs = parse(text, low, high)
    if sum(last - first + 1 for first, last in pairs) > MAX_SIZE:
        raise RangeError(f"more than {MAX_SIZE} numbers")
    return [number for first, last in pairs for number in range(first, last + 1)]


def _write(pairs, shortest=2):
    parts = []
    for first, last in pairs:
        if last - first + 1 >= shortest and last > first:
            parts.append(f"{first}-{last}")
        else:
            parts.extend(str(number) for number in range(first, last + 1))
    return ",".join(parts)


def compact(numbers, shortest=3):
    """Write numbers as a text; runs shorter than `shortest` are written one by one.

    The order does not matter and numbers may repeat; negative ones raise RangeError.
    """
    numbers = list(numbers)
    if any(number < 0 for number in numbers):
        raise RangeError("negative numbers cannot be written")
    return _write(_join((number, number) for number in numbers), shortest)


def add(text, more):
    """Return the numbers in either of two texts, in compact form."""
    return _write(_join(parse(text) + parse(more)))


def remove(text, less):
    """Return the numbers of `text` that are not in `less`, in compact form."""
    left = parse(text)
    for cut_first, cut_last in parse(less):
        pieces = []
        for first, last in left:
            if first < cut_first:
                pieces.append((first, min(last, cut_first - 1)))
            if last > cut_last:
                pieces.append((max(first, cut_last + 1), last))
        left = pieces
    return _write(left)


def invert(text, low, high):
    """Return the numbers from `low` to `high` (both included) that are not in `text`."""
    gaps = []
    position = low
    for first, last in parse(text, low, high):
        if position < first:
            gaps.append((position, first - 1))
        position = last + 1
    if position <= high:
        gaps.append((position, high))
    return _write(gaps)


def span(text):
    """Return (smallest, largest, count), or None when the text has no numbers."""
    pairs = parse(text)
    if not pairs:
        return None
    return pairs[0][0], pairs[-1][1], sum(last - first + 1 for first, last in pairs)


def chunk(text, size):
    """Split into compact texts of at most `size` numbers each, in rising order."""
    if size < 1:
        raise ValueError("size must be at least 1")
    numbers = expand(text)
    return [compact(numbers[i : i + size], 2) for i in range(0, len(numbers), size)]
