"""Parsing and formatting of durations such as "1h 30m", "02:15:00" and "PT5M"."""

import re

__all__ = [
    "DurationError",
    "parse", "parse_clock", "parse_iso",
    "compact", "clock", "humanize", "round_to",
]  # fmt: skip

UNITS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
NAMES = {"w": "week", "d": "day", "h": "hour", "m": "minute", "s": "second"}
TOKEN = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)")
ALIASES = {"sec": "s", "min": "m", "hr": "h"}
ISO = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


class DurationError(ValueError):
    """A text is no duration."""


def _unit(word):
    """Return the one-letter unit for a word: "h", "hr", "hour", "hours" are all "h"."""
    singular = word[:-1] if len(word) > 1 and word.endswith("s") else word
    if singular in UNITS:
        return singular
    if singular in ALIASES:
        return ALIASES[singular]
    for letter, name in NAMES.items():
        if singular == name:
            return letter
    raise DurationError(f"unknown unit: {word}")


def parse(text):
    """Return the seconds of a text like "1h 30m", "-2 days" or "1.5 hours".

    Units may stand in any order but each only once; a bare number is seconds; case does not
    matter. A leading minus negates the whole. The result is an int when it is a whole number.
    """
    rest = text.strip().lower()
    sign = 1
    if rest.startswith("-"):
        sign, rest = -1, rest[1:].lstrip()
    if re.fullmatch(r"\d+(\.\d+)?", rest):
        rest += "s"
    total, seen, position = 0.0, set(), 0
    for match in TOKEN.finditer(rest):
        if rest[position : match.start()].strip(" ,"):
            raise DurationError(f"not a duration: {text!r}")
        unit = _unit(match.group(2))
        if unit in seen:
            raise DurationError(f"unit given twice: {unit}")
        seen.add(unit)
        total += float(match.group(1)) * UNITS[unit]
        position = match.end()
    if not seen or rest[position:].strip():
        raise DurationError(f"not a duration: {text!r}")
    total *= sign
    return int(total) if total == int(total) else total


def parse_clock(text):
    """Return the seconds of "MM:SS" or "H:MM:SS"; only the first part may exceed 59."""
    parts = text.split(":")
    if len(parts) not in (2, 3) or not all(part.isdigit() for part in parts):
        raise DurationError(f"not a clock duration: {text!r}")
    numbers = [int(part) for part in parts]
    if any(number > 59 for number in numbers[1:]):
        raise DurationError(f"minutes and seconds end at 59: {text!r}")
    total = 0
    for number in numbers:
        total = total * 60 + number
    return total


def parse_iso(text):
    """Return the seconds of an ISO 8601 duration of weeks, days, hours, minutes and seconds."""
    match = ISO.fullmatch(text)
    if match is None or text.endswith(("P", "T")):
        raise DurationError(f"not an ISO duration: {text!r}")
    return sum(int(value) * size for value, size in zip(match.groups("0"), UNITS.values()))


def _split(seconds, units):
    """Break whole seconds down into (unit, amount) pairs, leaving out the zeros."""
    pairs = []
    for unit in units:
        amount, seconds = divmod(seconds, UNITS[unit])
        if amount:
            pairs.append((unit, amount))
    return pairs


def compact(seconds):
    """Write seconds as "1d 2h 3m 4s" without zero parts; zero is "0s", negatives get a minus."""
    pairs = _split(abs(seconds), "dhms") or [("s", 0)]
    text = " ".join(f"{amount}{unit}" for unit, amount in pairs)
    return "-" + text if seconds < 0 else text


def clock(seconds):
    """Write seconds as "M:SS", or "H:MM:SS" from one hour on; hours do not roll into days."""
    minutes, second = divmod(abs(seconds), 60)
    hours, minute = divmod(minutes, 60)
    text = f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"
    return "-" + text if seconds < 0 else text


def humanize(seconds, parts=2):
    """Write the `parts` largest units in words: "1 hour and 2 minutes"; smaller ones are cut off."""
    if parts < 1:
        raise ValueError("parts must be at least 1")
    pairs = _split(abs(seconds), "wdhms")[:parts] or [("s", 0)]
    words = [f"{amount} {NAMES[unit]}{'' if amount == 1 else 's'}" for unit, amount in pairs]
    text = ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else words[0]
    return text + " ago" if seconds < 0 else text


def round_to(seconds, step):
    """Round to the nearest multiple of `step` seconds, halves away from zero."""
    if step <= 0:
        raise ValueError("step must be positive")
    rounded = (abs(seconds) * 2 + step) // (step * 2) * step
    return -rounded if seconds < 0 else rounded
