import unittest

from bstmap.bst import SearchTree


class SearchTreeTest(unittest.TestCase):
    def setUp(self):
        self.tree = SearchTree([(5, "five"), (2, "two"), (8, "eight")])

    def test_get(self):
        self.assertEqual(self.tree.get(2), "two")
        self.assertEqual(self.tree.get(8), "eight")
        self.assertIsNone(self.tree.get(3))

    def test_insert_adds_a_key(self):
        self.assertTrue(self.tree.insert(3, "three"))
        self.assertEqual(self.tree.get(3), "three")
        self.assertEqual(len(self.tree), 4)

    def test_delete_leaf(self):
        self.assertEqual(self.tree.delete(2), "two")
        self.assertIsNone(self.tree.get(2))
        self.assertEqual(len(self.tree), 2)

    def test_items_are_sorted(self):
        self.assertEqual(list(self.tree.items()), [(2, "two"), (5, "five"), (8, "eight")])

    def test_items_in_a_range(self):
        self.assertEqual(list(self.tree.items(3, 7)), [(5, "five")])

    def test_floor_and_ceiling(self):
        self.assertEqual(self.tree.floor(6), 5)
        self.assertEqual(self.tree.ceiling(6), 8)

    def test_rank(self):
        self.assertEqual(self.tree.rank(6), 2)

    def test_height(self):
        self.assertEqual(self.tree.height(), 2)


if __name__ == "__main__":
    unittest.main()
