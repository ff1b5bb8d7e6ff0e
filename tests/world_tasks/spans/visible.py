import unittest

from spanlib.spans import clip, free, length, merge, overlap, parse


class TestSpans(unittest.TestCase):
    def test_parse(self):
        self.assertEqual(parse("3-7"), (3, 7))

    def test_length(self):
        self.assertEqual(length((3, 7)), 4)

    def test_overlap(self):
        self.assertTrue(overlap((1, 5), (3, 8)))

    def test_clip(self):
        self.assertEqual(clip((1, 9), 3, 6), (3, 6))

    def test_merge(self):
        self.assertEqual(merge([(1, 4), (3, 6), (10, 12)]), [(1, 6), (10, 12)])

    def test_free(self):
        self.assertEqual(free([(3, 5)], 0, 10), [(0, 3), (5, 10)])


if __name__ == "__main__":
    unittest.main()
