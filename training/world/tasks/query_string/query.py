"""Parse, build and change URL query strings."""

__all__ = ["Query", "decode", "encode"]

SAFE = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"
HEX = "0123456789abcdefABCDEF"


def encode(text):
    """Percent-encode text as UTF-8; a blank becomes `+`, letters, digits and -._~ stay."""
    parts = []
    for char in text:
        if char in SAFE:
            parts.append(char)
        elif char == " ":
            parts.append("+")
        else:
            parts.extend(f"%{byte:02X}" for byte in char.encode("utf-8"))
    return "".join(parts)


def decode(text):
    """Undo `encode`; a `%` not followed by two hex digits stays as it is.

    Bytes that are no UTF-8 become the replacement character.
    """
    raw = bytearray()
    skip = 0
    for position, char in enumerate(text):
        if skip:
            skip -= 1
            continue
        digits = text[position + 1 : position + 3]
        if char == "+":
            raw.append(32)
        elif char == "%" and len(digits) == 2 and all(digit in HEX for digit in digits):
            raw.append(int(digits, 16))
            skip = 2
        else:
            raw.extend(char.encode("utf-8"))
    return raw.decode("utf-8", errors="replace")


class Query:
    """An ordered list of (name, value) pairs; a name may come several times.

    A value None is a name without `=`. Methods that change return a new Query.
    """

    def __init__(self, pairs=()):
        self.pairs = tuple((name, value) for name, value in pairs)

    @classmethod
    def parse(cls, text, separator="&", limit=None):
        """Read a query string; a leading `?` and everything from the first `#` are dropped.

        Empty pieces are ignored. More than `limit` pairs raise ValueError.
        """
        text = text.split("#", 1)[0]
        if text.startswith("?"):
            text = text[1:]
        pairs = []
        for piece in text.split(separator):
            if not piece:
                continue
            name, equals, value = piece.partition("=")
            pairs.append((decode(name), decode(value) if equals else None))
            if limit is not None and len(pairs) > limit:
                raise ValueError(f"more than {limit} pairs")
        return cls(pairs)

    def __repr__(self):
        return f"Query({str(self)!r})"

    def __str__(self):
        return "&".join(
            encode(name) if value is None else f"{encode(name)}={encode(value)}"
            for name, value in self.pairs
        )

    def __len__(self):
        return len(self.pairs)

    def __eq__(self, other):
        return isinstance(other, Query) and self.pairs == other.pairs

    def get(self, name, default=None):
        """Return the first value under the name, or the default if there is no such name."""
        for key, value in self.pairs:
            if key == name:
                return value
        return default

    def get_all(self, name):
        """Return the list of all values under the name, in order."""
        return [value for key, value in self.pairs if key == name]

    def get_int(self, name, default=0, low=None, high=None):
        """Return the first value as an int, kept within `low` and `high` (both inclusive).

        A missing name or a value that is no integer gives the default, unchanged.
        """
        try:
            number = int(self.get(name))
        except (TypeError, ValueError):
            return default
        if low is not None and number < low:
            return low
        return high if high is not None and number > high else number

    def without(self, *names):
        """Drop every pair with one of the names."""
        return Query((key, value) for key, value in self.pairs if key not in names)

    def set(self, name, value):
        """Give the name exactly one value, at the place of its first pair or else at the end."""
        names = [key for key, _ in self.pairs]
        place = names.index(name) if name in names else len(names)
        rest = self.without(name).pairs
        return Query(rest[:place] + ((name, value),) + rest[place:])

    def normalized(self):
        """Sort by name (pairs of one name keep their order) and drop exact repeats."""
        unique = dict.fromkeys(self.pairs)
        return Query(sorted(unique, key=lambda pair: pair[0]))
