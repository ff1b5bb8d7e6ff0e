import unittest

from checknumbers.digits import (
    CheckError,
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


class CleanTest(unittest.TestCase):
    def test_blanks_and_dashes_go(self):
        self.assertEqual(clean(" 1 2--3 "), "123")

    def test_capitals(self):
        self.assertEqual(clean("1x", extra="X"), "1X")

    def test_unexpected_letters(self):
        for text in ("1a", "1.5", "1X", "²", "1_0"):
            with self.assertRaises(CheckError):
                clean(text)

    def test_error_names_the_letter(self):
        with self.assertRaisesRegex(CheckError, "unexpected 'A'"):
            clean("12a4")

    def test_nothing_left(self):
        for text in ("", " - "):
            with self.assertRaisesRegex(CheckError, "no digits"):
                clean(text)
        self.assertTrue(issubclass(CheckError, ValueError))


class LuhnTest(unittest.TestCase):
    def test_digit_of_short_numbers(self):
        self.assertEqual([luhn_digit(str(n)) for n in range(10)], list("0864297531"))

    def test_digit_of_longer_numbers(self):
        self.assertEqual(luhn_digit("411111111111111"), "1")
        self.assertEqual(luhn_digit("37828224631000"), "5")
        self.assertEqual(luhn_digit("123"), "0")

    def test_leading_zeros_and_blanks(self):
        self.assertEqual(luhn_digit("00 79-92739871"), "3")

    def test_valid(self):
        self.assertIs(luhn_valid("4111 1111 1111 1111"), True)
        self.assertIs(luhn_valid("00"), True)

    def test_every_other_digit_is_wrong(self):
        good = [digit for digit in "0123456789" if luhn_valid("7992739871" + digit)]
        self.assertEqual(good, ["3"])

    def test_swapped_neighbours_are_noticed(self):
        self.assertFalse(luhn_valid("79927389713"))

    def test_too_short_or_malformed(self):
        for text in ("0", "", "4111x", "-"):
            self.assertIs(luhn_valid(text), False)


class IsbnTest(unittest.TestCase):
    def test_isbn10_digits(self):
        self.assertEqual(isbn10_digit("097522980"), "X")
        self.assertEqual(isbn10_digit("000000000"), "0")
        self.assertEqual(isbn10_digit("000000001"), "9")
        self.assertEqual(isbn10_digit("100000000"), "1")

    def test_isbn10_digit_length(self):
        for body in ("12345678", "1234567890"):
            with self.assertRaisesRegex(CheckError, "nine digits"):
                isbn10_digit(body)

    def test_isbn13_digits(self):
        self.assertEqual(isbn13_digit("979030640615"), "6")
        self.assertEqual(isbn13_digit("000000000001"), "7")
        self.assertEqual(isbn13_digit("100000000000"), "9")
        self.assertEqual(isbn13_digit("400638133393"), "1")
        self.assertEqual(isbn13_digit("000000000000"), "0")

    def test_isbn13_digit_length(self):
        for body in ("12345678901", "1234567890123"):
            with self.assertRaisesRegex(CheckError, "twelve digits"):
                isbn13_digit(body)

    def test_isbn10_to_13_with_x(self):
        self.assertEqual(isbn10_to_13("0-9752298-0-x"), "9780975229804")

    def test_isbn10_to_13_wrong(self):
        for isbn in ("0306406153", "030640615", "03064061522", "X306406152"):
            with self.assertRaises(CheckError):
                isbn10_to_13(isbn)

    def test_normalize_isbn10(self):
        self.assertEqual(normalize_isbn("0 306 40615 2"), "9780306406157")
        self.assertEqual(normalize_isbn("097522980x"), "9780975229804")

    def test_normalize_isbn13(self):
        self.assertEqual(normalize_isbn("979-0-306-40615-6"), "9790306406156")

    def test_normalize_wrong_check_digit(self):
        with self.assertRaisesRegex(CheckError, "wrong check digit"):
            normalize_isbn("9780306406158")
        with self.assertRaises(CheckError):
            normalize_isbn("0306406153")

    def test_normalize_wrong_prefix(self):
        for isbn in ("4006381333931", "9771234567898"):
            with self.assertRaisesRegex(CheckError, "not an ISBN"):
                normalize_isbn(isbn)

    def test_normalize_wrong_length(self):
        for isbn in ("97803064061", "97803064061570", "123456789"):
            with self.assertRaisesRegex(CheckError, "not an ISBN"):
                normalize_isbn(isbn)


class IbanTest(unittest.TestCase):
    def test_valid(self):
        for iban in ("DE89370400440532013000", "gb82west12345698765432", "NO93 8601 1117 947"):
            self.assertIs(iban_valid(iban), True)

    def test_wrong_digits(self):
        for iban in ("DE88370400440532013000", "DE89370400440532013001"):
            self.assertIs(iban_valid(iban), False)

    def test_length(self):
        # The checksums of all four are right, so that only the length decides.
        self.assertIs(iban_valid("NO531111111000"), False)
        self.assertIs(iban_valid("NO8811111111000"), True)
        self.assertIs(iban_valid("NO42111111111111111111111111111000"), True)
        self.assertIs(iban_valid("NO751111111111111111111111111111000"), False)

    def test_form(self):
        for iban in ("", "1234567890123456", "DEX9370400440532013000", "DE89!70400440532013000"):
            self.assertIs(iban_valid(iban), False)

    def test_form_despite_right_checksum(self):
        for iban in ("12301111111111111000", "D1641111111111111000", "DEA71111111111111011"):
            self.assertIs(iban_valid(iban), False)
        self.assertIs(iban_valid("DE0A1111111111111011"), False)


class DammTest(unittest.TestCase):
    def test_digits(self):
        self.assertEqual([damm(str(n)) for n in range(10)], list("0317598642"))
        self.assertEqual([damm("43881234567"), damm("572")], ["9", "4"])

    def test_number_with_its_digit(self):
        for number in ("572", "123456789", "00", "9-8 7"):
            self.assertEqual(damm(number + damm(number)), "0")

    def test_swapped_neighbours(self):
        self.assertNotEqual(damm("5274"), "0")


class MaskTest(unittest.TestCase):
    def test_separators_are_kept(self):
        self.assertEqual(mask("4111-1111 1111-1234"), "****-**** ****-1234")

    def test_shown_and_letter(self):
        self.assertEqual(mask("12345", shown=2, letter="#"), "###45")
        self.assertEqual(mask("123", shown=0), "***")

    def test_short_numbers_are_shown(self):
        self.assertEqual(mask("1234"), "1234")
        self.assertEqual(mask("12"), "12")
        self.assertEqual(mask(""), "")

    def test_one_digit_hidden(self):
        self.assertEqual(mask("1-2345"), "*-2345")


if __name__ == "__main__":
    unittest.main()
