import unittest

from rowsplit.fields import (
    CsvError,
    field_needs_quotes,
    join_line,
    parse_table,
    split_line,
    split_records,
)


class TestSplitLine(unittest.TestCase):
    def test_empty_line_is_one_field(self):
        self.assertEqual(split_line(""), [""])

    def test_empty_fields(self):
        self.assertEqual(split_line(","), ["", ""])
        self.assertEqual(split_line("a,,b,"), ["a", "", "b", ""])

    def test_quoted_delimiter(self):
        self.assertEqual(split_line('a,"b,c",d'), ["a", "b,c", "d"])

    def test_quoted_empty_field(self):
        self.assertEqual(split_line('"",a,""'), ["", "a", ""])

    def test_doubled_quote(self):
        self.assertEqual(split_line('"say ""hi""",x'), ['say "hi"', "x"])
        self.assertEqual(split_line('""""'), ['"'])

    def test_quote_inside_plain_field(self):
        self.assertEqual(split_line('a"b"c,d'), ['a"b"c', "d"])

    def test_other_delimiter_and_quote(self):
        self.assertEqual(split_line("'a\tb'\tc", "\t", "'"), ["a\tb", "c"])

    def test_white_space_is_kept_by_default(self):
        self.assertEqual(split_line(" a , b"), [" a ", " b"])

    def test_strip_plain_fields_only(self):
        self.assertEqual(split_line('" a ", b ,c ', strip=True), [" a ", "b", "c"])
        self.assertEqual(split_line('a," b "', strip=True), ["a", " b "])

    def test_blank_before_quote_makes_it_plain(self):
        self.assertEqual(split_line('a, "b"'), ["a", ' "b"'])

    def test_text_after_closing_quote(self):
        with self.assertRaises(CsvError) as caught:
            split_line('"ab"c,d')
        self.assertEqual(caught.exception.column, 5)
        self.assertEqual(str(caught.exception), "text after closing quote (column 5)")

    def test_quote_never_closed(self):
        with self.assertRaises(CsvError) as caught:
            split_line('x,"ab')
        self.assertEqual(caught.exception.column, 3)
        with self.assertRaises(CsvError) as caught:
            split_line('"')
        self.assertEqual(caught.exception.column, 1)

    def test_open_doubled_quote(self):
        with self.assertRaises(CsvError):
            split_line('"a""')


class TestDialect(unittest.TestCase):
    def test_long_delimiter_or_quote(self):
        with self.assertRaises(ValueError):
            split_line("a", delimiter="::")
        with self.assertRaises(ValueError):
            split_line("a", quote="")
        with self.assertRaises(ValueError):
            join_line(["a"], delimiter="")

    def test_same_delimiter_and_quote(self):
        with self.assertRaises(ValueError):
            split_line("a", delimiter='"')
        with self.assertRaises(ValueError):
            join_line(["a"], ",", ",")


class TestJoin(unittest.TestCase):
    def test_needs_quotes_for_special_characters(self):
        for text in ("a,b", 'a"b', "a\nb", "a\rb"):
            self.assertIs(field_needs_quotes(text), True)

    def test_needs_quotes_for_outer_white_space(self):
        self.assertIs(field_needs_quotes(" a"), True)
        self.assertIs(field_needs_quotes("a\t"), True)
        self.assertIs(field_needs_quotes("a b"), False)
        self.assertIs(field_needs_quotes(""), False)

    def test_needs_quotes_follows_the_dialect(self):
        self.assertIs(field_needs_quotes("a,b", ";"), False)
        self.assertIs(field_needs_quotes("a;b", ";"), True)
        self.assertIs(field_needs_quotes("it's", ",", "'"), True)

    def test_join_plain(self):
        self.assertEqual(join_line(["a", 2, 3.5]), "a,2,3.5")
        self.assertEqual(join_line(["a"]), "a")

    def test_join_none_and_falsy(self):
        self.assertEqual(join_line([None, 0, False, ""]), ",0,False,")

    def test_join_quotes(self):
        self.assertEqual(join_line(['a"b', "c,d", " e"]), '"a""b","c,d"," e"')

    def test_join_other_dialect(self):
        self.assertEqual(join_line(["a,b", "it's", "c;d"], ";", "'"), "a,b;'it''s';'c;d'")

    def test_join_nothing_raises(self):
        with self.assertRaises(ValueError):
            join_line([])

    def test_round_trip(self):
        values = ["", "a", 'q"', "x,y", " z ", '""', ","]
        self.assertEqual(split_line(join_line(values)), values)


class TestRecords(unittest.TestCase):
    def test_line_ends(self):
        self.assertEqual(list(split_records("a\r\nb\nc")), ["a", "b", "c"])

    def test_break_inside_quotes(self):
        self.assertEqual(list(split_records('a,"b\nc"\nd')), ['a,"b\nc"', "d"])

    def test_blank_lines_are_left_out(self):
        self.assertEqual(list(split_records("a\n\n  \nb\n")), ["a", "b"])
        self.assertEqual(list(split_records("")), [])

    def test_open_quote_yields_the_rest(self):
        self.assertEqual(list(split_records('a\n"b\nc\n')), ["a", '"b\nc'])

    def test_records_with_other_quote(self):
        self.assertEqual(list(split_records("'a\nb'\n\"c\n", quote="'")), ["'a\nb'", '"c'])


class TestTable(unittest.TestCase):
    def test_table_of_nothing(self):
        self.assertEqual(parse_table(""), [])
        self.assertEqual(parse_table("a,b\n"), [])

    def test_table_rows_in_order(self):
        self.assertEqual(parse_table("a; b\n1;2\n3;4", ";"), [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}])

    def test_short_row_is_filled(self):
        self.assertEqual(parse_table("a,b,c\n1\n"), [{"a": "1", "b": None, "c": None}])
        self.assertEqual(parse_table("a,b\n1\n2,3\n", fill="-"), [{"a": "1", "b": "-"}, {"a": "2", "b": "3"}])

    def test_long_row_raises(self):
        with self.assertRaises(ValueError) as caught:
            parse_table("a,b\n1,2\n1,2,3\n")
        self.assertEqual(str(caught.exception), "row 2 has 3 fields, expected 2")

    def test_repeated_header_raises(self):
        with self.assertRaises(ValueError):
            parse_table("a, a\n1,2\n")


if __name__ == "__main__":
    unittest.main()
