import unittest

from checknumbers.digits import (
    clean,
    damm,
    iban_valid,
    isbn10_digit,
    isbn10_to_13,
    isbn13_digit,
    luhn_digit,
    luhn_valid,
    mask,
    normalize_isbn,
)


class CheckDigitsTest(unittest.TestCase):
    def test_clean(self):
        self.assertEqual(clean("12-34 5"), "12345")

    def test_luhn(self):
        self.assertEqual(luhn_digit("7992739871"), "3")
        self.assertTrue(luhn_valid("79927398713"))
        self.assertFalse(luhn_valid("79927398710"))

    def test_isbn10(self):
        self.assertEqual(isbn10_digit("030640615"), "2")

    def test_isbn13(self):
        self.assertEqual(isbn13_digit("978030640615"), "7")

    def test_isbn10_to_13(self):
        self.assertEqual(isbn10_to_13("0-306-40615-2"), "9780306406157")

    def test_normalize_isbn(self):
        self.assertEqual(normalize_isbn("978-0-306-40615-7"), "9780306406157")

    def test_iban(self):
        self.assertTrue(iban_valid("GB82 WEST 1234 5698 7654 32"))
        self.assertFalse(iban_valid("GB83 WEST 1234 5698 7654 32"))

    def test_damm(self):
        self.assertEqual(damm("572"), "4")

    def test_mask(self):
        self.assertEqual(mask("12345678"), "****5678")


if __name__ == "__main__":
    unittest.main()
