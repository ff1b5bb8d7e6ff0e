import unittest

from urlbits.query import Query, decode, encode


class TestCoding(unittest.TestCase):
    def test_encode_keeps_safe_characters(self):
        self.assertEqual(encode("aZ09-._~"), "aZ09-._~")
        self.assertEqual(encode(""), "")

    def test_encode_reserved(self):
        self.assertEqual(encode("a&b=c"), "a%26b%3Dc")
        self.assertEqual(encode("+/?#"), "%2B%2F%3F%23")

    def test_encode_small_bytes_have_two_digits(self):
        self.assertEqual(encode("\n"), "%0A")

    def test_encode_beyond_ascii(self):
        self.assertEqual(encode("é€"), "%C3%A9%E2%82%AC")

    def test_decode_plus_and_percent(self):
        self.assertEqual(decode("a+b%20c"), "a b c")
        self.assertEqual(decode("%2B"), "+")
        self.assertEqual(decode("%41%42C"), "ABC")

    def test_decode_hex_in_any_case(self):
        self.assertEqual(decode("%c3%A9"), "é")

    def test_decode_keeps_bad_escapes(self):
        self.assertEqual(decode("100%"), "100%")
        self.assertEqual(decode("%4"), "%4")
        self.assertEqual(decode("%zz%4g"), "%zz%4g")
        self.assertEqual(decode("%+1"), "% 1")

    def test_decode_escape_at_the_end(self):
        self.assertEqual(decode("x%41"), "xA")

    def test_decode_broken_utf8(self):
        self.assertEqual(decode("%ff!"), "\ufffd!")

    def test_round_trip(self):
        for text in ("a b&c=d", "100% +", "ünï", "%41"):
            self.assertEqual(decode(encode(text)), text)


class TestParse(unittest.TestCase):
    def test_nothing(self):
        self.assertEqual(Query.parse("").pairs, ())
        self.assertEqual(Query.parse("?").pairs, ())

    def test_question_mark_is_dropped_once(self):
        self.assertEqual(Query.parse("?a=1").pairs, (("a", "1"),))
        self.assertEqual(Query.parse("??a=1").pairs, (("?a", "1"),))

    def test_fragment_is_dropped(self):
        self.assertEqual(Query.parse("a=1#x&b=2#y").pairs, (("a", "1"),))

    def test_empty_pieces_are_ignored(self):
        self.assertEqual(Query.parse("&a=1&&b=2&").pairs, (("a", "1"), ("b", "2")))

    def test_name_without_value(self):
        self.assertEqual(Query.parse("a&b=").pairs, (("a", None), ("b", "")))

    def test_first_equals_splits(self):
        self.assertEqual(Query.parse("a=b=c").pairs, (("a", "b=c"),))

    def test_names_and_values_are_decoded(self):
        self.assertEqual(Query.parse("a+b=c%26d").pairs, (("a b", "c&d"),))

    def test_other_separator(self):
        self.assertEqual(Query.parse("a=1;b=2&3", ";").pairs, (("a", "1"), ("b", "2&3")))

    def test_limit(self):
        self.assertEqual(len(Query.parse("a&b", limit=2)), 2)
        with self.assertRaises(ValueError) as caught:
            Query.parse("a&b&c", limit=2)
        self.assertEqual(str(caught.exception), "more than 2 pairs")
        with self.assertRaises(ValueError):
            Query.parse("a", limit=0)


class TestReading(unittest.TestCase):
    def test_str_without_value_and_empty(self):
        self.assertEqual(str(Query([("a", None), ("b", ""), ("c d", "&")])), "a&b=&c+d=%26")

    def test_repr(self):
        self.assertEqual(repr(Query.parse("?a=1")), "Query('a=1')")

    def test_equality(self):
        self.assertEqual(Query.parse("a=1"), Query([["a", "1"]]))
        self.assertFalse(Query.parse("a=1") == Query.parse("a=2"))
        self.assertFalse(Query.parse("a=1") == (("a", "1"),))

    def test_get_gives_the_first(self):
        self.assertEqual(Query.parse("a=1&a=2").get("a"), "1")
        self.assertEqual(Query.parse("a=1").get("A", "no"), "no")

    def test_get_value_none_is_not_missing(self):
        self.assertIsNone(Query.parse("a").get("a", "x"))
        self.assertEqual(Query.parse("a=").get("a", "x"), "")

    def test_get_all(self):
        self.assertEqual(Query.parse("a=2&b=3&a&a=1").get_all("a"), ["2", None, "1"])
        self.assertEqual(Query.parse("a=2").get_all("b"), [])

    def test_get_int_default(self):
        query = Query.parse("a=x&b&c=&d=1.5")
        self.assertEqual([query.get_int(name, 7) for name in "abcde"], [7] * 5)
        self.assertEqual(query.get_int("a"), 0)

    def test_get_int_bounds_are_inclusive(self):
        query = Query.parse("a=5&b=-2&z=0")
        self.assertEqual(query.get_int("a", low=5, high=5), 5)
        self.assertEqual(query.get_int("a", high=4), 4)
        self.assertEqual(query.get_int("a", low=6), 6)
        self.assertEqual(query.get_int("b", low=0), 0)
        self.assertEqual(query.get_int("b", high=0), -2)
        self.assertEqual(query.get_int("a", high=0), 0)
        self.assertEqual(query.get_int("z", 3), 0)

    def test_get_int_default_is_not_bounded(self):
        self.assertEqual(Query().get_int("a", -1, low=1, high=9), -1)


class TestChanging(unittest.TestCase):
    def test_without_several_names(self):
        self.assertEqual(str(Query.parse("a=1&b=2&a=3&c").without("a", "c")), "b=2")
        self.assertEqual(str(Query.parse("ab=1&a=2").without("ab")), "a=2")

    def test_changes_leave_the_original(self):
        query = Query.parse("b=1&a=2")
        query.set("b", "9"), query.without("a"), query.normalized()
        self.assertEqual(str(query), "b=1&a=2")

    def test_set_at_first_place(self):
        self.assertEqual(str(Query.parse("x=0&a=1&b=2&a=3").set("a", "9")), "x=0&a=9&b=2")
        self.assertEqual(str(Query.parse("a=1&b=2").set("a", None)), "a&b=2")

    def test_set_appends(self):
        self.assertEqual(str(Query.parse("a=1").set("b", "2")), "a=1&b=2")
        self.assertEqual(str(Query().set("b", "2")), "b=2")

    def test_normalized_is_stable_and_unique(self):
        self.assertEqual(str(Query.parse("b=2&a=3&b=1&a=3&b=2").normalized()), "a=3&b=2&b=1")

    def test_normalized_with_missing_values(self):
        self.assertEqual(str(Query.parse("a=1&a&B").normalized()), "B&a=1&a")


if __name__ == "__main__":
    unittest.main()
