import unittest

from gridtext.table import Column, Table, clip, format_number, pad


class TestText(unittest.TestCase):
    def test_clip_exact_width(self):
        self.assertEqual(clip("abcd", 4), "abcd")
        self.assertEqual(clip("abcde", 4), "abc~")

    def test_clip_small_widths(self):
        self.assertEqual(clip("abc", 2), "a~")
        self.assertEqual(clip("abc", 1), "~")
        self.assertEqual(clip("abc", 0), "")
        self.assertEqual(clip("", 0), "")

    def test_pad_sides(self):
        self.assertEqual(pad("ab", 5, "left"), "ab   ")
        self.assertEqual(pad("ab", 5, "right"), "   ab")

    def test_pad_center(self):
        self.assertEqual(pad("ab", 4, "center"), " ab ")
        self.assertEqual(pad("ab", 5, "center"), "  ab ")
        self.assertEqual(pad("ab", 3, "center"), " ab")

    def test_pad_of_wide_text(self):
        for align in ("left", "right", "center"):
            self.assertEqual(pad("abc", 2, align), "abc")
            self.assertEqual(pad("abc", 3, align), "abc")
            self.assertEqual(len(pad("abc", 4, align)), 4)

    def test_pad_unknown_alignment(self):
        with self.assertRaises(ValueError):
            pad("abc", 2, "middle")

    def test_format_integers(self):
        self.assertEqual([format_number(n) for n in (0, 999, 1000, -1234567)], ["0", "999", "1,000", "-1,234,567"])

    def test_format_floats(self):
        self.assertEqual(format_number(1234.5), "1,234.50")
        self.assertEqual(format_number(-0.126), "-0.13")
        self.assertEqual(format_number(2.0, 0), "2")
        self.assertEqual(format_number(1.23456, places=4), "1.2346")

    def test_format_negative_zero(self):
        self.assertEqual(format_number(-0.001), "0.00")
        self.assertEqual(format_number(-0.001, 3), "-0.001")
        self.assertEqual(format_number(-0.0), "0.00")
        self.assertEqual(format_number(-1.0), "-1.00")


class TestColumn(unittest.TestCase):
    def test_show_none_and_bools(self):
        self.assertEqual([Column("x").show(v) for v in (None, True, False)], ["-", "yes", "no"])

    def test_show_numbers(self):
        self.assertEqual([Column("x").show(v) for v in (0, 12345, 1.5)], ["0", "12,345", "1.50"])

    def test_numbers_are_not_clipped(self):
        self.assertEqual(Column("x", most=3).show(123456), "123,456")

    def test_show_collapses_and_clips(self):
        self.assertEqual(Column("x").show(" a \n b "), "a b")
        self.assertEqual(Column("x", most=3).show("a   b"), "a b")
        self.assertEqual(Column("x", most=3).show("abcd"), "ab~")
        self.assertEqual(Column("x").show(""), "")

    def test_default_width(self):
        self.assertEqual(len(Column("x").show("y" * 30)), 30)
        self.assertEqual(Column("x").show("y" * 31), "y" * 29 + "~")

    def test_least_above_most(self):
        self.assertEqual(Column("x", most=3, least=3).least, 3)
        with self.assertRaises(ValueError):
            Column("x", most=3, least=4)

    def test_side_of_numbers(self):
        self.assertEqual(Column("x").side([1, 2.5, None]), "right")

    def test_side_of_others(self):
        for values in ([], [None], ["a"], [1, "a"], [1, True]):
            self.assertEqual(Column("x").side(values), "left")

    def test_side_given(self):
        self.assertEqual(Column("x", "left").side([1]), "left")
        self.assertEqual(Column("x", "center").side(["a"]), "center")


class TestRows(unittest.TestCase):
    def test_add_fills_up(self):
        self.assertEqual(Table(["a", "b", "c"]).add(1).add(1, 2, 3).rows, [[1, None, None], [1, 2, 3]])

    def test_add_too_many(self):
        table = Table(["a"])
        with self.assertRaises(ValueError) as caught:
            table.add(1, 2)
        self.assertEqual(str(caught.exception), "2 values for 1 columns")
        self.assertEqual(table.rows, [])

    def test_tables_do_not_share_rows(self):
        Table(["a"]).add(1)
        self.assertEqual(Table(["a"]).rows, [])

    def test_sort_is_stable(self):
        table = Table(["k", "v"]).add(2, "a").add(1, "b").add(2, "c").add(1, "d")
        self.assertEqual([row[1] for row in table.sort("k").rows], ["b", "d", "a", "c"])

    def test_sort_reverse_is_stable(self):
        table = Table(["k", "v"]).add(1, "a").add(2, "b").add(1, "c").add(2, "d")
        self.assertEqual([row[1] for row in table.sort("k", reverse=True).rows], ["b", "d", "a", "c"])

    def test_sort_puts_none_last(self):
        table = Table(["k"]).add(None).add(2).add(0)
        self.assertEqual(table.sort("k").rows, [[0], [2], [None]])
        self.assertEqual(table.sort("k", True).rows, [[2], [0], [None]])

    def test_sort_by_named_column(self):
        with self.assertRaises(ValueError):
            Table(["a"]).sort("b")
        self.assertEqual(Table(["a", "b"]).add(1, "y").add(2, "x").sort("b").rows, [[2, "x"], [1, "y"]])

    def test_totals(self):
        table = Table([Column("a", total=True), "b", Column("c", total=True)])
        self.assertEqual(table.totals(), [0, None, 0])
        self.assertEqual(table.add(1, 5, 0.5).add(None, 6, 1).totals(), [1, None, 1.5])


class TestRender(unittest.TestCase):
    def test_widths_and_sides(self):
        table = Table(["Item", "n"]).add("x", 1000).add("longer", -5)
        self.assertEqual(table.render(), ["Item        n", "------  -----", "x       1,000", "longer     -5"])

    def test_without_header(self):
        self.assertEqual(Table(["Long title", "b"]).add("x", "y").render(header=False), ["x  y"])

    def test_header_only(self):
        self.assertEqual(Table(["a", "bcd"]).render(), ["a  bcd", "-  ---"])
        self.assertEqual(Table(["a", "b"]).render(header=False), [])

    def test_least_width_and_gap(self):
        table = Table([Column("a", least=4), "b"], gap=" | ").add("x", "y")
        self.assertEqual(table.render(), ["a    | b", "---- | -", "x    | y"])
        self.assertEqual(Table(["", "b"]).add("", "y").render(), ["   b", "-  -", "   y"])

    def test_no_white_space_at_line_ends(self):
        self.assertEqual(Table(["a", "bbb"]).add("xx", "").render(), ["a   bbb", "--  ---", "xx"])

    def test_long_titles_are_clipped(self):
        self.assertEqual(Table([Column("abcdef", most=4)]).add("x").render(), ["abc~", "----", "x"])

    def test_totals_line(self):
        table = Table(["Item", Column("Sum", total=True)]).add("a", 600).add("b", 400)
        expected = ["Item    Sum", "----  -----", "a       600", "b       400", "----  -----", "      1,000"]
        self.assertEqual(table.render(), expected)

    def test_total_of_zero_is_shown(self):
        self.assertEqual(Table([Column("n", total=True)]).add(0).render(header=False), ["0", "-", "0"])

    def test_none_and_centre(self):
        self.assertEqual(Table([Column("abcd", "center")]).add(None).add("x").render(), ["abcd", "----", "  -", "  x"])


if __name__ == "__main__":
    unittest.main()
