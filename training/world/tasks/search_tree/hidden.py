import unittest

from bstmap.bst import SearchTree


def tree_of(*keys):
    return SearchTree((key, f"v{key}") for key in keys)


def keys_of(tree, *bounds):
    return [key for key, _ in tree.items(*bounds)]


class SearchTreeTest(unittest.TestCase):
    def test_empty_tree(self):
        tree = SearchTree()
        self.assertEqual(len(tree), 0)
        self.assertEqual(list(tree.items()), [])
        self.assertIsNone(tree.get(1))

    def test_first_insert_returns_true(self):
        tree = SearchTree()
        self.assertIs(tree.insert(1, "a"), True)
        self.assertEqual(len(tree), 1)

    def test_insert_left_and_right_return_true(self):
        tree = tree_of(5)
        self.assertIs(tree.insert(3), True)
        self.assertIs(tree.insert(7), True)
        self.assertEqual(keys_of(tree), [3, 5, 7])

    def test_insert_existing_returns_false(self):
        tree = tree_of(5, 3)
        self.assertIs(tree.insert(3, "x"), False)
        self.assertIs(tree.insert(5, "y"), False)

    def test_insert_existing_replaces_value(self):
        tree = tree_of(5, 3)
        tree.insert(3, "x")
        self.assertEqual(tree.get(3), "x")

    def test_insert_existing_keeps_size(self):
        tree = tree_of(5, 3)
        tree.insert(3, "x")
        tree.insert(5, "y")
        self.assertEqual(len(tree), 2)

    def test_constructor_last_value_wins(self):
        tree = SearchTree([("a", 1), ("b", 2), ("a", 3)])
        self.assertEqual(tree.get("a"), 3)
        self.assertEqual(len(tree), 2)

    def test_insert_default_value_is_none(self):
        tree = SearchTree()
        tree.insert(1)
        self.assertEqual(list(tree.items()), [(1, None)])

    def test_get_default_for_missing(self):
        tree = tree_of(5, 3)
        self.assertEqual(tree.get(4, "none"), "none")

    def test_get_falsy_value_is_not_missing(self):
        tree = SearchTree([(1, 0), (2, "")])
        self.assertEqual(tree.get(1, 9), 0)
        self.assertEqual(tree.get(2, 9), "")

    def test_get_deep_keys(self):
        tree = tree_of(8, 4, 12, 2, 6, 10, 14)
        for key in (2, 4, 6, 8, 10, 12, 14):
            self.assertEqual(tree.get(key), f"v{key}")
        for key in (1, 3, 5, 7, 9, 11, 13, 15):
            self.assertIsNone(tree.get(key))

    def test_delete_missing_raises(self):
        for tree in (SearchTree(), tree_of(5, 3)):
            with self.assertRaises(KeyError):
                tree.delete(4)
        self.assertEqual(len(tree), 2)

    def test_delete_returns_value(self):
        tree = tree_of(4, 2, 6)
        self.assertEqual(tree.delete(4), "v4")
        self.assertEqual(tree.delete(2), "v2")

    def test_delete_leaves(self):
        tree = tree_of(4, 2, 6)
        tree.delete(2)
        self.assertEqual(keys_of(tree), [4, 6])
        tree.delete(6)
        self.assertEqual(keys_of(tree), [4])

    def test_delete_node_with_left_child(self):
        tree = tree_of(9, 5, 3)
        tree.delete(5)
        self.assertEqual(keys_of(tree), [3, 9])

    def test_delete_node_with_right_child(self):
        tree = tree_of(1, 5, 7)
        tree.delete(5)
        self.assertEqual(keys_of(tree), [1, 7])

    def test_delete_node_with_two_children(self):
        tree = tree_of(10, 5, 20, 15, 30, 12, 17)
        self.assertEqual(tree.delete(10), "v10")
        self.assertEqual(keys_of(tree), [5, 12, 15, 17, 20, 30])
        self.assertEqual(tree.get(12), "v12")
        self.assertEqual(len(tree), 6)

    def test_delete_two_children_direct_successor(self):
        tree = tree_of(10, 5, 20, 30)
        tree.delete(10)
        self.assertEqual(keys_of(tree), [5, 20, 30])

    def test_delete_successor_keeps_its_right_branch(self):
        tree = tree_of(10, 5, 20, 12, 15)
        tree.delete(10)
        self.assertEqual(keys_of(tree), [5, 12, 15, 20])

    def test_delete_root_with_one_child(self):
        for keys, left in (((5, 3), [3]), ((5, 7), [7])):
            tree = tree_of(*keys)
            tree.delete(5)
            self.assertEqual(keys_of(tree), left)

    def test_delete_last_key_empties(self):
        tree = tree_of(5)
        tree.delete(5)
        self.assertEqual(len(tree), 0)
        self.assertEqual(tree.height(), 0)
        self.assertTrue(tree.insert(6))

    def test_items_low_is_included(self):
        tree = tree_of(5, 3, 8)
        self.assertEqual(keys_of(tree, 5), [5, 8])
        self.assertEqual(keys_of(tree, 6, None), [8])

    def test_items_high_is_excluded(self):
        tree = tree_of(5, 3, 8)
        self.assertEqual(keys_of(tree, None, 8), [3, 5])
        self.assertEqual(keys_of(tree, None, 9), [3, 5, 8])

    def test_items_zero_bounds_count(self):
        tree = tree_of(0, -1, 1)
        self.assertEqual(keys_of(tree, 0, None), [0, 1])
        self.assertEqual(keys_of(tree, None, 0), [-1])

    def test_items_empty_range(self):
        tree = tree_of(5, 3, 8)
        self.assertEqual(keys_of(tree, 5, 5), [])
        self.assertEqual(keys_of(tree, 8, 3), [])
        self.assertEqual(keys_of(tree, 9, None), [])

    def test_items_of_many_keys_sorted(self):
        keys = [7, 3, 11, 1, 5, 9, 13, 0, 2, 4, 6]
        self.assertEqual(keys_of(tree_of(*keys)), sorted(keys))

    def test_floor_exact_key(self):
        tree = tree_of(5, 3, 8)
        self.assertEqual([tree.floor(key) for key in (3, 5, 8)], [3, 5, 8])

    def test_floor_between_keys(self):
        tree = tree_of(10, 4, 20, 6, 15)
        self.assertEqual([tree.floor(key) for key in (5, 9, 14, 19, 99)], [4, 6, 10, 15, 20])

    def test_floor_below_all_is_none(self):
        self.assertIsNone(tree_of(5, 3).floor(2))
        self.assertIsNone(SearchTree().floor(2))

    def test_ceiling(self):
        tree = tree_of(10, 4, 20)
        self.assertEqual([tree.ceiling(key) for key in (1, 4, 5, 10, 11)], [4, 4, 10, 10, 20])

    def test_ceiling_above_all_is_none(self):
        self.assertIsNone(tree_of(5, 3).ceiling(6))
        self.assertIsNone(SearchTree().ceiling(6))

    def test_rank_counts_strictly_smaller(self):
        tree = tree_of(10, 4, 20)
        self.assertEqual([tree.rank(key) for key in (4, 5, 10, 20, 21)], [0, 1, 1, 2, 3])

    def test_rank_in_empty_tree(self):
        self.assertEqual(SearchTree().rank(3), 0)

    def test_height_levels(self):
        self.assertEqual(SearchTree().height(), 0)
        self.assertEqual(tree_of(1).height(), 1)
        self.assertEqual(tree_of(1, 2, 3).height(), 3)
        self.assertEqual(tree_of(4, 2, 6, 1, 3).height(), 3)


if __name__ == "__main__":
    unittest.main()
