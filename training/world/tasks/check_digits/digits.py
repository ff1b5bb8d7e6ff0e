"""Check digits: Luhn, ISBN-10, ISBN-13, EAN, IBAN and the Damm algorithm."""

__all__ = ["CheckError", "clean", "damm", "iban_valid", "isbn10_digit", "isbn13_digit",
           "isbn10_to_13", "luhn_digit", "luhn_valid", "mask", "normalize_isbn"]  # fmt: skip

DAMM_TABLE = (
    "0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
    "3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
)  # fmt: skip


class CheckError(ValueError):
    """A number of the wrong length, with a wrong letter or a wrong check digit."""


def clean(text: str, extra: str = "") -> str:
    """Return the text without blanks and dashes, in capitals.

    CheckError if anything is left but ASCII digits and the extra letters, or nothing is left.
    """
    kept = text.replace(" ", "").replace("-", "").upper()
    if not kept:
        raise CheckError("no digits")
    for letter in kept:
        if letter not in "0123456789" + extra:
            raise CheckError(f"unexpected {letter!r}")
    return kept


def luhn_digit(number: str) -> str:
    """Return the Luhn check digit for a number that lacks it."""
    total = 0
    for position, digit in enumerate(reversed(clean(number))):
        value = int(digit)
        if position % 2 == 0:
            value *= 2
            if value > 9:
                value -= 9
        total += value
    return str(-total % 10)


def luhn_valid(number: str) -> bool:
    """Return whether a number ends in its Luhn digit; False below two digits or if malformed."""
    try:
        digits = clean(number)
    except CheckError:
        return False
    return len(digits) > 1 and luhn_digit(digits[:-1]) == digits[-1]


def isbn10_digit(body: str) -> str:
    """Return the check letter (0 to 9 or X) for the nine digits of an ISBN-10."""
    digits = clean(body)
    if len(digits) != 9:
        raise CheckError(f"nine digits are needed, not {len(digits)}")
    total = sum(weight * int(digit) for weight, digit in zip(range(10, 1, -1), digits, strict=True))
    return "0123456789X"[-total % 11]


def isbn13_digit(body: str) -> str:
    """Return the check digit for the twelve digits of an ISBN-13 or EAN-13."""
    digits = clean(body)
    if len(digits) != 12:
        raise CheckError(f"twelve digits are needed, not {len(digits)}")
    total = sum(int(digit) for digit in digits[::2]) + 3 * sum(int(digit) for digit in digits[1::2])
    return str(-total % 10)


def isbn10_to_13(isbn: str) -> str:
    """Return the ISBN-13 of a valid ISBN-10; CheckError if its check letter is wrong."""
    digits = clean(isbn, extra="X")
    if len(digits) != 10 or isbn10_digit(digits[:9]) != digits[9]:
        raise CheckError(f"not an ISBN-10: {isbn}")
    body = "978" + digits[:9]
    return body + isbn13_digit(body)


def normalize_isbn(isbn: str) -> str:
    """Return any valid ISBN as thirteen digits; CheckError otherwise.

    An ISBN-13 starts with 978 or 979.
    """
    digits = clean(isbn, extra="X")
    if len(digits) == 10:
        return isbn10_to_13(digits)
    if len(digits) != 13 or digits[:3] not in ("978", "979"):
        raise CheckError(f"not an ISBN: {isbn}")
    if isbn13_digit(digits[:12]) != digits[12]:
        raise CheckError(f"wrong check digit: {isbn}")
    return digits


def iban_valid(iban: str) -> bool:
    """Return whether an IBAN of 15 to 34 letters has the right check digits (mod 97 is 1)."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    try:
        text = clean(iban, extra=letters)
    except CheckError:
        return False
    if not 15 <= len(text) <= 34 or not text[:2].isalpha() or not text[2:4].isdigit():
        return False
    number = "".join(str(int(letter, 36)) for letter in text[4:] + text[:4])
    return int(number) % 97 == 1


def damm(number: str) -> str:
    """Return the Damm check digit; it is 0 for a number that ends in its own check digit."""
    interim = 0
    for digit in clean(number):
        interim = int(DAMM_TABLE[interim][int(digit)])
    return str(interim)


def mask(number: str, shown: int = 4, letter: str = "*") -> str:
    """Return a number with all but the last `shown` digits hidden, blanks and dashes kept."""
    hidden = sum(character.isdigit() for character in number) - shown
    out = []
    for character in number:
        if character.isdigit() and hidden > 0:
            hidden -= 1
            character = letter
        out.append(character)
    return "".join(out)
