import unittest

from textlay.wrap import center, indent, initials, shorten, tabulate, wrap


class TestHidden(unittest.TestCase):
    def test_wrap_exact(self):
        self.assertEqual(wrap("one two", 7), ["one two"])

    def test_wrap_below(self):
        self.assertEqual(wrap("one two", 6), ["one", "two"])

    def test_wrap_long_word(self):
        self.assertEqual(wrap("a enormous b", 4), ["a", "enormous", "b"])

    def test_wrap_spaces(self):
        self.assertEqual(wrap("  a   b  ", 10), ["a b"])

    def test_wrap_nothing(self):
        self.assertEqual(wrap("", 5), [])

    def test_wrap_one(self):
        self.assertEqual(wrap("a b", 1), ["a", "b"])

    def test_wrap_width(self):
        with self.assertRaises(ValueError):
            wrap("a", 0)

    def test_shorten(self):
        self.assertEqual(shorten("hello world", 9), "hello...")

    def test_shorten_fits(self):
        self.assertEqual(shorten("hello", 5), "hello")

    def test_shorten_mark(self):
        self.assertEqual(shorten("hello", 4, "~"), "hel~")

    def test_shorten_small(self):
        self.assertEqual(shorten("hello", 3), "...")
        with self.assertRaises(ValueError):
            shorten("hello", 2)

    def test_indent_default(self):
        self.assertEqual(indent(["a"]), ["    a"])

    def test_indent_empty(self):
        self.assertEqual(indent(["a", "", "b"], 1), [" a", "", " b"])

    def test_indent_hanging(self):
        self.assertEqual(indent(["a", "b"], 1, first=False), ["a", " b"])

    def test_center_odd(self):
        self.assertEqual(center("ab", 5), " ab  ")

    def test_center_fill(self):
        self.assertEqual(center("x", 3, "*"), "*x*")

    def test_center_long(self):
        self.assertEqual(center("abc", 2), "abc")
        self.assertEqual(center("abc", 3), "abc")

    def test_initials(self):
        self.assertEqual(initials("ada king lovelace"), "A.K.L.")

    def test_initials_nothing(self):
        self.assertEqual(initials(" "), "")

    def test_tabulate_short_row(self):
        self.assertEqual(tabulate([["a", "b"], ["cc"]]), ["a   b", "cc"])

    def test_tabulate_gap(self):
        self.assertEqual(tabulate([["a", "b"]], 1), ["a b"])

    def test_tabulate_nothing(self):
        self.assertEqual(tabulate([]), [])
