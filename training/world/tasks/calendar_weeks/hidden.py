import unittest
from datetime import date

from isoweeks.weeks import (
    Week,
    month_grid,
    parse_week,
    quarter_of,
    shift,
    week_of,
    week_range,
    weeks_in_year,
)


class WeekTest(unittest.TestCase):
    def test_rejects_week_zero(self):
        with self.assertRaises(ValueError):
            Week(2024, 0)
        self.assertEqual(Week(2024, 1).number, 1)

    def test_week_53_only_in_long_years(self):
        self.assertEqual(Week(2020, 53).number, 53)
        with self.assertRaises(ValueError):
            Week(2024, 53)

    def test_label_pads_the_number(self):
        self.assertEqual(str(Week(2024, 5)), "2024-W05")

    def test_weeks_compare_in_time(self):
        self.assertLess(Week(2023, 52), Week(2024, 1))
        self.assertLess(Week(2024, 9), Week(2024, 10))

    def test_first_week_can_begin_in_december(self):
        self.assertEqual(Week(2025, 1).monday, date(2024, 12, 30))

    def test_sunday_is_six_days_later(self):
        self.assertEqual(Week(2025, 1).sunday, date(2025, 1, 5))

    def test_contains_both_ends(self):
        week = Week(2024, 10)
        self.assertTrue(date(2024, 3, 4) in week)
        self.assertTrue(date(2024, 3, 10) in week)

    def test_contains_not_neighbours(self):
        week = Week(2024, 10)
        self.assertFalse(date(2024, 3, 3) in week)
        self.assertFalse(date(2024, 3, 11) in week)

    def test_days_in_order(self):
        days = list(Week(2024, 10).days())
        self.assertEqual(days[0], date(2024, 3, 4))
        self.assertEqual(days[-1], date(2024, 3, 10))
        self.assertEqual(len(days), 7)

    def test_month_is_that_of_thursday(self):
        self.assertEqual(Week(2024, 9).month(), (2024, 2))
        self.assertEqual(Week(2024, 18).month(), (2024, 5))
        self.assertEqual(Week(2024, 31).month(), (2024, 8))

    def test_month_at_new_year(self):
        self.assertEqual(Week(2025, 1).month(), (2025, 1))
        self.assertEqual(Week(2020, 53).month(), (2020, 12))


class LookupTest(unittest.TestCase):
    def test_week_of_december_in_next_year(self):
        self.assertEqual(week_of(date(2024, 12, 30)), (2025, 1))

    def test_week_of_january_in_last_year(self):
        self.assertEqual(week_of(date(2021, 1, 3)), (2020, 53))

    def test_parse_without_dash_and_lower_case(self):
        self.assertEqual(parse_week(" 2024w05 "), Week(2024, 5))

    def test_parse_rejects_other_texts(self):
        for label in ("2024-5", "2024-W5", "24-W05", "2024-W051", "x2024-W05"):
            with self.assertRaises(ValueError, msg=label):
                parse_week(label)

    def test_parse_rejects_missing_week(self):
        with self.assertRaises(ValueError):
            parse_week("2024-W53")

    def test_weeks_in_year(self):
        self.assertEqual([weeks_in_year(y) for y in (2015, 2020, 2021, 2026)], [53, 53, 52, 53])


class ShiftTest(unittest.TestCase):
    def test_shift_over_new_year(self):
        self.assertEqual(shift(Week(2024, 52), 1), Week(2025, 1))
        self.assertEqual(shift(Week(2020, 52), 1), Week(2020, 53))

    def test_shift_back(self):
        self.assertEqual(shift(Week(2021, 1), -1), Week(2020, 53))

    def test_shift_zero(self):
        self.assertEqual(shift(Week(2024, 7), 0), Week(2024, 7))

    def test_range_over_new_year(self):
        found = [str(week) for week in week_range(Week(2020, 52), Week(2021, 1))]
        self.assertEqual(found, ["2020-W52", "2020-W53", "2021-W01"])

    def test_range_single_and_empty(self):
        self.assertEqual(list(week_range(Week(2024, 5), Week(2024, 5))), [Week(2024, 5)])
        self.assertEqual(list(week_range(Week(2024, 5), Week(2024, 4))), [])

    def test_range_step(self):
        found = [week.number for week in week_range(Week(2024, 1), Week(2024, 6), step=2)]
        self.assertEqual(found, [1, 3, 5])

    def test_range_rejects_step_zero(self):
        with self.assertRaises(ValueError):
            list(week_range(Week(2024, 1), Week(2024, 6), step=0))


class GridTest(unittest.TestCase):
    def test_number_of_rows(self):
        self.assertEqual(len(month_grid(2021, 2)), 4)
        self.assertEqual(len(month_grid(2024, 3)), 5)
        self.assertEqual(len(month_grid(2024, 9)), 6)

    def test_last_row(self):
        self.assertEqual(month_grid(2024, 9)[-1], [30] + [None] * 6)

    def test_sunday_first(self):
        grid = month_grid(2024, 3, first_weekday=6)
        self.assertEqual(grid[0], [None] * 5 + [1, 2])
        self.assertEqual(grid[-1], [31] + [None] * 6)

    def test_month_that_fills_its_first_row(self):
        self.assertEqual(month_grid(2024, 4)[0], [1, 2, 3, 4, 5, 6, 7])

    def test_all_days_once(self):
        flat = [day for row in month_grid(2024, 2) for day in row if day]
        self.assertEqual(flat, list(range(1, 30)))

    def test_rejects_weekday(self):
        for weekday in (-1, 7):
            with self.assertRaises(ValueError):
                month_grid(2024, 3, weekday)


class QuarterTest(unittest.TestCase):
    def test_calendar_quarters(self):
        found = [quarter_of(date(2024, m, 1))[1] for m in range(1, 13)]
        self.assertEqual(found, [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4])

    def test_calendar_year_is_kept(self):
        self.assertEqual(quarter_of(date(2024, 12, 31)), (2024, 4))

    def test_fiscal_year_from_october(self):
        self.assertEqual(quarter_of(date(2024, 10, 1), 10), (2025, 1))
        self.assertEqual(quarter_of(date(2024, 9, 30), 10), (2024, 4))
        self.assertEqual(quarter_of(date(2024, 1, 1), 10), (2024, 2))

    def test_fiscal_bounds(self):
        self.assertEqual(quarter_of(date(2024, 12, 1), 12), (2025, 1))
        self.assertEqual(quarter_of(date(2024, 1, 1), 2), (2024, 4))
        for start in (0, 13):
            with self.assertRaises(ValueError):
                quarter_of(date(2024, 1, 1), start)
