import unittest

from orderflow.workflow import Order, State, TransitionError


class OrderTest(unittest.TestCase):
    def setUp(self):
        self.order = Order()
        self.order.add_line("pen", 2, 150)
        self.order.add_line("book", 1, 1200)

    def test_total(self):
        self.assertEqual(self.order.total_cents, 1500)

    def test_place(self):
        self.order.place()
        self.assertIs(self.order.state, State.PLACED)

    def test_pay_in_full(self):
        self.order.place()
        self.assertEqual(self.order.pay(1500), 0)
        self.assertIs(self.order.state, State.PAID)
        self.assertEqual(self.order.due_cents, 0)

    def test_whole_life(self):
        self.order.place()
        self.order.pay(1500)
        self.order.ship()
        self.order.deliver(day=3)
        self.assertIs(self.order.state, State.DELIVERED)
        self.assertFalse(self.order.closed)

    def test_cannot_ship_a_draft(self):
        self.assertFalse(self.order.can(State.SHIPPED))
        with self.assertRaises(TransitionError):
            self.order.ship()

    def test_cancel(self):
        self.order.place()
        self.assertEqual(self.order.cancel(), 0)
        self.assertTrue(self.order.closed)

    def test_refund_of_a_paid_order(self):
        self.order.place()
        self.order.pay(1500)
        self.assertEqual(self.order.refund(day=1), 1500)
        self.assertIs(self.order.state, State.REFUNDED)


if __name__ == "__main__":
    unittest.main()
