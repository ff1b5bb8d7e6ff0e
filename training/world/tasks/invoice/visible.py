import unittest
from decimal import Decimal

from billcraft.invoice import Invoice, Line, cents


class InvoiceTest(unittest.TestCase):
    def test_cents(self):
        self.assertEqual(cents("1.234"), Decimal("1.23"))

    def test_line_net(self):
        self.assertEqual(Line("pen", "1.50", 4).net(), Decimal("6.00"))
        self.assertEqual(Line("pen", "10", 1, discount=10).net(), Decimal("9.00"))

    def test_subtotal(self):
        invoice = Invoice()
        invoice.add("pen", "1.50", 4)
        invoice.add("ink", "5.00")
        self.assertEqual(invoice.subtotal(), Decimal("11.00"))

    def test_taxes_by_rate(self):
        invoice = Invoice()
        invoice.add("pen", "10.00")
        invoice.add("book", "20.00", tax_rate=10)
        self.assertEqual(invoice.taxes(), {20: Decimal("2.00"), 10: Decimal("2.00")})

    def test_discount(self):
        invoice = Invoice(discount=10)
        invoice.add("pen", "10.00")
        self.assertEqual(invoice.discount_amount(), Decimal("1.00"))
        self.assertEqual(invoice.net_by_rate(), {20: Decimal("9.00")})

    def test_total(self):
        invoice = Invoice()
        invoice.add("pen", "10.00", 2)
        self.assertEqual(invoice.total(), Decimal("24.00"))

    def test_pay(self):
        invoice = Invoice()
        invoice.add("pen", "10.00")
        self.assertEqual(invoice.status(), "open")
        self.assertEqual(invoice.pay("5.00"), Decimal("7.00"))
        self.assertEqual(invoice.balance(), Decimal("7.00"))
