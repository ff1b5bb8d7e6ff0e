import unittest

from batchworks.batches import Batcher, by_count, by_gap, by_key, by_weight, pack, windows


def same(value):
    return value


class CountTest(unittest.TestCase):
    def test_exact_multiple_has_no_empty_batch(self):
        self.assertEqual(list(by_count("abcd", 2)), [["a", "b"], ["c", "d"]])

    def test_count_empty(self):
        self.assertEqual(list(by_count([], 3)), [])

    def test_shorter_than_size(self):
        self.assertEqual(list(by_count("ab", 3)), [["a", "b"]])

    def test_size_one(self):
        self.assertEqual(list(by_count("ab", 1)), [["a"], ["b"]])

    def test_overlap(self):
        self.assertEqual(list(by_count(range(7), 4, 2)), [[0, 1, 2, 3], [2, 3, 4, 5], [4, 5, 6]])

    def test_overlap_gives_no_repeated_tail(self):
        self.assertEqual(list(by_count(range(4), 3, 2)), [[0, 1, 2], [1, 2, 3]])
        self.assertEqual(list(by_count(range(3), 3, 1)), [[0, 1, 2]])

    def test_batches_are_independent(self):
        first, second = by_count(range(4), 2)
        first.append(9)
        self.assertEqual(second, [2, 3])

    def test_count_bad_arguments(self):
        for size, overlap in ((0, 0), (2, 2), (2, -1), (-1, 0)):
            with self.assertRaises(ValueError):
                list(by_count([1], size, overlap))

    def test_takes_a_generator(self):
        self.assertEqual(list(by_count((n for n in range(3)), 2)), [[0, 1], [2]])


class WeightTest(unittest.TestCase):
    def test_limit_is_included(self):
        self.assertEqual(list(by_weight([2, 3, 1], 5, same)), [[2, 3], [1]])

    def test_heavy_item_stands_alone(self):
        self.assertEqual(list(by_weight([1, 9, 1, 1], 5, same)), [[1], [9], [1, 1]])
        self.assertEqual(list(by_weight([9], 5, same)), [[9]])

    def test_total_starts_again(self):
        self.assertEqual(list(by_weight([3, 3, 2, 3], 5, same)), [[3], [3, 2], [3]])

    def test_max_count(self):
        self.assertEqual(list(by_weight([1] * 5, 9, same, max_count=2)), [[1, 1], [1, 1], [1]])

    def test_default_weight_is_length(self):
        self.assertEqual(list(by_weight(["", "ab", "c"], 2)), [["", "ab"], ["c"]])

    def test_weight_empty(self):
        self.assertEqual(list(by_weight([], 5)), [])


class KeyTest(unittest.TestCase):
    def test_first_seen_first(self):
        self.assertEqual(by_key("bab", same), [("b", ["b", "b"]), ("a", ["a"])])

    def test_order_within_a_group(self):
        self.assertEqual(by_key([3, 1, 2], lambda n: 0), [(0, [3, 1, 2])])
        self.assertEqual(by_key([], same), [])

    def test_size_cuts_groups(self):
        found = by_key([1, 2, 3, 5, 4], lambda n: n % 2, size=2)
        self.assertEqual(found, [(1, [1, 3]), (1, [5]), (0, [2, 4])])


class GapTest(unittest.TestCase):
    def test_gap_is_included(self):
        self.assertEqual(by_gap([1, 4, 8], 3), [[1, 4], [8]])

    def test_gap_to_the_last_not_to_the_first(self):
        self.assertEqual(by_gap([0, 2, 4, 6], 2), [[0, 2, 4, 6]])

    def test_equal_numbers(self):
        self.assertEqual(by_gap([5, 5, 6], 0), [[5, 5], [6]])

    def test_out_of_order(self):
        with self.assertRaises(ValueError):
            by_gap([1, 9, 8], 3)

    def test_gap_empty(self):
        self.assertEqual(by_gap([], 3), [])


class WindowsTest(unittest.TestCase):
    def test_step(self):
        self.assertEqual(list(windows(range(6), 2, 2)), [(0, 1), (2, 3), (4, 5)])
        self.assertEqual(list(windows(range(5), 2, 3)), [(0, 1), (3, 4)])

    def test_partial(self):
        self.assertEqual(list(windows("abc", 2, partial=True)), [("a", "b"), ("b", "c"), ("c",)])

    def test_too_short(self):
        self.assertEqual(list(windows("ab", 3)), [])
        self.assertEqual(list(windows("abc", 3)), [("a", "b", "c")])

    def test_windows_bad_arguments(self):
        for size, step in ((0, 1), (1, 0)):
            with self.assertRaises(ValueError):
                list(windows("ab", size, step))
        self.assertEqual(list(windows("ab", 1, 1)), [("a",), ("b",)])


class PackTest(unittest.TestCase):
    def test_heaviest_first_into_the_first_fitting(self):
        self.assertEqual(pack([2, 5, 4, 7, 1, 3, 8], 10, same), [[8, 2], [7, 3], [5, 4, 1]])

    def test_exact_fit(self):
        self.assertEqual(pack([5, 5], 10, same), [[5, 5]])
        self.assertEqual(pack([10], 10, same), [[10]])

    def test_equal_weights_keep_their_order(self):
        self.assertEqual(pack(["b", "a", "c"], 2), [["b", "a"], ["c"]])

    def test_too_heavy(self):
        with self.assertRaises(ValueError):
            pack([11], 10, same)

    def test_input_is_kept(self):
        items = [1, 3, 2]
        pack(items, 3, same)
        self.assertEqual(items, [1, 3, 2])


class BatcherTest(unittest.TestCase):
    def test_age_of_the_oldest_counts(self):
        batcher = Batcher(9, 10)
        batcher.add("a", 0)
        batcher.add("b", 8)
        self.assertIsNone(batcher.due(9))
        self.assertEqual(batcher.due(10), ["a", "b"])
        self.assertIsNone(batcher.due(99))

    def test_flush_takes_size_at_most(self):
        batcher = Batcher(3, 5)
        batcher.add("a", 0)
        self.assertEqual(batcher.add("b", 5), ["a", "b"])
        batcher.add("c", 6)
        self.assertEqual(batcher.flush(), ["c"])
        self.assertEqual(batcher.flush(), [])

    def test_size_is_released_at_once(self):
        batcher = Batcher(1, 100)
        self.assertEqual([batcher.add(n, 0) for n in (7, 8)], [[7], [8]])
