"""Run-length coding of text and of sorted integers, and PackBits for bytes."""

from itertools import groupby

__all__ = [
    "compress", "decompress", "encode", "decode", "pack_bits", "unpack_bits", "parse_ranges",
    "format_ranges",
]  # fmt: skip


def encode(items):
    """Return the runs of equal neighbours as (item, length) pairs."""
    return [(item, sum(1 for _ in run)) for item, run in groupby(items)]


def decode(pairs):
    """Return the list of items of (item, length) pairs; ValueError on a negative length."""
    items = []
    for item, length in pairs:
        if length < 0:
            raise ValueError(f"negative length of {item!r}")
        items.extend([item] * length)
    return items


def compress(text, min_run=2):
    """Return text with runs as count and letter, such as "3ab2c".

    Runs shorter than min_run are written out. Digits and backslashes are escaped by a backslash.
    """
    parts = []
    for letter, length in encode(text):
        shown = "\\" + letter if letter.isdigit() or letter == "\\" else letter
        parts.append(f"{length}{shown}" if length >= max(2, min_run) else shown * length)
    return "".join(parts)


def decompress(text):
    """Return what compress was given; ValueError on a count of 0 or without a letter after it."""
    out = []
    count = ""
    escaped = False
    for letter in text:
        if letter.isdigit() and not escaped:
            count += letter
        elif letter == "\\" and not escaped:
            escaped = True
        else:
            if count and int(count) == 0:
                raise ValueError("a run cannot have length 0")
            out.append(letter * int(count or 1))
            count, escaped = "", False
    if count or escaped:
        raise ValueError("text ends in the middle of a run")
    return "".join(out)


def pack_bits(data):
    """Return bytes in PackBits: a run of 2 to 128 is 257 - length and the byte, 1 to 128 others
    are length - 1 and the bytes."""
    out = bytearray()
    literal = bytearray()
    for byte, length in encode(data):
        for start in range(0, length, 128):
            size = min(128, length - start)
            if size == 1:
                literal.append(byte)
            if literal and (size > 1 or len(literal) == 128):
                out += bytes([len(literal) - 1]) + literal
                literal.clear()
            if size > 1:
                out += bytes([257 - size, byte])
    if literal:
        out += bytes([len(literal) - 1]) + literal
    return bytes(out)


def unpack_bits(packed):
    """Return the bytes of PackBits data; 128 is skipped, ValueError on data cut short."""
    out = bytearray()
    source = iter(packed)
    for head in source:
        if head == 128:
            continue
        wanted = head + 1 if head < 128 else 1
        body = bytes(byte for _, byte in zip(range(wanted), source))
        if len(body) < wanted:
            raise ValueError("data cut short")
        out += body if head < 128 else body * (257 - head)
    return bytes(out)


def format_ranges(numbers, shortest=2):
    """Return integers as ranges, such as "1-3,7"; they are sorted and repeats dropped.

    Ranges of fewer than `shortest` numbers are written out one by one.
    """
    ordered = sorted(set(numbers))
    parts = []
    for _, run in groupby(enumerate(ordered), key=lambda pair: pair[1] - pair[0]):
        run = [number for _, number in run]
        if len(run) >= max(2, shortest):
            parts.append(f"{run[0]}-{run[-1]}")
        else:
            parts.extend(str(number) for number in run)
    return ",".join(parts)


def parse_ranges(text):
    """Return the sorted integers of ranges (not negative, blanks allowed); ValueError if reversed
    or malformed."""
    numbers = set()
    for part in text.split(",") if text.strip() else []:
        first, dash, last = part.partition("-")
        low = int(first)
        high = int(last) if dash else low
        if low > high:
            raise ValueError(f"reversed range: {part.strip()}")
        numbers.update(range(low, high + 1))
    return sorted(numbers)
