import unittest
from decimal import Decimal

from billcraft.invoice import Invoice, Line, cents

D = Decimal


def invoice_of(*lines, discount=0):
    invoice = Invoice(discount=discount)
    for line in lines:
        invoice.add(*line)
    return invoice


class CentsTest(unittest.TestCase):
    def test_halves_go_away_from_zero(self):
        self.assertEqual(cents("0.125"), D("0.13"))
        self.assertEqual(cents("-0.125"), D("-0.13"))

    def test_float_is_read_as_written(self):
        self.assertEqual(cents(1.005), D("1.01"))
        self.assertEqual(str(cents(3)), "3.00")


class LineTest(unittest.TestCase):
    def test_defaults(self):
        line = Line("pen", "1.00")
        self.assertEqual((line.quantity, line.discount, line.tax_rate), (1, 0, 20))

    def test_float_price(self):
        self.assertEqual(Line("pen", 0.1, 3).net(), D("0.30"))

    def test_rejects_quantity(self):
        for quantity in (0, -1):
            with self.assertRaises(ValueError):
                Line("pen", 1, quantity)

    def test_rejects_discount(self):
        for discount in (-1, "100.5"):
            with self.assertRaises(ValueError):
                Line("pen", 1, 1, discount)

    def test_full_discount_is_free(self):
        self.assertEqual(Line("pen", 5, 1, 100).net(), D("0.00"))
        self.assertEqual(Line("pen", 5, 1, 0).net(), D("5.00"))

    def test_rejects_negative_tax(self):
        with self.assertRaises(ValueError):
            Line("pen", 1, tax_rate=-1)
        self.assertEqual(Line("pen", 1, tax_rate=0).tax_rate, 0)

    def test_net_is_rounded_once(self):
        self.assertEqual(Line("screw", "0.333", 3).net(), D("1.00"))
        self.assertEqual(Line("screw", "0.125", 2, 50).net(), D("0.13"))

    def test_discount_holds_for_the_whole_quantity(self):
        self.assertEqual(Line("pen", "10", 3, 25).net(), D("22.50"))


class LinesTest(unittest.TestCase):
    def test_equal_positions_are_merged(self):
        invoice = invoice_of(("pen", "1.50", 2), ("pen", 1.5, 3))
        self.assertEqual(len(invoice.lines), 1)
        self.assertEqual(invoice.lines[0].quantity, 5)

    def test_merging_returns_the_known_line(self):
        invoice = Invoice()
        first = invoice.add("pen", 1)
        self.assertIs(invoice.add("pen", 1), first)

    def test_different_positions_stay_apart(self):
        invoice = invoice_of(
            ("pen", 1), ("ink", 1), ("pen", 2), ("pen", 1, 1, 5), ("pen", 1, 1, 0, 10)
        )
        self.assertEqual(len(invoice.lines), 5)

    def test_invoices_do_not_share_lines(self):
        invoice_of(("pen", 1))
        self.assertEqual(Invoice().lines, [])

    def test_bad_line_is_not_added(self):
        invoice = Invoice()
        with self.assertRaises(ValueError):
            invoice.add("pen", 1, 0)
        self.assertEqual(invoice.lines, [])

    def test_empty_subtotal(self):
        self.assertEqual(str(Invoice().subtotal()), "0.00")
        self.assertEqual(Invoice(discount=10).total(), 0)


class TaxTest(unittest.TestCase):
    def test_discount_amount_rounds(self):
        self.assertEqual(invoice_of(("pen", "0.50"), discount=5).discount_amount(), D("0.03"))

    def test_float_discount(self):
        invoice = invoice_of(("pen", "100"), discount=0.1)
        self.assertEqual(invoice.discount_amount(), D("0.10"))

    def test_net_by_rate_in_rising_order(self):
        invoice = invoice_of(("a", 1, 1, 0, 20), ("b", 2, 1, 0, 0), ("c", 3, 1, 0, 10))
        self.assertEqual(list(invoice.net_by_rate().items()), [(0, 2), (10, 3), (20, 1)])

    def test_net_by_rate_adds_lines_of_one_rate(self):
        invoice = invoice_of(("a", 1), ("b", 2), ("c", 4, 1, 0, 10))
        self.assertEqual(invoice.net_by_rate(), {10: 4, 20: 3})

    def test_highest_rate_takes_the_rest(self):
        invoice = invoice_of(("a", "0.05", 1, 0, 10), ("b", "0.05", 1, 0, 20), discount=10)
        self.assertEqual(invoice.discount_amount(), D("0.01"))
        self.assertEqual(invoice.net_by_rate(), {10: D("0.04"), 20: D("0.05")})

    def test_discounted_rates_add_up(self):
        invoice = invoice_of(
            ("a", "3.33", 1, 0, 5), ("b", "3.33", 1, 0, 10), ("c", "3.33"), discount=15
        )
        self.assertEqual(
            sum(invoice.net_by_rate().values()), invoice.subtotal() - invoice.discount_amount()
        )
        self.assertEqual(list(invoice.net_by_rate().values()), [D("2.83"), D("2.83"), D("2.83")])

    def test_tax_is_rounded_per_rate(self):
        invoice = invoice_of(*[(name, "0.12") for name in "abc"])
        self.assertEqual(invoice.taxes(), {20: D("0.07")})

    def test_zero_rate_is_left_out(self):
        self.assertEqual(invoice_of(("stamp", 1, 1, 0, 0)).taxes(), {})

    def test_low_rate_stays(self):
        self.assertEqual(invoice_of(("x", 100, 1, 0, "0.5")).taxes(), {D("0.5"): D("0.50")})

    def test_total_with_everything(self):
        invoice = invoice_of(("a", 100, 2, 10), ("b", 50, 1, 0, 10), discount=5)
        self.assertEqual(invoice.total(), D("257.45"))


class PayTest(unittest.TestCase):
    def setUp(self):
        self.invoice = invoice_of(("pen", "10.00"))

    def test_rejects_zero_and_negative(self):
        for amount in (0, "-1", "0.004"):
            with self.assertRaises(ValueError):
                self.invoice.pay(amount)

    def test_rejects_too_much(self):
        with self.assertRaises(ValueError):
            self.invoice.pay("12.01")
        self.assertEqual(self.invoice.payments, [])

    def test_exact_payment(self):
        self.assertEqual(self.invoice.pay("12.00"), 0)
        self.assertEqual(self.invoice.status(), "paid")

    def test_second_payment_is_limited_by_the_rest(self):
        self.invoice.pay("10")
        with self.assertRaises(ValueError):
            self.invoice.pay("3")
        self.assertEqual(self.invoice.pay("0.50"), D("1.50"))

    def test_status(self):
        self.assertEqual(Invoice().status(), "empty")
        self.assertEqual(self.invoice.status(), "open")
        self.invoice.pay("1")
        self.assertEqual(self.invoice.status(), "partial")

    def test_free_invoice_is_paid(self):
        self.assertEqual(invoice_of(("gift", 5, 1, 100)).status(), "paid")
