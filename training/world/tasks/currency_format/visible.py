import unittest
from decimal import Decimal

from moneyfmt.formatting import Style, abbreviate, align, format_amount, group, parse_amount


class FormattingTest(unittest.TestCase):
    def test_group(self):
        self.assertEqual(group("1234567"), "1,234,567")
        self.assertEqual(group("12"), "12")

    def test_style(self):
        with self.assertRaises(ValueError):
            Style(point=",", separator=",")

    def test_format_english(self):
        self.assertEqual(format_amount("1234.5", "$"), "$1,234.50")

    def test_format_german(self):
        self.assertEqual(format_amount("1234.5", "€", "de"), "1.234,50 €")

    def test_format_negative(self):
        self.assertEqual(format_amount(-5, "$"), "-$5.00")

    def test_parse(self):
        self.assertEqual(parse_amount("$1,234.50"), Decimal("1234.50"))
        with self.assertRaises(ValueError):
            parse_amount("none")

    def test_abbreviate(self):
        self.assertEqual(abbreviate(1500), "1.5K")
        self.assertEqual(abbreviate(2300000), "2.3M")

    def test_align(self):
        self.assertEqual(align(["1.5", "22.25"]), [" 1.5 ", "22.25"])
