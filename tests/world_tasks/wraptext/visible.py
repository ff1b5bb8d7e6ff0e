import unittest

from textlay.wrap import center, indent, initials, shorten, tabulate, wrap


class TestWrap(unittest.TestCase):
    def test_wrap(self):
        self.assertEqual(wrap("one two three", 8), ["one two", "three"])

    def test_shorten(self):
        self.assertEqual(shorten("hello world", 8), "hello...")

    def test_indent(self):
        self.assertEqual(indent(["a", "b"], 2), ["  a", "  b"])

    def test_center(self):
        self.assertEqual(center("ab", 6), "  ab  ")

    def test_initials(self):
        self.assertEqual(initials("Ada Lovelace"), "A.L.")

    def test_tabulate(self):
        self.assertEqual(tabulate([["a", "bb"], ["ccc", "d"]]), ["a    bb", "ccc  d"])


if __name__ == "__main__":
    unittest.main()
