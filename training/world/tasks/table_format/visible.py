import unittest

from gridtext.table import Column, Table, clip, format_number, pad


class TestTable(unittest.TestCase):
    def test_clip(self):
        self.assertEqual(clip("abcdef", 4), "abc~")
        self.assertEqual(clip("abc", 4), "abc")

    def test_pad(self):
        self.assertEqual(pad("ab", 4), "ab  ")
        self.assertEqual(pad("ab", 4, "right"), "  ab")

    def test_format_number(self):
        self.assertEqual(format_number(1234567), "1,234,567")
        self.assertEqual(format_number(2.5), "2.50")

    def test_column_show(self):
        column = Column("Name")
        self.assertEqual(column.show("Ann"), "Ann")
        self.assertEqual(column.show(True), "yes")

    def test_render(self):
        table = Table(["Name", "Age"]).add("Ann", 41).add("Bo", 7)
        self.assertEqual(table.render(), ["Name  Age", "----  ---", "Ann    41", "Bo      7"])

    def test_sort(self):
        table = Table(["n"]).add(3).add(1).add(2).sort("n")
        self.assertEqual(table.rows, [[1], [2], [3]])

    def test_totals(self):
        table = Table(["Item", Column("Sum", total=True)]).add("a", 3).add("b", 4)
        self.assertEqual(table.totals(), [None, 7])
