import unittest

from sumrange.fenwick import FenwickTree, RankedCounts


class FenwickTreeTest(unittest.TestCase):
    def test_prefix_sum(self):
        tree = FenwickTree([1, 2, 3, 4])
        self.assertEqual(tree.prefix_sum(2), 3)
        self.assertEqual(tree.prefix_sum(4), 10)

    def test_range_sum(self):
        self.assertEqual(FenwickTree([1, 2, 3, 4]).range_sum(1, 3), 5)

    def test_add(self):
        tree = FenwickTree([1, 2, 3])
        tree.add(1, 10)
        self.assertEqual(tree[1], 12)
        self.assertEqual(tree.prefix_sum(3), 16)

    def test_set_returns_old_value(self):
        tree = FenwickTree([1, 2, 3])
        self.assertEqual(tree.set(0, 5), 1)
        self.assertEqual(tree[0], 5)


class RankedCountsTest(unittest.TestCase):
    def setUp(self):
        self.counts = RankedCounts(10)
        for value in (3, 5, 7):
            self.counts.add(value)

    def test_len(self):
        self.assertEqual(len(self.counts), 3)

    def test_rank(self):
        self.assertEqual(self.counts.rank(6), 2)

    def test_kth(self):
        self.assertEqual(self.counts.kth(0), 3)
        self.assertEqual(self.counts.kth(2), 7)

    def test_median(self):
        self.assertEqual(self.counts.median(), 5)


if __name__ == "__main__":
    unittest.main()
