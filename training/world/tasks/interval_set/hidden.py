import unittest

from spanset.spans import SpanSet, normalize


class NormalizeTest(unittest.TestCase):
    def test_touching_spans_are_joined(self):
        self.assertEqual(normalize([(1, 2), (2, 3)]), [(1, 3)])

    def test_inner_span_does_not_shorten(self):
        self.assertEqual(normalize([(0, 10), (2, 3)]), [(0, 10)])

    def test_separate_spans_stay(self):
        self.assertEqual(normalize([(3, 4), (1, 2)]), [(1, 2), (3, 4)])

    def test_empty_spans_are_dropped(self):
        self.assertEqual(normalize([(1, 1), (5, 6)]), [(5, 6)])
        self.assertEqual(normalize([]), [])

    def test_reversed_span_is_an_error(self):
        with self.assertRaises(ValueError):
            normalize([(2, 1)])

    def test_chain_of_overlaps(self):
        self.assertEqual(normalize([(4, 6), (0, 3), (2, 5)]), [(0, 6)])


class BasicsTest(unittest.TestCase):
    def test_repr_and_iteration(self):
        spans = SpanSet([(5, 6), (1, 2)])
        self.assertEqual(repr(spans), "SpanSet([(1, 2), (5, 6)])")
        self.assertEqual(list(spans), [(1, 2), (5, 6)])

    def test_len_counts_spans(self):
        self.assertEqual(len(SpanSet([(0, 5), (5, 9), (20, 21)])), 2)

    def test_equality_and_hash(self):
        self.assertEqual(SpanSet([(0, 2), (2, 4)]), SpanSet([(0, 4)]))
        self.assertNotEqual(SpanSet([(0, 4)]), [(0, 4)])
        self.assertEqual(len({SpanSet([(0, 4)]), SpanSet([(0, 2), (1, 4)])}), 1)

    def test_contains_start_but_not_end(self):
        spans = SpanSet([(1, 3), (5, 8)])
        self.assertEqual([n for n in range(10) if n in spans], [1, 2, 5, 6, 7])

    def test_contains_fraction(self):
        self.assertIn(2.5, SpanSet([(1, 3)]))
        self.assertNotIn(3.5, SpanSet([(1, 3)]))

    def test_empty_contains_nothing(self):
        self.assertNotIn(0, SpanSet())
        self.assertFalse(SpanSet())


class OperatorsTest(unittest.TestCase):
    def setUp(self):
        self.a = SpanSet([(0, 5), (10, 15)])
        self.b = SpanSet([(3, 12)])

    def test_union_bridges(self):
        self.assertEqual(list(self.a | self.b), [(0, 15)])

    def test_union_with_empty(self):
        self.assertEqual(self.a | SpanSet(), self.a)

    def test_intersection_of_many(self):
        self.assertEqual(list(self.a & self.b), [(3, 5), (10, 12)])

    def test_intersection_of_touching_is_empty(self):
        self.assertEqual(SpanSet([(0, 3)]) & SpanSet([(3, 5)]), SpanSet())

    def test_difference_cuts_both_ends(self):
        self.assertEqual(list(self.a - self.b), [(0, 3), (12, 15)])
        self.assertEqual(list(self.b - self.a), [(5, 10)])

    def test_difference_swallows(self):
        self.assertEqual(SpanSet([(2, 4)]) - SpanSet([(2, 4)]), SpanSet())
        self.assertEqual(SpanSet([(2, 4)]) - SpanSet([(0, 9)]), SpanSet())

    def test_difference_of_touching(self):
        self.assertEqual(SpanSet([(2, 4)]) - SpanSet([(0, 2), (4, 6)]), SpanSet([(2, 4)]))

    def test_difference_with_several_cuts(self):
        cut = SpanSet([(1, 2), (4, 5), (9, 20)])
        self.assertEqual(list(SpanSet([(0, 10)]) - cut), [(0, 1), (2, 4), (5, 9)])

    def test_symmetric_difference(self):
        self.assertEqual(list(self.a ^ self.b), [(0, 3), (5, 10), (12, 15)])

    def test_operands_are_not_changed(self):
        self.a | self.b, self.a & self.b, self.a - self.b
        self.assertEqual(list(self.a), [(0, 5), (10, 15)])


class QueriesTest(unittest.TestCase):
    def setUp(self):
        self.spans = SpanSet([(1, 3), (5, 8), (10, 11)])

    def test_measure(self):
        self.assertEqual(self.spans.measure(), 6)
        self.assertEqual(SpanSet().measure(), 0)

    def test_bounds(self):
        self.assertEqual(self.spans.bounds(), (1, 11))
        self.assertIsNone(SpanSet().bounds())

    def test_inner_gaps(self):
        self.assertEqual(list(self.spans.gaps()), [(3, 5), (8, 10)])

    def test_gaps_with_limits(self):
        self.assertEqual(list(self.spans.gaps(0, 12)), [(0, 1), (3, 5), (8, 10), (11, 12)])
        self.assertEqual(list(self.spans.gaps(2, 4)), [(3, 4)])

    def test_gaps_with_one_limit(self):
        self.assertEqual(list(self.spans.gaps(low=0)), [(0, 1), (3, 5), (8, 10)])
        self.assertEqual(list(self.spans.gaps(low=4)), [(4, 5), (8, 10)])
        self.assertEqual(list(self.spans.gaps(high=6)), [(3, 5)])

    def test_gaps_of_empty_set(self):
        self.assertEqual(SpanSet().gaps(), SpanSet())
        self.assertEqual(SpanSet().gaps(low=3), SpanSet())
        self.assertEqual(list(SpanSet().gaps(0, 4)), [(0, 4)])

    def test_gaps_with_reversed_limits(self):
        self.assertEqual(self.spans.gaps(9, 4), SpanSet())

    def test_covers_exactly(self):
        self.assertTrue(self.spans.covers(5, 8))
        self.assertFalse(self.spans.covers(5, 9))
        self.assertFalse(self.spans.covers(4, 8))

    def test_covers_over_a_gap(self):
        self.assertFalse(self.spans.covers(1, 8))

    def test_covers_empty_range(self):
        self.assertTrue(self.spans.covers(4, 4))
        self.assertTrue(SpanSet().covers(9, 3))

    def test_shift(self):
        self.assertEqual(list(self.spans.shift(-2)), [(-1, 1), (3, 6), (8, 9)])

    def test_grow_joins(self):
        self.assertEqual(list(self.spans.grow(1)), [(0, 12)])
        self.assertEqual(list(self.spans.grow(0.5)), [(0.5, 3.5), (4.5, 8.5), (9.5, 11.5)])

    def test_shrink_drops(self):
        self.assertEqual(list(self.spans.grow(-1)), [(6, 7)])
