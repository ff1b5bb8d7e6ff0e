"""Invoices: lines with discounts, a discount on the whole, tax by rate, and payments."""

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

__all__ = ["Line", "Invoice", "cents"]


def cents(value):
    """Round to two places, halves away from zero."""
    return Decimal(str(value)).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


@dataclass
class Line:
    """One position; `discount` is in percent, `tax_rate` in percent of the net amount."""

    name: str
    price: Decimal
    quantity: int = 1
    discount: Decimal = Decimal(0)
    tax_rate: Decimal = Decimal(20)

    def __post_init__(self):
        self.price = Decimal(str(self.price))
        self.discount = Decimal(str(self.discount))
        self.tax_rate = Decimal(str(self.tax_rate))
        if self.quantity < 1:
            raise ValueError("quantity must be at least 1")
        if not 0 <= self.discount <= 100:
            raise ValueError("discount must be between 0 and 100")
        if self.tax_rate < 0:
            raise ValueError("tax_rate must not be negative")

    def net(self):
        """Price times quantity less the discount, rounded once at the end."""
        return cents(self.price * self.quantity * (100 - self.discount) / 100)


@dataclass
class Invoice:
    """A list of lines, a discount in percent on all of them, and what has been paid."""

    discount: Decimal = Decimal(0)
    lines: list = field(default_factory=list)
    payments: list = field(default_factory=list)

    def add(self, name, price, quantity=1, discount=0, tax_rate=20):
        """Append a line and return it; an equal position already there only grows in quantity."""
        line = Line(name, price, quantity, discount, tax_rate)
        for known in self.lines:
            if (known.name, known.price, known.discount, known.tax_rate) == (
                line.name, line.price, line.discount, line.tax_rate,
            ):  # fmt: skip
                known.quantity += line.quantity
                return known
        self.lines.append(line)
        return line

    def subtotal(self):
        """Sum of the lines before the invoice's discount and tax."""
        return sum((line.net() for line in self.lines), Decimal("0.00"))

    def discount_amount(self):
        """What the invoice's discount takes off the subtotal."""
        return cents(self.subtotal() * Decimal(str(self.discount)) / 100)

    def net_by_rate(self):
        """Map each tax rate, in rising order, to its net amount after the invoice's discount.

        The discount is shared in proportion; the highest rate takes what rounding leaves over,
        so that the amounts add up to subtotal less discount.
        """
        sums = {}
        for line in self.lines:
            sums[line.tax_rate] = sums.get(line.tax_rate, Decimal(0)) + line.net()
        left = self.discount_amount()
        result = {}
        rates = sorted(sums)
        for rate in rates:
            share = cents(sums[rate] * Decimal(str(self.discount)) / 100)
            if rate == rates[-1]:
                share = left
            left -= share
            result[rate] = sums[rate] - share
        return result

    def taxes(self):
        """Map each tax rate above zero to its tax, rounded per rate and not per line."""
        return {
            rate: cents(net * rate / 100) for rate, net in self.net_by_rate().items() if rate > 0
        }

    def total(self):
        """Net after discount plus taxes."""
        return self.subtotal() - self.discount_amount() + sum(self.taxes().values())

    def pay(self, amount):
        """Book a payment and return the balance; paying more than is due is an error."""
        amount = cents(amount)
        if amount <= 0:
            raise ValueError("a payment must be positive")
        if amount > self.balance():
            raise ValueError(f"only {self.balance()} is due")
        self.payments.append(amount)
        return self.balance()

    def balance(self):
        """What is still due."""
        return self.total() - sum(self.payments)

    def status(self):
        """Say "empty" without lines, else "open", "partial" or "paid"."""
        if not self.lines:
            return "empty"
        if self.balance() == 0:
            return "paid"
        return "partial" if self.payments else "open"
