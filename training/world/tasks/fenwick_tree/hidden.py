import unittest

from sumrange.fenwick import FenwickTree, RankedCounts


def counts_of(size, *values):
    counts = RankedCounts(size)
    for value in values:
        counts.add(value)
    return counts


class FenwickTreeTest(unittest.TestCase):
    def test_empty(self):
        tree = FenwickTree()
        self.assertEqual(len(tree), 0)
        self.assertEqual(tree.prefix_sum(0), 0)

    def test_len(self):
        self.assertEqual(len(FenwickTree([4, 4, 4])), 3)
        self.assertEqual(len(FenwickTree(range(5))), 5)

    def test_every_prefix_of_several_sizes(self):
        for size in (1, 2, 3, 7, 8, 9):
            values = [3 * number + 1 for number in range(size)]
            tree = FenwickTree(values)
            for end in range(size + 1):
                self.assertEqual(tree.prefix_sum(end), sum(values[:end]))

    def test_given_list_is_not_changed(self):
        values = [1, 2, 3]
        tree = FenwickTree(values)
        tree.add(0, 5)
        values[1] = 99
        self.assertEqual(values, [1, 99, 3])
        self.assertEqual(tree[1], 2)

    def test_getitem_counts_negative_from_end(self):
        tree = FenwickTree([1, 2, 3])
        self.assertEqual([tree[-1], tree[-3], tree[0], tree[2]], [3, 1, 1, 3])

    def test_getitem_out_of_range(self):
        tree = FenwickTree([1, 2, 3])
        for index in (3, -4, 10):
            with self.assertRaises(IndexError):
                tree[index]

    def test_getitem_empty(self):
        with self.assertRaises(IndexError):
            FenwickTree()[0]

    def test_add_changes_later_prefixes_only(self):
        tree = FenwickTree([1] * 8)
        tree.add(3, 10)
        sums = [tree.prefix_sum(end) for end in range(9)]
        self.assertEqual(sums, [0, 1, 2, 3, 14, 15, 16, 17, 18])

    def test_add_at_first_position(self):
        tree = FenwickTree([0] * 9)
        tree.add(0, 2)
        self.assertEqual([tree.prefix_sum(end) for end in range(10)], [0] + [2] * 9)

    def test_add_at_last_position(self):
        tree = FenwickTree([0] * 8)
        tree.add(7, 4)
        self.assertEqual([tree.prefix_sum(7), tree.prefix_sum(8)], [0, 4])

    def test_add_with_negative_index(self):
        tree = FenwickTree([1, 2, 3])
        tree.add(-1, 10)
        self.assertEqual(tree[2], 13)
        self.assertEqual(tree.prefix_sum(3), 16)
        self.assertEqual(tree.prefix_sum(2), 3)

    def test_add_negative_delta(self):
        tree = FenwickTree([5, 5])
        tree.add(0, -7)
        self.assertEqual([tree[0], tree.prefix_sum(2)], [-2, 3])

    def test_add_out_of_range(self):
        tree = FenwickTree([1, 2])
        for index in (2, -3):
            with self.assertRaises(IndexError):
                tree.add(index, 1)
        self.assertEqual(tree.prefix_sum(2), 3)

    def test_set_replaces_value(self):
        tree = FenwickTree([4, 5, 6])
        self.assertEqual(tree.set(1, 0), 5)
        self.assertEqual(tree[1], 0)
        self.assertEqual(tree.prefix_sum(3), 10)

    def test_set_with_negative_index(self):
        tree = FenwickTree([4, 5, 6])
        self.assertEqual(tree.set(-1, 1), 6)
        self.assertEqual(tree.range_sum(0, 3), 10)

    def test_set_twice(self):
        tree = FenwickTree([1, 1])
        tree.set(0, 7)
        self.assertEqual(tree.set(0, 2), 7)
        self.assertEqual(tree.prefix_sum(1), 2)

    def test_prefix_sum_bounds(self):
        tree = FenwickTree([1, 2])
        for end in (-1, 3):
            with self.assertRaises(ValueError):
                tree.prefix_sum(end)

    def test_range_sum_excludes_end(self):
        tree = FenwickTree([1, 10, 100, 1000])
        self.assertEqual(tree.range_sum(1, 2), 10)
        self.assertEqual(tree.range_sum(0, 4), 1111)
        self.assertEqual(tree.range_sum(2, 4), 1100)

    def test_range_sum_empty(self):
        tree = FenwickTree([1, 10, 100])
        self.assertEqual(tree.range_sum(2, 2), 0)
        self.assertEqual(tree.range_sum(2, 1), 0)
        self.assertEqual(tree.range_sum(9, 9), 0)

    def test_range_sum_out_of_range(self):
        with self.assertRaises(ValueError):
            FenwickTree([1, 2]).range_sum(0, 3)
        with self.assertRaises(ValueError):
            FenwickTree([1, 2]).range_sum(-1, 1)


class RankedCountsTest(unittest.TestCase):
    def test_starts_empty(self):
        self.assertEqual(len(RankedCounts(3)), 0)
        self.assertEqual(len(RankedCounts(0)), 0)

    def test_negative_size(self):
        with self.assertRaises(ValueError):
            RankedCounts(-1)

    def test_add_many_times(self):
        counts = RankedCounts(4)
        counts.add(2, 3)
        self.assertEqual(len(counts), 3)
        self.assertEqual(counts.rank(3), 3)

    def test_add_takes_away_to_zero(self):
        counts = counts_of(4, 1, 1, 2)
        counts.add(1, -2)
        self.assertEqual(len(counts), 1)
        self.assertEqual(counts.kth(0), 2)

    def test_add_below_zero(self):
        counts = counts_of(4, 1)
        with self.assertRaises(ValueError):
            counts.add(1, -2)
        self.assertEqual(len(counts), 1)

    def test_add_below_zero_with_other_values_held(self):
        counts = counts_of(4, 1, 2, 2)
        with self.assertRaises(ValueError):
            counts.add(1, -2)

    def test_add_outside_of_size(self):
        with self.assertRaises(IndexError):
            RankedCounts(3).add(3)

    def test_rank_counts_strictly_smaller(self):
        counts = counts_of(6, 2, 2, 4)
        self.assertEqual([counts.rank(value) for value in range(7)], [0, 0, 0, 2, 2, 3, 3])

    def test_kth_with_repeats(self):
        counts = counts_of(6, 4, 2, 2, 0)
        self.assertEqual([counts.kth(k) for k in range(4)], [0, 2, 2, 4])

    def test_kth_of_largest_value(self):
        for size in (1, 2, 5, 8):
            self.assertEqual(counts_of(size, size - 1).kth(0), size - 1)

    def test_kth_in_wide_range(self):
        values = [1, 30, 31, 62, 99]
        counts = counts_of(100, *values)
        self.assertEqual([counts.kth(k) for k in range(5)], values)

    def test_kth_out_of_range(self):
        counts = counts_of(4, 1, 2)
        for k in (-1, 2):
            with self.assertRaises(IndexError):
                counts.kth(k)

    def test_median_of_odd_count(self):
        self.assertEqual(counts_of(10, 1, 9, 4).median(), 4.0)
        self.assertEqual(counts_of(10, 6).median(), 6.0)

    def test_median_of_even_count(self):
        self.assertEqual(counts_of(10, 1, 4, 9, 7).median(), 5.5)
        self.assertEqual(counts_of(10, 2, 3).median(), 2.5)

    def test_median_of_nothing(self):
        with self.assertRaises(ValueError):
            RankedCounts(3).median()


if __name__ == "__main__":
    unittest.main()
