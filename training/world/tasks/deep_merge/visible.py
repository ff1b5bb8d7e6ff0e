import unittest

from dictweave.merge import MISSING, apply_diff, deep_merge, diff, flatten, invert, unflatten


class MergeTest(unittest.TestCase):
    def test_merge_flat(self):
        self.assertEqual(deep_merge({"a": 1}, {"b": 2}), {"a": 1, "b": 2})

    def test_merge_nested(self):
        merged = deep_merge({"db": {"host": "x", "port": 1}}, {"db": {"port": 2}})
        self.assertEqual(merged, {"db": {"host": "x", "port": 2}})

    def test_merge_replaces_lists(self):
        self.assertEqual(deep_merge({"a": [1]}, {"a": [2]}), {"a": [2]})

    def test_diff(self):
        changes = diff({"a": 1, "b": 2}, {"a": 1, "b": 3})
        self.assertEqual(changes, {("b",): (2, 3)})

    def test_diff_of_added_key(self):
        self.assertEqual(diff({}, {"a": 1}), {("a",): (MISSING, 1)})

    def test_apply_diff(self):
        self.assertEqual(apply_diff({"a": 1}, {("a",): (1, 2)}), {"a": 2})

    def test_invert(self):
        self.assertEqual(invert({("a",): (1, 2)}), {("a",): (2, 1)})

    def test_flatten(self):
        self.assertEqual(flatten({"a": {"b": 1}, "c": 2}), {"a.b": 1, "c": 2})

    def test_unflatten(self):
        self.assertEqual(unflatten({"a.b": 1, "c": 2}), {"a": {"b": 1}, "c": 2})


if __name__ == "__main__":
    unittest.main()
