"""The life of a shop order as an explicit state machine."""

from dataclasses import dataclass, field
from enum import Enum

__all__ = ["State", "Order", "TransitionError", "TRANSITIONS"]


class State(Enum):
    """Where an order stands."""

    DRAFT = "draft"
    PLACED = "placed"
    PAID = "paid"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


class TransitionError(Exception):
    """An action that the order's state does not allow."""


TRANSITIONS = {
    State.DRAFT: {State.PLACED, State.CANCELLED},
    State.PLACED: {State.PAID, State.CANCELLED},
    State.PAID: {State.SHIPPED, State.REFUNDED},
    State.SHIPPED: {State.DELIVERED},
    State.DELIVERED: {State.REFUNDED},
    State.CANCELLED: set(),
    State.REFUNDED: set(),
}


@dataclass
class Order:
    """An order with lines of (quantity, unit price in cents), payments and a history."""

    lines: dict[str, tuple[int, int]] = field(default_factory=dict)
    state: State = State.DRAFT
    paid_cents: int = 0
    delivered_day: int | None = None
    history: list[State] = field(default_factory=lambda: [State.DRAFT])

    def can(self, target: State) -> bool:
        """Return whether the order may go to the target state next."""
        return target in TRANSITIONS[self.state]

    @property
    def closed(self) -> bool:
        """True once no further state can follow."""
        return not TRANSITIONS[self.state]

    @property
    def total_cents(self) -> int:
        """Return the sum of quantity times price, 10 % less from 100.00 on, rounded down."""
        total = sum(quantity * price for quantity, price in self.lines.values())
        return total * 90 // 100 if total >= 10_000 else total

    @property
    def due_cents(self) -> int:
        """Return what is still to be paid, never negative."""
        return max(0, self.total_cents - self.paid_cents)

    def _go(self, target: State) -> None:
        """Enter the target state and note it in the history; TransitionError if not allowed."""
        if not self.can(target):
            raise TransitionError(f"cannot go from {self.state.value} to {target.value}")
        self.state = target
        self.history.append(target)

    def add_line(self, sku: str, quantity: int, price_cents: int) -> None:
        """Add to a draft; the same sku at the same price adds up, at another price replaces.

        ValueError unless the quantity is positive and the price is not negative.
        """
        if self.state is not State.DRAFT:
            raise TransitionError("lines can only be added to a draft")
        if quantity <= 0 or price_cents < 0:
            raise ValueError("quantity must be positive and price not negative")
        held, price = self.lines.get(sku, (0, price_cents))
        if price != price_cents:
            held = 0
        self.lines[sku] = (held + quantity, price_cents)

    def place(self) -> None:
        """Place a draft; ValueError if it has no lines."""
        if not self.lines and self.can(State.PLACED):
            raise ValueError("an empty order cannot be placed")
        self._go(State.PLACED)

    def pay(self, cents: int) -> int:
        """Take a payment, become paid once nothing is due, and return the change.

        ValueError unless cents is positive; TransitionError unless the order is placed.
        """
        if cents <= 0:
            raise ValueError("a payment must be positive")
        if not self.can(State.PAID):
            raise TransitionError("only placed orders take payments")
        change = max(0, cents - self.due_cents)
        self.paid_cents += cents - change
        if self.due_cents == 0:
            self._go(State.PAID)
        return change

    def ship(self) -> None:
        """Send a paid order off."""
        self._go(State.SHIPPED)

    def deliver(self, day: int) -> None:
        """Note the day on which a shipped order arrived."""
        self._go(State.DELIVERED)
        self.delivered_day = day

    def cancel(self) -> int:
        """Cancel a draft or placed order and return the part payment that goes back."""
        self._go(State.CANCELLED)
        returned, self.paid_cents = self.paid_cents, 0
        return returned

    def refund(self, day: int, window_days: int = 14) -> int:
        """Give the money back: before shipping always, later up to window_days after delivery."""
        if self.delivered_day is not None and day - self.delivered_day > window_days:
            raise TransitionError("the refund window has passed")
        self._go(State.REFUNDED)
        returned, self.paid_cents = self.paid_cents, 0
        return returned
