import unittest

from textflow.wrap import align, dedent, fill, indent, shorten, wrap


class TestWrap(unittest.TestCase):
    def test_wrap(self):
        self.assertEqual(wrap("the quick brown fox", 10), ["the quick", "brown fox"])

    def test_wrap_with_prefixes(self):
        self.assertEqual(wrap("one two three", 9, first="* ", rest="  "), ["* one two", "  three"])

    def test_fill(self):
        self.assertEqual(fill("a b\nc\n\nd e", 20), "a b c\n\nd e")

    def test_indent(self):
        self.assertEqual(indent("a\nb\n", "> "), "> a\n> b\n")

    def test_dedent(self):
        self.assertEqual(dedent("  a\n    b\n  c"), "a\n  b\nc")

    def test_shorten(self):
        self.assertEqual(shorten("hello big world", 12), "hello big...")
        self.assertEqual(shorten("hello", 12), "hello")

    def test_align(self):
        self.assertEqual(align("ab", 5), "ab   ")
        self.assertEqual(align("ab", 5, "right"), "   ab")
        self.assertEqual(align("ab", 6, "center"), "  ab  ")
