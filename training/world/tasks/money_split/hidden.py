import unittest
from decimal import Decimal

from coinsplit.money import CurrencyMismatch, Money, allocate, round_half_up, split, total


def cents(amounts):
    return [amount.cents for amount in amounts]


class RoundTest(unittest.TestCase):
    def test_halves_go_away_from_zero(self):
        self.assertEqual(round_half_up("0.125"), Decimal("0.13"))
        self.assertEqual(round_half_up("0.135"), Decimal("0.14"))
        self.assertEqual(round_half_up("-0.125"), Decimal("-0.13"))

    def test_floats_are_read_as_written(self):
        self.assertEqual(round_half_up(1.005), Decimal("1.01"))
        self.assertEqual(round_half_up(2.675), Decimal("2.68"))

    def test_other_digits(self):
        self.assertEqual(round_half_up("2.5", 0), Decimal("3"))
        self.assertEqual(str(round_half_up("1.0004", 3)), "1.000")

    def test_keeps_two_digits(self):
        self.assertEqual(str(round_half_up(3)), "3.00")


class MoneyTest(unittest.TestCase):
    def test_cents_must_be_int(self):
        for value in (1.5, "1", True, Decimal(1)):
            with self.assertRaises(TypeError):
                Money(value)

    def test_currency_is_upper_case(self):
        self.assertEqual(Money(1, "usd"), Money(1, "USD"))

    def test_parse_rounds(self):
        self.assertEqual(Money.parse("-12.345"), Money(-1235))
        self.assertEqual(Money.parse("0.005"), Money(1))

    def test_parse_currency_without_cents(self):
        self.assertEqual(Money.parse("1500.5", "jpy").cents, 1501)

    def test_parse_currency_with_three_digits(self):
        self.assertEqual(Money.parse("1.2345", "KWD").cents, 1235)

    def test_str_of_other_digits(self):
        self.assertEqual(str(Money(1500, "JPY")), "1500 JPY")
        self.assertEqual(str(Money(1500, "KWD")), "1.500 KWD")

    def test_str_of_small_and_negative(self):
        self.assertEqual(str(Money(5)), "0.05 EUR")
        self.assertEqual(str(Money(-250, "USD")), "-2.50 USD")

    def test_repr(self):
        self.assertEqual(repr(Money(-5, "usd")), "Money(-5, 'USD')")

    def test_equality_needs_the_currency(self):
        self.assertNotEqual(Money(1, "EUR"), Money(1, "USD"))
        self.assertNotEqual(Money(1), 1)
        self.assertEqual(len({Money(1), Money(1), Money(1, "USD")}), 2)

    def test_order(self):
        self.assertTrue(Money(2) > Money(1))
        self.assertTrue(Money(2) >= Money(2))
        self.assertFalse(Money(2) < Money(2))

    def test_order_needs_one_currency(self):
        with self.assertRaises(CurrencyMismatch):
            Money(1, "EUR") < Money(2, "USD")

    def test_arithmetic_keeps_currency(self):
        self.assertEqual(Money(5, "USD") + Money(6, "USD"), Money(11, "USD"))
        self.assertEqual(Money(5, "USD") - Money(6, "USD"), Money(-1, "USD"))

    def test_subtraction_needs_one_currency(self):
        with self.assertRaises(CurrencyMismatch):
            Money(1, "EUR") - Money(1, "USD")

    def test_negative_and_absolute(self):
        self.assertEqual(-Money(5, "USD"), Money(-5, "USD"))
        self.assertEqual(abs(Money(-5, "USD")), Money(5, "USD"))

    def test_times_rounds_halves_away(self):
        self.assertEqual(Money(5).times("0.5"), Money(3))
        self.assertEqual(Money(-5, "USD").times(0.5), Money(-3, "USD"))

    def test_percent(self):
        self.assertEqual(Money(999).percent(19), Money(190))
        self.assertEqual(Money(1000, "USD").percent("7.25"), Money(73, "USD"))


class SplitTest(unittest.TestCase):
    def test_larger_shares_first(self):
        self.assertEqual(cents(split(Money(11), 4)), [3, 3, 3, 2])

    def test_even(self):
        self.assertEqual(cents(split(Money(12), 4)), [3, 3, 3, 3])

    def test_fewer_cents_than_parts(self):
        self.assertEqual(cents(split(Money(2), 3)), [1, 1, 0])

    def test_negative(self):
        self.assertEqual(cents(split(Money(-100), 3)), [-34, -33, -33])

    def test_keeps_currency(self):
        self.assertEqual(split(Money(5, "USD"), 1), [Money(5, "USD")])
        self.assertEqual(split(Money(-5, "USD"), 1), [Money(-5, "USD")])

    def test_rejects_no_parts(self):
        for parts in (0, -1):
            with self.assertRaises(ValueError):
                split(Money(5), parts)


class AllocateTest(unittest.TestCase):
    def test_largest_remainder_wins(self):
        self.assertEqual(cents(allocate(Money(5), [3, 7])), [2, 3])
        self.assertEqual(cents(allocate(Money(10), [1, 1, 4])), [2, 2, 6])

    def test_ties_go_to_the_earlier(self):
        self.assertEqual(cents(allocate(Money(100), [1, 1, 1])), [34, 33, 33])
        self.assertEqual(cents(allocate(Money(5), [1, 1])), [3, 2])

    def test_nothing_is_lost(self):
        self.assertEqual(cents(allocate(Money(100), [1, 2, 3])), [17, 33, 50])

    def test_zero_weight_gets_nothing(self):
        self.assertEqual(cents(allocate(Money(7), [0, 2, 2])), [0, 4, 3])

    def test_negative_amount(self):
        self.assertEqual(cents(allocate(Money(-5, "USD"), [1, 1])), [-3, -2])
        self.assertEqual(allocate(Money(-4, "USD"), [1]), [Money(-4, "USD")])

    def test_rejects_weights(self):
        for weights in ([0, 0], [], [-1, 2]):
            with self.assertRaises(ValueError):
                allocate(Money(5), weights)


class TotalTest(unittest.TestCase):
    def test_empty(self):
        self.assertEqual(total([]), Money(0, "EUR"))
        self.assertEqual(total([], "USD"), Money(0, "USD"))

    def test_generator_of_other_currency(self):
        self.assertEqual(total(Money(n, "USD") for n in range(4)), Money(6, "USD"))

    def test_mixed(self):
        with self.assertRaises(CurrencyMismatch):
            total([Money(1), Money(1, "USD")])
