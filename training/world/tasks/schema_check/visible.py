import unittest

from schemalite.checker import SchemaError, errors, fill_defaults, is_valid

PERSON = {
    "type": "object",
    "fields": {
        "name": {"type": "string", "required": True},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "tags": {"type": "list", "items": {"type": "string"}},
    },
}


class CheckerTest(unittest.TestCase):
    def test_valid_value(self):
        self.assertTrue(is_valid(PERSON, {"name": "Ann", "age": 30, "tags": ["a"]}))

    def test_wrong_type(self):
        self.assertEqual(errors(PERSON, {"name": 5}), ["name: must be string"])

    def test_missing_field(self):
        self.assertEqual(errors(PERSON, {}), ["name: is required"])

    def test_bounds(self):
        self.assertEqual(errors(PERSON, {"name": "A", "age": -1}), ["age: value -1 is below 0"])

    def test_list_items(self):
        self.assertEqual(errors(PERSON, {"name": "A", "tags": [1]}), ["tags[0]: must be string"])

    def test_choices_and_pattern(self):
        self.assertFalse(is_valid({"choices": ["a", "b"]}, "c"))
        self.assertTrue(is_valid({"pattern": "[a-z]+"}, "abc"))

    def test_unknown_type(self):
        with self.assertRaises(SchemaError):
            errors({"type": "text"}, "x")

    def test_fill_defaults(self):
        schema = {"fields": {"size": {"default": 3}}}
        self.assertEqual(fill_defaults(schema, {}), {"size": 3})


if __name__ == "__main__":
    unittest.main()
