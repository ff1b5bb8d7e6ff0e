import unittest

from slashpath.pointer import Pointer, PointerError, copy_at, delete, get, has, put, walk


class PointerTest(unittest.TestCase):
    def setUp(self):
        self.data = {"users": [{"name": "Ann"}, {"name": "Bob"}], "count": 2}

    def test_parse_and_text(self):
        pointer = Pointer.parse("/users/0")
        self.assertEqual(pointer, ("users", "0"))
        self.assertEqual(str(pointer), "/users/0")

    def test_get(self):
        self.assertEqual(get(self.data, "/users/1/name"), "Bob")
        self.assertEqual(get(self.data, "/nothing", "default"), "default")

    def test_get_missing_raises(self):
        with self.assertRaises(PointerError):
            get(self.data, "/nothing")

    def test_has(self):
        self.assertTrue(has(self.data, "/count"))
        self.assertFalse(has(self.data, "/total"))

    def test_put(self):
        put(self.data, "/users/0/name", "Eve")
        put(self.data, "/total", 9)
        self.assertEqual(self.data["users"][0], {"name": "Eve"})
        self.assertEqual(self.data["total"], 9)

    def test_delete(self):
        self.assertEqual(delete(self.data, "/count"), 2)
        self.assertNotIn("count", self.data)

    def test_copy_at(self):
        copy_at(self.data, "/count", "/copy")
        self.assertEqual(self.data["copy"], 2)
        self.assertEqual(self.data["count"], 2)

    def test_walk(self):
        self.assertEqual(list(walk({"a": {"b": 1}})), [("/a/b", 1)])


if __name__ == "__main__":
    unittest.main()
