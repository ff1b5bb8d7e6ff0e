import unittest

from spanset.spans import SpanSet, normalize


class SpanSetTest(unittest.TestCase):
    def test_normalize(self):
        self.assertEqual(normalize([(5, 8), (1, 3), (2, 4)]), [(1, 4), (5, 8)])

    def test_contains(self):
        spans = SpanSet([(1, 3), (5, 8)])
        self.assertIn(2, spans)
        self.assertNotIn(4, spans)

    def test_union_and_intersection(self):
        a, b = SpanSet([(0, 5)]), SpanSet([(3, 8)])
        self.assertEqual(a | b, SpanSet([(0, 8)]))
        self.assertEqual(a & b, SpanSet([(3, 5)]))

    def test_difference(self):
        self.assertEqual(SpanSet([(0, 10)]) - SpanSet([(3, 5)]), SpanSet([(0, 3), (5, 10)]))
        self.assertEqual(SpanSet([(0, 5)]) ^ SpanSet([(3, 8)]), SpanSet([(0, 3), (5, 8)]))

    def test_measure_and_bounds(self):
        spans = SpanSet([(1, 3), (5, 8)])
        self.assertEqual(spans.measure(), 5)
        self.assertEqual(spans.bounds(), (1, 8))

    def test_gaps(self):
        self.assertEqual(SpanSet([(1, 3), (5, 8)]).gaps(), SpanSet([(3, 5)]))

    def test_covers(self):
        self.assertTrue(SpanSet([(1, 5)]).covers(2, 4))
        self.assertFalse(SpanSet([(1, 5)]).covers(4, 9))

    def test_shift_and_grow(self):
        self.assertEqual(SpanSet([(1, 3)]).shift(2), SpanSet([(3, 5)]))
        self.assertEqual(SpanSet([(2, 3)]).grow(1), SpanSet([(1, 4)]))
