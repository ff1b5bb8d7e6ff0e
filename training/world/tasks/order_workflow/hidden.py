import unittest

from orderflow.workflow import TRANSITIONS, Order, State, TransitionError


def order_at(stage, price=1000, day=10):
    order = Order()
    if stage == "empty":
        return order
    order.add_line("pen", 1, price)
    steps = [
        ("draft", lambda: None),
        ("placed", order.place),
        ("paid", lambda: order.pay(order.due_cents)),
        ("shipped", order.ship),
        ("delivered", lambda: order.deliver(day)),
    ]
    for name, step in steps:
        step()
        if name == stage:
            break
    return order


class LinesTest(unittest.TestCase):
    def test_new_order(self):
        order = Order()
        self.assertIs(order.state, State.DRAFT)
        self.assertEqual((order.total_cents, order.due_cents, order.paid_cents), (0, 0, 0))
        self.assertIsNone(order.delivered_day)

    def test_orders_share_nothing(self):
        first, second = Order(), Order()
        first.add_line("pen", 1, 5)
        first.place()
        self.assertEqual(second.lines, {})
        self.assertEqual(second.history, [State.DRAFT])

    def test_same_sku_same_price_adds_up(self):
        order = Order()
        order.add_line("pen", 2, 100)
        order.add_line("pen", 3, 100)
        self.assertEqual(order.lines, {"pen": (5, 100)})

    def test_same_sku_other_price_replaces(self):
        order = Order()
        order.add_line("pen", 2, 100)
        order.add_line("pen", 3, 120)
        self.assertEqual(order.lines, {"pen": (3, 120)})

    def test_quantity_must_be_positive(self):
        for quantity in (0, -1):
            with self.assertRaises(ValueError):
                Order().add_line("pen", quantity, 100)
        order = Order()
        order.add_line("pen", 1, 100)
        self.assertEqual(order.total_cents, 100)

    def test_price_may_be_zero_not_negative(self):
        order = Order()
        order.add_line("gift", 1, 0)
        self.assertEqual(order.total_cents, 0)
        with self.assertRaises(ValueError):
            order.add_line("pen", 1, -1)

    def test_lines_only_in_draft(self):
        with self.assertRaises(TransitionError):
            order_at("placed").add_line("pen", 1, 100)

    def test_total_multiplies(self):
        order = Order()
        order.add_line("a", 3, 200)
        order.add_line("b", 2, 50)
        self.assertEqual(order.total_cents, 700)

    def test_discount_starts_at_the_limit(self):
        self.assertEqual(order_at("draft", 9999).total_cents, 9999)
        self.assertEqual(order_at("draft", 10000).total_cents, 9000)

    def test_discount_rounds_down(self):
        self.assertEqual(order_at("draft", 10001).total_cents, 9000)
        self.assertEqual(order_at("draft", 10019).total_cents, 9017)


class TransitionTest(unittest.TestCase):
    def test_place_empty_order(self):
        order = Order()
        with self.assertRaises(ValueError):
            order.place()
        self.assertIs(order.state, State.DRAFT)

    def test_place_twice(self):
        with self.assertRaises(TransitionError):
            order_at("placed").place()

    def test_place_cancelled_empty_order(self):
        order = Order()
        order.cancel()
        with self.assertRaises(TransitionError):
            order.place()

    def test_history_lists_every_state(self):
        order = order_at("delivered")
        names = [state.value for state in order.history]
        self.assertEqual(names, ["draft", "placed", "paid", "shipped", "delivered"])

    def test_failed_step_leaves_state_and_history(self):
        order = order_at("placed")
        with self.assertRaises(TransitionError):
            order.ship()
        self.assertIs(order.state, State.PLACED)
        self.assertEqual(len(order.history), 2)

    def test_error_names_both_states(self):
        with self.assertRaisesRegex(TransitionError, "from draft to shipped"):
            order_at("draft").ship()

    def test_table_of_transitions(self):
        allowed = {(a.value, b.value) for a, targets in TRANSITIONS.items() for b in targets}
        expected = "draft-placed draft-cancelled placed-paid placed-cancelled paid-shipped"
        expected += " paid-refunded shipped-delivered delivered-refunded"
        self.assertEqual(allowed, {tuple(pair.split("-")) for pair in expected.split()})

    def test_closed_states(self):
        for stage in ("draft", "placed", "paid", "shipped", "delivered"):
            self.assertFalse(order_at(stage).closed)
        order = order_at("paid")
        order.refund(0)
        self.assertTrue(order.closed)

    def test_ship_needs_payment(self):
        with self.assertRaises(TransitionError):
            order_at("placed").ship()

    def test_deliver_notes_the_day(self):
        self.assertEqual(order_at("delivered", day=0).delivered_day, 0)
        order = order_at("paid")
        with self.assertRaises(TransitionError):
            order.deliver(5)
        self.assertIsNone(order.delivered_day)


class PaymentTest(unittest.TestCase):
    def test_part_payment_stays_placed(self):
        order = order_at("placed")
        self.assertEqual(order.pay(400), 0)
        self.assertIs(order.state, State.PLACED)
        self.assertEqual(order.due_cents, 600)

    def test_parts_add_up(self):
        order = order_at("placed")
        order.pay(400)
        self.assertEqual(order.pay(600), 0)
        self.assertIs(order.state, State.PAID)
        self.assertEqual(order.paid_cents, 1000)

    def test_change_is_returned(self):
        order = order_at("placed")
        self.assertEqual(order.pay(1300), 300)
        self.assertEqual(order.paid_cents, 1000)

    def test_change_after_part_payment(self):
        order = order_at("placed")
        order.pay(900)
        self.assertEqual(order.pay(150), 50)
        self.assertEqual(order.paid_cents, 1000)

    def test_payment_must_be_positive(self):
        for cents in (0, -5):
            with self.assertRaises(ValueError):
                order_at("placed").pay(cents)
        order = order_at("placed")
        order.pay(1)
        self.assertEqual(order.due_cents, 999)

    def test_pay_only_placed(self):
        for stage in ("draft", "paid", "shipped"):
            with self.assertRaises(TransitionError):
                order_at(stage).pay(10)

    def test_discount_counts_for_payment(self):
        order = order_at("placed", 20000)
        self.assertEqual(order.due_cents, 18000)
        self.assertEqual(order.pay(20000), 2000)

    def test_cancel_returns_part_payment(self):
        order = order_at("placed")
        order.pay(250)
        self.assertEqual(order.cancel(), 250)
        self.assertEqual(order.paid_cents, 0)

    def test_cancel_paid_order_is_refused(self):
        for stage in ("paid", "shipped", "delivered"):
            with self.assertRaises(TransitionError):
                order_at(stage).cancel()
        self.assertEqual(order_at("draft").cancel(), 0)

    def test_refund_resets_payment(self):
        order = order_at("paid")
        self.assertEqual(order.refund(5), 1000)
        self.assertEqual(order.paid_cents, 0)

    def test_refund_window_is_inclusive(self):
        self.assertEqual(order_at("delivered", day=10).refund(24), 1000)
        with self.assertRaises(TransitionError):
            order_at("delivered", day=10).refund(25)

    def test_refund_own_window(self):
        self.assertEqual(order_at("delivered", day=0).refund(3, window_days=3), 1000)
        with self.assertRaises(TransitionError):
            order_at("delivered", day=0).refund(4, window_days=3)

    def test_late_refund_changes_nothing(self):
        order = order_at("delivered", day=1)
        with self.assertRaises(TransitionError):
            order.refund(99)
        self.assertIs(order.state, State.DELIVERED)
        self.assertEqual(order.paid_cents, 1000)

    def test_refund_refused_while_shipped_or_unpaid(self):
        for stage in ("draft", "placed", "shipped"):
            with self.assertRaises(TransitionError):
                order_at(stage).refund(1)

    def test_refund_twice(self):
        order = order_at("paid")
        order.refund(1)
        with self.assertRaises(TransitionError):
            order.refund(1)


if __name__ == "__main__":
    unittest.main()
