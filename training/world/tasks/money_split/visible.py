import unittest
from decimal import Decimal

from coinsplit.money import CurrencyMismatch, Money, allocate, round_half_up, split, total


class MoneyTest(unittest.TestCase):
    def test_round_half_up(self):
        self.assertEqual(round_half_up("1.234"), Decimal("1.23"))
        self.assertEqual(round_half_up("1.236"), Decimal("1.24"))

    def test_parse_and_str(self):
        self.assertEqual(Money.parse("12.34"), Money(1234))
        self.assertEqual(str(Money(1234)), "12.34 EUR")

    def test_add_and_subtract(self):
        self.assertEqual(Money(100) + Money(50), Money(150))
        self.assertEqual(Money(100) - Money(30), Money(70))

    def test_currencies_do_not_mix(self):
        with self.assertRaises(CurrencyMismatch):
            Money(1, "EUR") + Money(1, "USD")

    def test_order(self):
        self.assertLess(Money(1), Money(2))

    def test_times_and_percent(self):
        self.assertEqual(Money(200).times(3), Money(600))
        self.assertEqual(Money(200).percent(10), Money(20))

    def test_split(self):
        self.assertEqual(split(Money(100), 3), [Money(34), Money(33), Money(33)])

    def test_allocate(self):
        self.assertEqual(allocate(Money(100), [1, 3]), [Money(25), Money(75)])

    def test_total(self):
        self.assertEqual(total([Money(1), Money(2), Money(3)]), Money(6))
