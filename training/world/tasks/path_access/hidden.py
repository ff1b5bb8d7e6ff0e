import unittest

from slashpath.pointer import (
    Pointer,
    PointerError,
    copy_at,
    delete,
    get,
    has,
    parent_and_key,
    put,
    walk,
)


class PointerTest(unittest.TestCase):
    def test_root(self):
        self.assertEqual(Pointer.parse(""), ())
        self.assertEqual(str(Pointer()), "")

    def test_empty_parts(self):
        self.assertEqual(Pointer.parse("/"), ("",))
        self.assertEqual(Pointer.parse("/a//b/"), ("a", "", "b", ""))

    def test_must_start_with_slash(self):
        for text in ("a", "a/b", " /a"):
            with self.assertRaises(PointerError):
                Pointer.parse(text)

    def test_escapes_are_read(self):
        self.assertEqual(Pointer.parse("/a~1b/c~0d"), ("a/b", "c~d"))

    def test_escaped_tilde_before_one(self):
        self.assertEqual(Pointer.parse("/~01"), ("~1",))

    def test_escapes_are_written(self):
        self.assertEqual(str(Pointer(("a/b", "c~d", "~1"))), "/a~1b/c~0d/~01")

    def test_is_under(self):
        parse = Pointer.parse
        self.assertTrue(parse("/a/b").is_under(parse("/a")))
        self.assertTrue(parse("/a").is_under(parse("")))
        self.assertFalse(parse("/a").is_under(parse("/a")))
        self.assertFalse(parse("/a").is_under(parse("/a/b")))
        self.assertFalse(parse("/ab/c").is_under(parse("/a")))


class GetTest(unittest.TestCase):
    def test_root_is_the_data(self):
        self.assertEqual(get([1], ""), [1])
        self.assertEqual(get(5, ""), 5)

    def test_keys_with_special_characters(self):
        self.assertEqual(get({"a/b": {"": 1}}, "/a~1b/"), 1)

    def test_list_bounds(self):
        self.assertEqual([get([5, 6, 7], f"/{n}") for n in range(3)], [5, 6, 7])
        with self.assertRaises(PointerError):
            get([5, 6, 7], "/3")

    def test_bad_list_indexes(self):
        for part in ("-1", "-", "01", "02", "00", "x", "", "1.0", "²"):
            with self.assertRaises(PointerError):
                get([5, 6, 7], f"/{part}")

    def test_long_index(self):
        self.assertEqual(get(list(range(25)), "/20"), 20)

    def test_digits_are_plain_keys_of_a_dict(self):
        self.assertEqual(get({"0": "x", "01": "y"}, "/01"), "y")

    def test_cannot_descend_into_scalars(self):
        for data in ("text", 5, None, (1, 2)):
            with self.assertRaisesRegex(PointerError, "cannot descend"):
                get({"a": data}, "/a/0")

    def test_messages(self):
        with self.assertRaisesRegex(PointerError, "no such key: b"):
            get({"a": 1}, "/b")
        with self.assertRaisesRegex(PointerError, "out of range: 4"):
            get([1], "/4")

    def test_default_for_any_missing_place(self):
        data = {"a": [1], "b": 5}
        for text in ("/x", "/a/1", "/a/x", "/b/c", "/x/y/z"):
            self.assertEqual(get(data, text, "none"), "none")

    def test_default_may_be_none_or_false(self):
        self.assertIsNone(get({}, "/a", None))
        self.assertEqual(get({}, "/a", 0), 0)

    def test_stored_none_is_a_value(self):
        self.assertIsNone(get({"a": None}, "/a", "default"))

    def test_malformed_pointer_raises_despite_default(self):
        with self.assertRaises(PointerError):
            get({}, "a", "default")

    def test_has(self):
        data = {"a": None, "b": [0]}
        self.assertTrue(has(data, "/a"))
        self.assertTrue(has(data, "/b/0"))
        self.assertTrue(has(data, ""))
        self.assertFalse(has(data, "/b/1"))


class ChangeTest(unittest.TestCase):
    def test_parent_and_key(self):
        data = {"a": {"b/c": [1]}}
        self.assertEqual(parent_and_key(data, "/a/b~1c/0"), ([1], "0"))
        self.assertEqual(parent_and_key(data, "/zz"), (data, "zz"))

    def test_root_has_no_parent(self):
        for call in (parent_and_key, delete):
            with self.assertRaises(PointerError):
                call({"a": 1}, "")

    def test_put_replaces_list_item(self):
        data = [1, 2, 3]
        put(data, "/1", "x")
        self.assertEqual(data, [1, "x", 3])

    def test_put_inserts_list_item(self):
        data = [1, 2, 3]
        put(data, "/1", "x", insert=True)
        self.assertEqual(data, [1, "x", 2, 3])

    def test_put_appends(self):
        data = {"l": [1]}
        put(data, "/l/-", 2)
        put(data, "/l/2", 3)
        put(data, "/l/3", 4, insert=True)
        self.assertEqual(data, {"l": [1, 2, 3, 4]})

    def test_put_beyond_the_end(self):
        data = [1]
        with self.assertRaises(PointerError):
            put(data, "/2", "x")
        self.assertEqual(data, [1])

    def test_put_dash_is_a_key_of_a_dict(self):
        data = {}
        put(data, "/-", 1)
        self.assertEqual(data, {"-": 1})

    def test_put_needs_a_container(self):
        for data in ({}, {"a": "text"}):
            with self.assertRaises(PointerError):
                put(data, "/a/b", 1)

    def test_put_list_as_one_value(self):
        data = [1]
        put(data, "/0", [7, 8])
        self.assertEqual(data, [[7, 8]])

    def test_delete_returns_the_value(self):
        data = {"l": [1, 2, 3]}
        self.assertEqual(delete(data, "/l/0"), 1)
        self.assertEqual(data, {"l": [2, 3]})

    def test_delete_missing(self):
        data = {"l": [1]}
        for text in ("/x", "/l/1", "/l/-"):
            with self.assertRaises(PointerError):
                delete(data, text)

    def test_copy_inserts_into_lists(self):
        data = {"a": 1, "l": [5, 6]}
        copy_at(data, "/a", "/l/0")
        self.assertEqual(data, {"a": 1, "l": [1, 5, 6]})

    def test_move(self):
        data = {"a": 1, "l": [5, 6]}
        copy_at(data, "/l/0", "/l/-", move=True)
        copy_at(data, "/a", "/b", move=True)
        self.assertEqual(data, {"l": [6, 5], "b": 1})

    def test_move_under_itself(self):
        data = {"a": {"b": {}}}
        with self.assertRaises(PointerError):
            copy_at(data, "/a", "/a/b/c", move=True)
        self.assertEqual(data, {"a": {"b": {}}})
        copy_at(data, "/a/b", "/a/b", move=True)
        self.assertEqual(data, {"a": {"b": {}}})

    def test_walk(self):
        data = {"b": [1, {"x": 2}], "a/c": {}, "d": []}
        self.assertEqual(list(walk(data)), [("/b/0", 1), ("/b/1/x", 2), ("/a~1c", {}), ("/d", [])])
        self.assertEqual(list(walk(7)), [("", 7)])
        places = [text for text, _ in walk({"a": [1, 2], "b": 3}, leaves_only=False)]
        self.assertEqual(places, ["", "/a", "/a/0", "/a/1", "/b"])


if __name__ == "__main__":
    unittest.main()
