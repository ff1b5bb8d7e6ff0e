"""Formatting and reading of amounts in the manner of a locale."""

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

__all__ = ["Style", "STYLES", "group", "format_amount", "parse_amount", "abbreviate", "align"]


class Style:
    """How a locale writes amounts.

    `symbol_first` puts the symbol before the number; `space` stands between the two.
    """

    def __init__(self, point=".", separator=",", symbol_first=True, space="", sizes=(3,)):
        if point == separator:
            raise ValueError("point and separator must differ")
        self.point = point
        self.separator = separator
        self.symbol_first = symbol_first
        self.space = space
        self.sizes = tuple(sizes)


STYLES = {
    "en": Style(),
    "de": Style(",", ".", symbol_first=False, space=" "),
    "ch": Style(".", "'", space=" "),
    "in": Style(sizes=(3, 2)),
}


def group(digits, separator=",", sizes=(3,)):
    """Put separators into a string of digits, counted from the right.

    `sizes` are the sizes of the groups from the right; the last one repeats.
    """
    parts = []
    index = 0
    for _ in range(len(digits)):
        size = sizes[min(index, len(sizes) - 1)]
        if len(digits) <= size:
            break
        parts.insert(0, digits[-size:])
        digits = digits[:-size]
        index += 1
    return separator.join([digits] + parts)


def format_amount(value, symbol="", locale="en", places=2, accounting=False):
    """Write a value with `places` decimals, rounded half to even.

    Negative values get a leading minus, or brackets when `accounting` is true; a value that
    rounds to zero is written without either. Raises KeyError for an unknown locale.
    """
    style = STYLES[locale]
    number = Decimal(str(value)).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)
    whole, _, fraction = f"{abs(number):f}".partition(".")
    text = group(whole, style.separator, style.sizes)
    if fraction:
        text += style.point + fraction
    if symbol:
        text = symbol + style.space + text if style.symbol_first else text + style.space + symbol
    if number < 0:
        return f"({text})" if accounting else "-" + text
    return text


def parse_amount(text, locale="en"):
    """Read what `format_amount` writes back into a Decimal; symbols and spaces are skipped.

    A minus before or after the number, or brackets around it, make it negative. Raises
    ValueError when there is no number, or when a separator follows the decimal point.
    """
    style = STYLES[locale]
    kept = "".join(c for c in text if c.isdigit() or c in "-()" + style.point + style.separator)
    negative = kept.startswith(("-", "(")) or kept.endswith("-")
    kept = kept.strip("-()")
    whole, _, fraction = kept.partition(style.point)
    if style.separator in fraction:
        raise ValueError(f"separator after the decimal point: {text!r}")
    try:
        number = Decimal(whole.replace(style.separator, "") + "." + fraction)
    except InvalidOperation:
        raise ValueError(f"not an amount: {text!r}") from None
    return -number if negative else number


def abbreviate(value, places=1):
    """Shorten to K, M or B with at most `places` decimals, cut off: 1250 is "1.2K"."""
    number = Decimal(str(value))
    sign = "-" if number < 0 else ""
    number = abs(number)
    for power, letter in ((9, "B"), (6, "M"), (3, "K"), (0, "")):
        if number >= 10**power or power == 0:
            break
    scale = 10**places
    shown = Decimal(int(number.scaleb(-power) * scale)) / scale
    text = f"{shown:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    if text == "0":
        return "0"
    return sign + text + letter


def align(amounts, point="."):
    """Pad texts with spaces so that their decimal points stand in one column.

    A text without a point counts as if the point came after it.
    """
    split = [text.partition(point) for text in amounts]
    left = max((len(whole) for whole, _, _ in split), default=0)
    right = max((len(dot + rest) for _, dot, rest in split), default=0)
    return [whole.rjust(left) + (dot + rest).ljust(right) for whole, dot, rest in split]
