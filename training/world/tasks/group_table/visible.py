import unittest

from tabulite.aggregate import aggregate, group_by, paginate, percentile, pivot, sort_rows, top

ROWS = [
    {"city": "Rome", "kind": "a", "sold": 5},
    {"city": "Oslo", "kind": "a", "sold": 2},
    {"city": "Rome", "kind": "b", "sold": 3},
]


class TableTest(unittest.TestCase):
    def test_group_by(self):
        groups = group_by(ROWS, "city")
        self.assertEqual(groups[("Rome",)], [ROWS[0], ROWS[2]])
        self.assertEqual(len(groups), 2)

    def test_percentile(self):
        self.assertEqual(percentile([1, 2, 3], 50), 2)

    def test_aggregate(self):
        rows = aggregate(ROWS, ["city"], total=("sold", "sum"), n=("sold", "count"))
        self.assertEqual(rows[0], {"city": "Rome", "total": 8, "n": 2})
        self.assertEqual(rows[1], {"city": "Oslo", "total": 2, "n": 1})

    def test_sort_rows(self):
        self.assertEqual([row["sold"] for row in sort_rows(ROWS, "sold")], [2, 3, 5])

    def test_top(self):
        self.assertEqual(top(ROWS, "sold", 1), [ROWS[0]])

    def test_pivot(self):
        table = pivot(ROWS, "city", "kind", "sold")
        self.assertEqual(table["Rome"], {"a": 5, "b": 3})

    def test_paginate(self):
        page = paginate([1, 2, 3, 4, 5], 1, size=2)
        self.assertEqual(page, [1, 2])
        self.assertEqual(page.pages, 3)
        self.assertTrue(page.has_next)


if __name__ == "__main__":
    unittest.main()
