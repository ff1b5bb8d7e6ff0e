import unittest

from spanlib.spans import clip, free, length, merge, overlap, parse


class TestHidden(unittest.TestCase):
    def test_parse_pair(self):
        self.assertEqual(parse("3-7"), (3, 7))

    def test_parse_single(self):
        self.assertEqual(parse("5"), (5, 6))

    def test_parse_space(self):
        self.assertEqual(parse(" 5-8 "), (5, 8))

    def test_parse_shortest(self):
        self.assertEqual(parse("5-6"), (5, 6))

    def test_parse_empty(self):
        for text in ("7-3", "4-4"):
            with self.assertRaises(ValueError):
                parse(text)

    def test_length(self):
        self.assertEqual(length((3, 7)), 4)

    def test_length_reversed(self):
        self.assertEqual(length((7, 3)), 0)

    def test_overlap(self):
        self.assertTrue(overlap((1, 5), (3, 8)))
        self.assertTrue(overlap((3, 8), (1, 5)))

    def test_overlap_inside(self):
        self.assertTrue(overlap((1, 9), (3, 4)))

    def test_overlap_touching(self):
        self.assertFalse(overlap((1, 3), (3, 5)))
        self.assertFalse(overlap((3, 5), (1, 3)))

    def test_clip(self):
        self.assertEqual(clip((1, 9), 3, 6), (3, 6))
        self.assertEqual(clip((4, 5), 3, 6), (4, 5))

    def test_clip_outside(self):
        self.assertIsNone(clip((1, 3), 5, 9))

    def test_clip_touching(self):
        self.assertIsNone(clip((1, 3), 3, 9))

    def test_merge_order(self):
        self.assertEqual(merge([(10, 12), (1, 4)]), [(1, 4), (10, 12)])

    def test_merge_touching(self):
        self.assertEqual(merge([(1, 3), (3, 5)]), [(1, 5)])

    def test_merge_inside(self):
        self.assertEqual(merge([(1, 9), (2, 3), (4, 5)]), [(1, 9)])

    def test_merge_apart(self):
        self.assertEqual(merge([(1, 3), (4, 5)]), [(1, 3), (4, 5)])

    def test_merge_nothing(self):
        self.assertEqual(merge([]), [])

    def test_free(self):
        self.assertEqual(free([(3, 5)], 0, 10), [(0, 3), (5, 10)])

    def test_free_all(self):
        self.assertEqual(free([], 0, 4), [(0, 4)])

    def test_free_none(self):
        self.assertEqual(free([(0, 10)], 2, 8), [])

    def test_free_outside(self):
        self.assertEqual(free([(-5, -2), (20, 30)], 0, 10), [(0, 10)])

    def test_free_at_least(self):
        self.assertEqual(free([(3, 5), (6, 9)], 0, 10, 3), [(0, 3)])

    def test_free_edge(self):
        self.assertEqual(free([(0, 2), (8, 10)], 0, 10), [(2, 8)])
