import unittest

from tabulite.aggregate import (
    Page,
    aggregate,
    group_by,
    paginate,
    percentile,
    pivot,
    sort_rows,
    top,
)


def rows_of(*values, key="v"):
    return [{key: value} for value in values]


def reduce_to(reducer, *values):
    return aggregate(rows_of(*values), [], x=("v", reducer))[0]["x"]


class GroupByTest(unittest.TestCase):
    def test_several_keys(self):
        groups = group_by([{"a": 1, "b": 2}, {"a": 1, "b": 3}], "a", "b")
        self.assertEqual(list(groups), [(1, 2), (1, 3)])

    def test_order_of_appearance(self):
        self.assertEqual(list(group_by(rows_of(3, 1, 3, 2), "v")), [(3,), (1,), (2,)])

    def test_missing_key_is_none(self):
        groups = group_by([{"a": 1}, {}, {"a": None}], "a")
        self.assertEqual(groups, {(1,): [{"a": 1}], (None,): [{}, {"a": None}]})

    def test_no_keys(self):
        with self.assertRaises(ValueError):
            group_by([{"a": 1}])
        self.assertEqual(group_by([], "a"), {})


class PercentileTest(unittest.TestCase):
    def test_ends(self):
        self.assertEqual(percentile([5, 1, 3], 0), 1)
        self.assertEqual(percentile([5, 1, 3], 100), 5)

    def test_interpolation(self):
        self.assertEqual(percentile([10, 20], 25), 12.5)
        self.assertEqual(percentile([4, 1, 2, 3], 50), 2.5)
        self.assertEqual(percentile([0, 10, 20, 30, 40], 90), 36.0)

    def test_single_value(self):
        self.assertEqual(percentile([7], 33), 7)

    def test_bad_arguments(self):
        for values, percent in (([], 50), ([1], -1), ([1], 100.5)):
            with self.assertRaises(ValueError):
                percentile(values, percent)

    def test_values_are_not_sorted_in_place(self):
        values = [3, 1, 2]
        percentile(values, 50)
        self.assertEqual(values, [3, 1, 2])


class AggregateTest(unittest.TestCase):
    def test_reducers(self):
        got = [reduce_to(name, 4, 1, 4) for name in ("count", "sum", "min", "max", "distinct")]
        self.assertEqual(got, [3, 9, 1, 4, 2])
        self.assertEqual([reduce_to(name, 4, 1, 4) for name in ("mean", "median")], [3.0, 4])

    def test_first(self):
        self.assertEqual(reduce_to("first", 9, 1), 9)
        self.assertEqual(reduce_to("first", None, 5), 5)

    def test_none_is_left_out(self):
        got = [reduce_to(name, None, 4, 2) for name in ("count", "mean", "min", "median")]
        self.assertEqual(got, [2, 3.0, 2, 3.0])

    def test_zero_counts_as_a_value(self):
        self.assertEqual([reduce_to(name, 0, 4) for name in ("count", "mean")], [2, 2.0])

    def test_no_values(self):
        names = ("count", "sum", "distinct", "min", "max", "mean", "median", "first")
        got = [reduce_to(name, None) for name in names]
        self.assertEqual(got, [0, 0, 0, None, None, None, None, None])

    def test_missing_fields(self):
        self.assertEqual(aggregate([{"a": 1}], ["a"], n=("zz", "count")), [{"a": 1, "n": 0}])

    def test_groups_in_order_with_keys_first(self):
        rows = [{"k": "b", "v": 1}, {"k": "a", "v": 2}, {"k": "b", "v": 3}]
        got = aggregate(rows, ["k"], s=("v", "sum"))
        self.assertEqual(got, [{"k": "b", "s": 4}, {"k": "a", "s": 2}])
        self.assertEqual(list(got[0]), ["k", "s"])

    def test_several_keys(self):
        rows = [{"a": 1, "b": 1}, {"a": 1, "b": 2}, {"a": 1, "b": 1}]
        got = aggregate(rows, ["a", "b"], n=("a", "count"))
        self.assertEqual(got, [{"a": 1, "b": 1, "n": 2}, {"a": 1, "b": 2, "n": 1}])

    def test_without_keys_and_rows(self):
        self.assertEqual(aggregate([], [], n=("v", "count")), [{"n": 0}])
        self.assertEqual(aggregate([], ["k"], n=("v", "count")), [])

    def test_unknown_reducer(self):
        with self.assertRaisesRegex(ValueError, "unknown reducer: avg"):
            aggregate([], ["k"], n=("v", "avg"))


class SortTest(unittest.TestCase):
    def test_falling(self):
        self.assertEqual(sort_rows(rows_of(1, 3, 2), "-v"), rows_of(3, 2, 1))

    def test_second_key_breaks_ties(self):
        rows = [{"a": 1, "b": 2}, {"a": 0, "b": 9}, {"a": 1, "b": 5}]
        self.assertEqual([row["b"] for row in sort_rows(rows, "a", "b")], [9, 2, 5])
        self.assertEqual([row["b"] for row in sort_rows(rows, "-a", "-b")], [5, 2, 9])

    def test_rows_without_value_come_last(self):
        rows = [{}, {"v": 2}, {"v": None}, {"v": 0}]
        self.assertEqual(sort_rows(rows, "v"), [{"v": 0}, {"v": 2}, {}, {"v": None}])
        self.assertEqual(sort_rows(rows, "-v"), [{"v": 2}, {"v": 0}, {}, {"v": None}])

    def test_stable_and_not_in_place(self):
        rows = [{"v": 1, "n": 1}, {"v": 1, "n": 2}, {"v": 0, "n": 3}]
        self.assertEqual([row["n"] for row in sort_rows(rows, "-v")], [1, 2, 3])
        self.assertEqual([row["n"] for row in sort_rows(rows, "v")], [3, 1, 2])
        self.assertEqual([row["n"] for row in rows], [1, 2, 3])

    def test_no_order(self):
        self.assertEqual(sort_rows(rows_of(2, 1)), rows_of(2, 1))


class TopTest(unittest.TestCase):
    def test_highest_first(self):
        self.assertEqual(top(rows_of(1, 5, 3), "v", 2), rows_of(5, 3))

    def test_ties_with_the_last_are_included(self):
        self.assertEqual(top(rows_of(1, 5, 3, 3), "v", 2), rows_of(5, 3, 3))
        self.assertEqual(top(rows_of(5, 5, 3), "v", 1), rows_of(5, 5))

    def test_fewer_rows_than_asked(self):
        self.assertEqual(top(rows_of(1, None), "v", 5), rows_of(1))
        self.assertEqual(top([], "v", 1), [])

    def test_no_count(self):
        self.assertEqual(top(rows_of(1, 2), "v", 0), [])
        self.assertEqual(top(rows_of(1, 2), "v", -1), [])


class PivotTest(unittest.TestCase):
    def test_sums_and_zeros(self):
        rows = [{"i": 1, "c": "y", "v": 2}, {"i": 2, "c": "x", "v": 5}, {"i": 1, "c": "y", "v": 3}]
        table = pivot(rows, "i", "c", "v")
        self.assertEqual(table, {1: {"x": 0, "y": 5}, 2: {"x": 5, "y": 0}})

    def test_columns_sorted_indexes_as_they_come(self):
        rows = [{"i": 2, "c": "z", "v": 1}, {"i": 1, "c": "a", "v": 1}]
        table = pivot(rows, "i", "c", "v")
        self.assertEqual((list(table), list(table[1])), ([2, 1], ["a", "z"]))

    def test_missing_values_count_as_zero(self):
        rows = [{"i": 1, "c": 1}, {"i": 1, "c": 1, "v": None}, {"i": 1, "c": 1, "v": 4}]
        self.assertEqual(pivot(rows, "i", "c", "v"), {1: {1: 4}})
        self.assertEqual(pivot([], "i", "c", "v"), {})


class PaginateTest(unittest.TestCase):
    def test_middle_and_last_page(self):
        rows = [1, 2, 3, 4, 5]
        self.assertEqual(paginate(rows, 2, 2), [3, 4])
        self.assertEqual(paginate(rows, 3, 2), [5])
        self.assertEqual(paginate(list(range(30)), 3), list(range(20, 30)))

    def test_number_of_pages(self):
        pages = [paginate([0] * length, 1, 3).pages for length in (0, 1, 3, 4, 6)]
        self.assertEqual(pages, [1, 1, 1, 2, 2])

    def test_has_next(self):
        rows = [1, 2, 3, 4]
        self.assertIs(paginate(rows, 1, 2).has_next, True)
        self.assertIs(paginate(rows, 2, 2).has_next, False)
        self.assertEqual((Page([], 3, 7).number, Page([], 3, 7).has_next), (3, True))

    def test_bad_arguments(self):
        for number, size in ((0, 2), (3, 2), (-1, 2), (1, 0)):
            with self.assertRaises(ValueError):
                paginate([1, 2, 3], number, size)
        self.assertEqual(paginate([], 1, 1), [])


if __name__ == "__main__":
    unittest.main()
