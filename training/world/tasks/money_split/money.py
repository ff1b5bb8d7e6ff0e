"""Money amounts in whole cents: rounding, arithmetic and splitting without losing a cent."""

from decimal import ROUND_HALF_UP, Decimal
from functools import total_ordering

__all__ = ["Money", "CurrencyMismatch", "round_half_up", "split", "allocate", "total"]

DIGITS = {"JPY": 0, "KWD": 3}


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies were combined."""


def round_half_up(value, digits=2):
    """Round a number or text to `digits` places, halves away from zero; returns a Decimal."""
    step = Decimal(1).scaleb(-digits)
    return Decimal(str(value)).quantize(step, rounding=ROUND_HALF_UP)


@total_ordering
class Money:
    """An amount in the smallest unit of a currency; immutable by convention."""

    def __init__(self, cents, currency="EUR"):
        if isinstance(cents, bool) or not isinstance(cents, int):
            raise TypeError("cents must be an int")
        self.cents = cents
        self.currency = currency.upper()

    @classmethod
    def parse(cls, text, currency="EUR"):
        """Read a plain decimal text such as "-12.345", rounded to the digits of the currency."""
        digits = DIGITS.get(currency.upper(), 2)
        return cls(int(round_half_up(text, digits).scaleb(digits)), currency)

    def _same(self, other):
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")

    def __repr__(self):
        return f"Money({self.cents}, {self.currency!r})"

    def __str__(self):
        digits = DIGITS.get(self.currency, 2)
        return f"{Decimal(self.cents).scaleb(-digits):.{digits}f} {self.currency}"

    def __eq__(self, other):
        if not isinstance(other, Money):
            return NotImplemented
        return (self.cents, self.currency) == (other.cents, other.currency)

    def __hash__(self):
        return hash((self.cents, self.currency))

    def __lt__(self, other):
        self._same(other)
        return self.cents < other.cents

    def __add__(self, other):
        self._same(other)
        return Money(self.cents + other.cents, self.currency)

    def __sub__(self, other):
        self._same(other)
        return Money(self.cents - other.cents, self.currency)

    def __neg__(self):
        return Money(-self.cents, self.currency)

    def __abs__(self):
        return Money(abs(self.cents), self.currency)

    def times(self, factor):
        """Multiply by a number, rounded to whole cents with halves away from zero."""
        return Money(int(round_half_up(self.cents * Decimal(str(factor)), 0)), self.currency)

    def percent(self, rate):
        """Return `rate` percent of the amount, rounded like `times`."""
        return self.times(Decimal(str(rate)) / 100)


def split(amount, parts):
    """Split into `parts` amounts that differ by one cent at most; the larger ones come first.

    A negative amount is split like its absolute value, with the signs turned.
    """
    if parts < 1:
        raise ValueError("parts must be at least 1")
    if amount.cents < 0:
        return [-share for share in split(-amount, parts)]
    base, extra = divmod(amount.cents, parts)
    return [Money(base + (1 if i < extra else 0), amount.currency) for i in range(parts)]


def allocate(amount, weights):
    """Share an amount in proportion to whole `weights`; the shares add up to the amount.

    Cents left over go to the largest remainders, ties to the earlier weight. A weight of zero
    gets nothing.
    """
    whole = sum(weights)
    if any(weight < 0 for weight in weights) or whole == 0:
        raise ValueError("weights must not be negative and not all zero")
    sign = -1 if amount.cents < 0 else 1
    shares = [divmod(abs(amount.cents) * weight, whole) for weight in weights]
    left = abs(amount.cents) - sum(share for share, _ in shares)
    order = sorted(range(len(weights)), key=lambda i: (-shares[i][1], i))
    lucky = set(order[:left])
    return [
        Money(sign * (share + (i in lucky)), amount.currency)
        for i, (share, _) in enumerate(shares)
    ]


def total(amounts, currency="EUR"):
    """Add up amounts of one currency; `currency` is that of the zero for an empty list."""
    amounts = list(amounts)
    if not amounts:
        return Money(0, currency)
    result = amounts[0]
    for amount in amounts[1:]:
        result = result + amount
    return result
