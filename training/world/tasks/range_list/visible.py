import unittest

from rangelist.ranges import RangeError, add, chunk, compact, expand, invert, parse, remove, span


class RangesTest(unittest.TestCase):
    def test_parse(self):
        self.assertEqual(parse("1-3,5"), [(1, 3), (5, 5)])

    def test_parse_rejects_words(self):
        with self.assertRaises(RangeError):
            parse("one")

    def test_expand(self):
        self.assertEqual(expand("1-3,5"), [1, 2, 3, 5])

    def test_compact(self):
        self.assertEqual(compact([1, 2, 3, 5]), "1-3,5")

    def test_add_and_remove(self):
        self.assertEqual(add("1-3", "5-7"), "1-3,5-7")
        self.assertEqual(remove("1-9", "4-6"), "1-3,7-9")

    def test_invert(self):
        self.assertEqual(invert("3-5", 1, 9), "1-2,6-9")

    def test_span(self):
        self.assertEqual(span("2-4,9"), (2, 9, 4))

    def test_chunk(self):
        self.assertEqual(chunk("1-6", 3), ["1-3", "4-6"])
