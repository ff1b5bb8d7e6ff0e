import unittest

from batchworks.batches import Batcher, by_count, by_gap, by_key, by_weight, pack, windows


class BatchesTest(unittest.TestCase):
    def test_by_count(self):
        self.assertEqual(list(by_count(range(5), 2)), [[0, 1], [2, 3], [4]])
        with self.assertRaises(ValueError):
            list(by_count([1], 0))

    def test_by_weight(self):
        self.assertEqual(list(by_weight(["aa", "bbb", "c"], 4)), [["aa"], ["bbb", "c"]])

    def test_by_key(self):
        self.assertEqual(
            by_key([1, 2, 3, 4], lambda n: n % 2), [(1, [1, 3]), (0, [2, 4])]
        )

    def test_by_gap(self):
        self.assertEqual(by_gap([1, 2, 8, 9], 3), [[1, 2], [8, 9]])

    def test_windows(self):
        self.assertEqual(list(windows("abcd", 3)), [("a", "b", "c"), ("b", "c", "d")])

    def test_pack(self):
        self.assertEqual(pack(["aaa", "bb", "c"], 4), [["aaa", "c"], ["bb"]])

    def test_batcher(self):
        batcher = Batcher(2, 10)
        self.assertIsNone(batcher.add("a", 0))
        self.assertEqual(batcher.add("b", 1), ["a", "b"])
