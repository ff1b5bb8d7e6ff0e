import unittest

from schemalite.checker import SchemaError, errors, fill_defaults, is_valid


class TypeTest(unittest.TestCase):
    def test_every_type(self):
        values = {"string": "", "integer": 0, "number": 0.5, "list": [], "object": {}}
        for name, value in values.items():
            self.assertEqual(errors({"type": name}, value), [])
        self.assertTrue(is_valid({"type": "null"}, None))

    def test_integer_is_a_number_not_the_reverse(self):
        self.assertTrue(is_valid({"type": "number"}, 3))
        self.assertFalse(is_valid({"type": "integer"}, 3.0))

    def test_booleans_are_not_numbers(self):
        self.assertTrue(is_valid({"type": "boolean"}, False))
        self.assertFalse(is_valid({"type": "integer"}, True))
        self.assertFalse(is_valid({"type": "number"}, True))
        self.assertFalse(is_valid({"type": "boolean"}, 1))

    def test_any_of_several_types(self):
        schema = {"type": ["string", "null"]}
        self.assertTrue(is_valid(schema, None))
        self.assertTrue(is_valid(schema, "x"))
        self.assertEqual(errors(schema, 1), ["value: must be string or null"])

    def test_no_type_allows_anything(self):
        for value in (None, 1, "x", [], {"a": 1}):
            self.assertEqual(errors({}, value), [])

    def test_unknown_type_is_a_schema_error(self):
        with self.assertRaisesRegex(SchemaError, "unknown type: text"):
            is_valid({"type": "text"}, "x")
        with self.assertRaises(SchemaError):
            is_valid({"fields": {"a": {"type": "text"}}}, {"a": True})

    def test_wrong_type_is_the_only_fault(self):
        schema = {"type": "string", "choices": ["a"], "minimum": 5}
        self.assertEqual(errors(schema, 1), ["value: must be string"])


class SizeTest(unittest.TestCase):
    def test_bounds_are_inclusive(self):
        schema = {"minimum": 1, "maximum": 3}
        self.assertTrue(is_valid(schema, 1))
        self.assertTrue(is_valid(schema, 3))

    def test_number_outside_of_bounds(self):
        schema = {"minimum": 1, "maximum": 3}
        self.assertEqual(errors(schema, 0.5), ["value: value 0.5 is below 1"])
        self.assertEqual(errors(schema, 4), ["value: value 4 is above 3"])

    def test_length_of_text(self):
        schema = {"minimum": 2, "maximum": 3}
        self.assertEqual(errors(schema, "a"), ["value: length 1 is below 2"])
        self.assertEqual(errors(schema, "abcd"), ["value: length 4 is above 3"])
        self.assertEqual(errors(schema, "ab") + errors(schema, "abc"), [])

    def test_length_of_lists_and_objects(self):
        self.assertEqual(errors({"minimum": 1}, []), ["value: length 0 is below 1"])
        self.assertEqual(errors({"maximum": 0}, {"a": 1}), ["value: length 1 is above 0"])

    def test_zero_is_a_bound(self):
        self.assertFalse(is_valid({"minimum": 0}, -1))
        self.assertFalse(is_valid({"maximum": 0}, 1))

    def test_booleans_and_none_have_no_size(self):
        self.assertEqual(errors({"minimum": 5}, True), [])
        self.assertEqual(errors({"minimum": 5}, None), [])


class TextTest(unittest.TestCase):
    def test_choices(self):
        schema = {"choices": ["a", 1]}
        self.assertTrue(is_valid(schema, "a"))
        self.assertTrue(is_valid(schema, 1))
        self.assertEqual(errors(schema, "b"), ["value: is not one of ['a', 1]"])

    def test_no_choices_refuse_all(self):
        self.assertFalse(is_valid({"choices": []}, "a"))

    def test_pattern_matches_the_whole_text(self):
        schema = {"pattern": "[a-z]+"}
        self.assertEqual(errors(schema, "abc1"), ["value: does not match [a-z]+"])
        self.assertFalse(is_valid(schema, "1abc"))
        self.assertFalse(is_valid(schema, ""))

    def test_pattern_ignores_other_types(self):
        self.assertTrue(is_valid({"pattern": "x"}, 5))

    def test_several_faults_in_order(self):
        faults = errors({"choices": ["a"], "pattern": "a", "maximum": 1}, "bb")
        self.assertEqual([fault.split()[1] for fault in faults], ["is", "does", "length"])


class ListTest(unittest.TestCase):
    def test_items_are_checked_with_their_index(self):
        schema = {"items": {"type": "integer"}}
        self.assertEqual(
            errors(schema, [1, "x", 2, None]), ["[1]: must be integer", "[3]: must be integer"]
        )

    def test_nested_lists(self):
        schema = {"items": {"items": {"minimum": 1}}}
        self.assertEqual(errors(schema, [[1], [2, 0]]), ["[1][1]: value 0 is below 1"])

    def test_items_of_any_kind(self):
        self.assertEqual(errors({"type": "list"}, [1, "x", None]), [])

    def test_unique(self):
        self.assertEqual(errors({"unique": True}, [1, 2, 1]), ["[2]: repeats an earlier item"])
        self.assertEqual(len(errors({"unique": True}, [1, 1, 1])), 2)
        self.assertTrue(is_valid({"unique": True}, [[1], [2]]))

    def test_repeats_are_fine_unless_unique(self):
        self.assertTrue(is_valid({}, [1, 1]))
        self.assertTrue(is_valid({"unique": False}, [1, 1]))


class ObjectTest(unittest.TestCase):
    def test_required(self):
        schema = {"fields": {"a": {"required": True}, "b": {"required": False}, "c": {}}}
        self.assertEqual(errors(schema, {}), ["a: is required"])
        self.assertEqual(errors(schema, {"a": None}), [])

    def test_default_lifts_required(self):
        self.assertTrue(is_valid({"fields": {"a": {"required": True, "default": 1}}}, {}))

    def test_nested_paths(self):
        schema = {"fields": {"a": {"fields": {"b": {"required": True}, "c": {"type": "null"}}}}}
        self.assertEqual(errors(schema, {"a": {"c": 1}}), ["a.b: is required", "a.c: must be null"])

    def test_paths_through_lists(self):
        schema = {"fields": {"a": {"items": {"fields": {"b": {"type": "string"}}}}}}
        self.assertEqual(errors(schema, {"a": [{}, {"b": 1}]}), ["a[1].b: must be string"])

    def test_unknown_fields(self):
        schema = {"fields": {"a": {}}}
        self.assertTrue(is_valid(schema, {"a": 1, "b": 2}))
        closed = {**schema, "closed": True}
        faults = errors(closed, {"z": 1, "a": 1, "b": 2})
        self.assertEqual(faults, ["b: is not known", "z: is not known"])

    def test_unknown_fields_of_nested_objects(self):
        schema = {"fields": {"a": {"closed": True}}}
        self.assertEqual(errors(schema, {"a": {"x": 1}}), ["a.x: is not known"])
        self.assertTrue(is_valid({"closed": False}, {"a": 1}))


class FillDefaultsTest(unittest.TestCase):
    SCHEMA = {"fields": {"a": {"default": 1}, "b": {"fields": {"c": {"default": 0}}}, "d": {}}}

    def test_missing_fields_only(self):
        self.assertEqual(fill_defaults(self.SCHEMA, {}), {"a": 1})
        self.assertEqual(fill_defaults(self.SCHEMA, {"a": None}), {"a": None})

    def test_nested_objects(self):
        self.assertEqual(fill_defaults(self.SCHEMA, {"b": {}}), {"a": 1, "b": {"c": 0}})

    def test_items_of_lists(self):
        schema = {"items": self.SCHEMA}
        self.assertEqual(fill_defaults(schema, [{}, {"a": 2}, 5]), [{"a": 1}, {"a": 2}, 5])
        self.assertEqual(fill_defaults({}, [1, {}]), [1, {}])

    def test_defaults_have_defaults(self):
        schema = {"fields": {"b": {"default": {}, "fields": {"c": {"default": 0}}}}}
        self.assertEqual(fill_defaults(schema, {}), {"b": {"c": 0}})

    def test_value_and_schema_are_not_changed(self):
        schema = {"fields": {"l": {"default": []}}}
        value = {}
        fill_defaults(schema, value)["l"].append(1)
        self.assertEqual(value, {})
        self.assertEqual(fill_defaults(schema, {}), {"l": []})

    def test_unknown_fields_are_kept(self):
        self.assertEqual(fill_defaults(self.SCHEMA, {"x": 1}), {"x": 1, "a": 1})


if __name__ == "__main__":
    unittest.main()
