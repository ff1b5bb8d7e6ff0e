import unittest

from urlbits.query import Query, decode, encode


class TestQuery(unittest.TestCase):
    def test_encode(self):
        self.assertEqual(encode("a b"), "a+b")
        self.assertEqual(encode("50%"), "50%25")

    def test_decode(self):
        self.assertEqual(decode("a+b"), "a b")
        self.assertEqual(decode("50%25"), "50%")

    def test_parse(self):
        self.assertEqual(Query.parse("a=1&b=2").pairs, (("a", "1"), ("b", "2")))

    def test_str_and_len(self):
        query = Query([("a", "1"), ("q", "x y")])
        self.assertEqual(str(query), "a=1&q=x+y")
        self.assertEqual(len(query), 2)

    def test_get(self):
        query = Query.parse("a=1&b=2&a=3")
        self.assertEqual(query.get("b"), "2")
        self.assertEqual(query.get_all("a"), ["1", "3"])
        self.assertIsNone(query.get("c"))

    def test_get_int(self):
        query = Query.parse("page=4")
        self.assertEqual(query.get_int("page"), 4)
        self.assertEqual(query.get_int("size", 20), 20)

    def test_set_and_without(self):
        query = Query.parse("a=1&b=2")
        self.assertEqual(str(query.set("b", "5")), "a=1&b=5")
        self.assertEqual(str(query.without("a")), "b=2")

    def test_normalized(self):
        self.assertEqual(str(Query.parse("b=2&a=1").normalized()), "a=1&b=2")
