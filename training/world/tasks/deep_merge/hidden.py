import unittest

from dictweave.merge import (
    MISSING,
    MergeConflict,
    apply_diff,
    deep_merge,
    diff,
    flatten,
    invert,
    unflatten,
)


class DeepMergeTest(unittest.TestCase):
    def test_nothing_to_merge(self):
        self.assertEqual(deep_merge({"a": {"b": 1}}), {"a": {"b": 1}})
        self.assertEqual(deep_merge({}, {}), {})

    def test_later_wins(self):
        self.assertEqual(deep_merge({"a": 1}, {"a": 2}, {"a": 3}), {"a": 3})

    def test_deep_levels(self):
        merged = deep_merge({"a": {"b": {"c": 1}}}, {"a": {"b": {"d": 2}}})
        self.assertEqual(merged, {"a": {"b": {"c": 1, "d": 2}}})

    def test_base_is_not_changed(self):
        base = {"a": {"b": 1}, "l": [1]}
        deep_merge(base, {"a": {"b": 2}, "l": [2]}, lists="append")
        self.assertEqual(base, {"a": {"b": 1}, "l": [1]})

    def test_result_shares_nothing_with_base(self):
        base = {"a": {"b": []}}
        deep_merge(base)["a"]["b"].append(1)
        self.assertEqual(base, {"a": {"b": []}})

    def test_result_shares_nothing_with_others(self):
        other = {"a": {"b": 1}, "l": [1], "m": [[1]]}
        merged = deep_merge({"m": []}, other, lists="append")
        merged["a"]["b"] = 9
        merged["l"].append(9)
        merged["m"][0].append(9)
        self.assertEqual(other, {"a": {"b": 1}, "l": [1], "m": [[1]]})

    def test_none_removes(self):
        self.assertEqual(deep_merge({"a": 1, "b": 2}, {"a": None}), {"b": 2})
        self.assertEqual(deep_merge({"x": {"a": 1}}, {"x": {"a": None, "b": None}}), {"x": {}})

    def test_falsy_values_are_set(self):
        self.assertEqual(deep_merge({"a": 1, "b": 1}, {"a": 0, "b": ""}), {"a": 0, "b": ""})

    def test_none_in_a_fresh_dict_is_dropped(self):
        self.assertEqual(deep_merge({}, {"a": {"b": None, "c": 1}}), {"a": {"c": 1}})

    def test_lists_append(self):
        merged = deep_merge({"a": [1, 2]}, {"a": [2, 3]}, lists="append")
        self.assertEqual(merged, {"a": [1, 2, 2, 3]})

    def test_lists_unique(self):
        merged = deep_merge({"a": [1, 2]}, {"a": [3, 2, 3]}, lists="unique")
        self.assertEqual(merged, {"a": [1, 2, 3]})

    def test_list_meets_other_type(self):
        self.assertEqual(deep_merge({"a": [1]}, {"a": 2}, lists="append"), {"a": 2})
        self.assertEqual(deep_merge({"a": 2}, {"a": [1]}, lists="append"), {"a": [1]})

    def test_unknown_list_mode(self):
        with self.assertRaises(ValueError):
            deep_merge({}, lists="prepend")

    def test_dict_replaces_scalar_and_back(self):
        self.assertEqual(deep_merge({"a": 1}, {"a": {"b": 2}}), {"a": {"b": 2}})
        self.assertEqual(deep_merge({"a": {"b": 2}}, {"a": 1}), {"a": 1})

    def test_strict_conflicts_name_the_path(self):
        with self.assertRaisesRegex(MergeConflict, "^a.b$"):
            deep_merge({"a": {"b": 1}}, {"a": {"b": {"c": 1}}}, strict=True)
        with self.assertRaisesRegex(MergeConflict, "^a$"):
            deep_merge({"a": {}}, {"a": 1}, strict=True)

    def test_strict_allows_same_kinds(self):
        base = {"a": {"b": 1}, "c": 1}
        merged = deep_merge(base, {"a": {"b": "x"}, "c": [1], "d": {}}, strict=True)
        self.assertEqual(merged, {"a": {"b": "x"}, "c": [1], "d": {}})


class DiffTest(unittest.TestCase):
    def test_equal_dicts(self):
        self.assertEqual(diff({"a": {"b": [1]}}, {"a": {"b": [1]}}), {})

    def test_nested_path(self):
        changes = diff({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}})
        self.assertEqual(changes, {("a", "c"): (2, 3)})

    def test_added_and_removed(self):
        changes = diff({"a": 1, "b": {}}, {"c": 2, "b": {"d": 4}})
        expected = {("a",): (1, MISSING), ("b", "d"): (MISSING, 4), ("c",): (MISSING, 2)}
        self.assertEqual(changes, expected)
        self.assertEqual(list(changes), [("a",), ("b", "d"), ("c",)])

    def test_none_is_not_missing(self):
        self.assertEqual(diff({}, {"a": None}), {("a",): (MISSING, None)})
        self.assertEqual(diff({"a": None}, {}), {("a",): (None, MISSING)})

    def test_types_matter(self):
        self.assertEqual(diff({"a": 1}, {"a": True}), {("a",): (1, True)})
        self.assertEqual(diff({"a": 1}, {"a": 1.0}), {("a",): (1, 1.0)})

    def test_dict_against_scalar(self):
        self.assertEqual(diff({"a": {"b": 1}}, {"a": 2}), {("a",): ({"b": 1}, 2)})

    def test_missing_repr(self):
        self.assertEqual(repr(MISSING), "MISSING")


class ApplyDiffTest(unittest.TestCase):
    def test_round_trip(self):
        old = {"a": {"b": 1, "c": 2}, "d": [1], "e": 0}
        new = {"a": {"c": 3, "x": {}}, "d": [2], "f": None}
        self.assertEqual(apply_diff(old, diff(old, new)), new)
        self.assertEqual(apply_diff(new, invert(diff(old, new))), old)

    def test_data_is_not_changed(self):
        data = {"a": {"b": 1}}
        apply_diff(data, {("a", "b"): (1, 2)})
        self.assertEqual(data, {"a": {"b": 1}})

    def test_missing_parents_are_made(self):
        self.assertEqual(apply_diff({}, {("a", "b"): (MISSING, 1)}), {"a": {"b": 1}})

    def test_conflicts(self):
        cases = [(5, 2), (MISSING, 2), (None, 2), (5, MISSING)]
        for change in cases:
            with self.assertRaisesRegex(MergeConflict, r"^a\.b$"):
                apply_diff({"a": {"b": 1}}, {("a", "b"): change})
        with self.assertRaises(MergeConflict):
            apply_diff({}, {("a",): (1, 2)})

    def test_applied_values_are_copies(self):
        value = [1]
        apply_diff({}, {("a",): (MISSING, value)})["a"].append(2)
        self.assertEqual(value, [1])

    def test_empty_diff(self):
        self.assertEqual(apply_diff({"a": 1}, {}), {"a": 1})
        self.assertEqual(invert({}), {})


class FlattenTest(unittest.TestCase):
    def test_empty_dicts_are_leaves(self):
        self.assertEqual(flatten({}), {})
        self.assertEqual(flatten({"a": {}, "b": {"c": {}}}), {"a": {}, "b.c": {}})

    def test_own_separator_and_keys_of_numbers(self):
        self.assertEqual(flatten({1: {2: "x"}, 3: "y"}, "/"), {"1/2": "x", "3": "y"})

    def test_max_depth(self):
        data = {"a": {"b": {"c": 1}}, "d": 2}
        self.assertEqual(flatten(data, max_depth=1), data)
        self.assertEqual(flatten(data, max_depth=2), {"a.b": {"c": 1}, "d": 2})
        self.assertEqual(flatten(data, max_depth=3), {"a.b.c": 1, "d": 2})

    def test_unflatten_round_trip(self):
        data = {"a": {"b": {"c": 1}, "d": {}}, "e": 0}
        self.assertEqual(unflatten(flatten(data)), data)
        self.assertEqual(unflatten(flatten(data, "/"), "/"), data)

    def test_unflatten_conflicts(self):
        for flat in ({"a": 1, "a.b": 2}, {"a.b": 2, "a": 1}, {"a": 0, "a.b.c": 2}):
            with self.assertRaises(MergeConflict):
                unflatten(flat)


if __name__ == "__main__":
    unittest.main()
