import unittest

from rowsplit.fields import (
    CsvError,
    field_needs_quotes,
    join_line,
    parse_table,
    split_line,
    split_records,
)


class TestFields(unittest.TestCase):
    def test_splits_plain_fields(self):
        self.assertEqual(split_line("a,b,c"), ["a", "b", "c"])
        self.assertEqual(split_line("a;b", delimiter=";"), ["a", "b"])

    def test_splits_quoted_fields(self):
        self.assertEqual(split_line('"a,b",c'), ["a,b", "c"])

    def test_unclosed_quote_raises(self):
        with self.assertRaises(CsvError):
            split_line('"abc')

    def test_needs_quotes(self):
        self.assertTrue(field_needs_quotes("a,b"))
        self.assertFalse(field_needs_quotes("abc"))

    def test_joins(self):
        self.assertEqual(join_line(["a", 1, "b,c"]), 'a,1,"b,c"')

    def test_records(self):
        self.assertEqual(list(split_records("a,b\nc,d\n")), ["a,b", "c,d"])

    def test_table(self):
        self.assertEqual(parse_table("x,y\n1,2\n"), [{"x": "1", "y": "2"}])
