import unittest
from decimal import Decimal

from moneyfmt.formatting import (
    STYLES,
    Style,
    abbreviate,
    align,
    format_amount,
    group,
    parse_amount,
)


class GroupTest(unittest.TestCase):
    def test_exact_groups_have_no_leading_separator(self):
        self.assertEqual(group("123"), "123")
        self.assertEqual(group("123456"), "123,456")

    def test_four_digits(self):
        self.assertEqual(group("1234"), "1,234")

    def test_last_size_repeats(self):
        self.assertEqual(group("123456789", sizes=(3, 2)), "12,34,56,789")

    def test_other_separator(self):
        self.assertEqual(group("1234567", "_", (4,)), "123_4567")

    def test_empty(self):
        self.assertEqual(group(""), "")

    def test_size_one(self):
        self.assertEqual(group("1234", " ", (1,)), "1 2 3 4")


class StyleTest(unittest.TestCase):
    def test_defaults(self):
        style = Style()
        self.assertEqual((style.point, style.separator, style.space), (".", ",", ""))
        self.assertIs(style.symbol_first, True)
        self.assertEqual(style.sizes, (3,))

    def test_sizes_are_copied(self):
        sizes = [3]
        style = Style(sizes=sizes)
        sizes.append(2)
        self.assertEqual(style.sizes, (3,))

    def test_known_locales(self):
        self.assertEqual(sorted(STYLES), ["ch", "de", "en", "in"])


class FormatTest(unittest.TestCase):
    def test_half_to_even(self):
        self.assertEqual(format_amount("0.125"), "0.12")
        self.assertEqual(format_amount("0.135"), "0.14")

    def test_float_is_read_as_written(self):
        self.assertEqual(format_amount(2.675), "2.68")

    def test_without_symbol_there_is_no_space(self):
        self.assertEqual(format_amount(5, locale="de"), "5,00")
        self.assertEqual(format_amount(5, locale="ch"), "5.00")

    def test_swiss(self):
        self.assertEqual(format_amount(1234567, "CHF", "ch"), "CHF 1'234'567.00")

    def test_indian(self):
        self.assertEqual(format_amount("12345678.9", "₹", "in"), "₹1,23,45,678.90")

    def test_format_places(self):
        self.assertEqual(format_amount("1234.5678", places=3), "1,234.568")
        self.assertEqual(format_amount("1234.5", places=0), "1,234")

    def test_large_number_is_not_in_exponent_form(self):
        self.assertEqual(format_amount("1e7", places=0), "10,000,000")

    def test_accounting(self):
        self.assertEqual(format_amount(-5, "$", accounting=True), "($5.00)")
        self.assertEqual(format_amount(5, "$", accounting=True), "$5.00")

    def test_negative_german(self):
        self.assertEqual(format_amount("-1234.5", "€", "de"), "-1.234,50 €")

    def test_rounded_to_zero_has_no_sign(self):
        self.assertEqual(format_amount("-0.004"), "0.00")
        self.assertEqual(format_amount("-0.004", "$", accounting=True), "$0.00")
        self.assertEqual(format_amount("-0.01"), "-0.01")

    def test_unknown_locale(self):
        with self.assertRaises(KeyError):
            format_amount(1, locale="xx")


class ParseTest(unittest.TestCase):
    def test_other_locales(self):
        self.assertEqual(parse_amount("1.234,50 €", "de"), Decimal("1234.50"))
        self.assertEqual(parse_amount("CHF 1'234.50", "ch"), Decimal("1234.50"))

    def test_several_separators(self):
        self.assertEqual(parse_amount("1,23,45,678"), Decimal("12345678"))

    def test_minus_before_and_after(self):
        self.assertEqual(parse_amount("-$5.00"), -5)
        self.assertEqual(parse_amount("$-5.00"), -5)
        self.assertEqual(parse_amount("5.00-"), -5)

    def test_brackets(self):
        self.assertEqual(parse_amount("($5.25)"), Decimal("-5.25"))

    def test_without_whole_or_fraction(self):
        self.assertEqual(parse_amount(".5"), Decimal("0.5"))
        self.assertEqual(parse_amount("7"), 7)

    def test_separator_in_the_fraction(self):
        with self.assertRaises(ValueError):
            parse_amount("1.234,50")

    def test_not_an_amount(self):
        for text in ("", "$", "1.2.3", "1-2"):
            with self.assertRaises(ValueError, msg=text):
                parse_amount(text)


class AbbreviateTest(unittest.TestCase):
    def test_bounds(self):
        self.assertEqual(abbreviate(999), "999")
        self.assertEqual(abbreviate(1000), "1K")
        self.assertEqual(abbreviate(1000000), "1M")
        self.assertEqual(abbreviate(10**9), "1B")

    def test_digits_are_cut_off(self):
        self.assertEqual(abbreviate(1290), "1.2K")
        self.assertEqual(abbreviate(999999), "999.9K")

    def test_abbreviate_places(self):
        self.assertEqual(abbreviate(1234567, places=3), "1.234M")
        self.assertEqual(abbreviate(10900, places=0), "10K")

    def test_trailing_zeros(self):
        self.assertEqual(abbreviate(1200, places=3), "1.2K")
        self.assertEqual(abbreviate(100000), "100K")

    def test_negative_and_small(self):
        self.assertEqual(abbreviate(-1500), "-1.5K")
        self.assertEqual(abbreviate("0.57"), "0.5")
        self.assertEqual(abbreviate("-0.01"), "0")
        self.assertEqual(abbreviate(0), "0")


class AlignTest(unittest.TestCase):
    def test_without_point(self):
        self.assertEqual(align(["100", "2.5"]), ["100  ", "  2.5"])

    def test_other_point(self):
        self.assertEqual(align(["1,5", "10,25"], ","), [" 1,5 ", "10,25"])

    def test_empty_and_whole_numbers(self):
        self.assertEqual(align([]), [])
        self.assertEqual(align(["1", "10"]), [" 1", "10"])
