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


class WeeksTest(unittest.TestCase):
    def test_week_of(self):
        self.assertEqual(week_of(date(2024, 3, 6)), Week(2024, 10))

    def test_label(self):
        self.assertEqual(str(Week(2024, 10)), "2024-W10")
        self.assertEqual(parse_week("2024-W10"), Week(2024, 10))

    def test_first_and_last_day(self):
        self.assertEqual(Week(2024, 10).monday, date(2024, 3, 4))
        self.assertEqual(Week(2024, 10).sunday, date(2024, 3, 10))

    def test_contains_and_days(self):
        self.assertIn(date(2024, 3, 6), Week(2024, 10))
        self.assertEqual(len(list(Week(2024, 10).days())), 7)

    def test_month(self):
        self.assertEqual(Week(2024, 10).month(), (2024, 3))

    def test_weeks_in_year(self):
        self.assertEqual(weeks_in_year(2024), 52)

    def test_shift_and_range(self):
        self.assertEqual(shift(Week(2024, 10), 2), Week(2024, 12))
        self.assertEqual(len(list(week_range(Week(2024, 10), Week(2024, 13)))), 4)

    def test_month_grid(self):
        self.assertEqual(month_grid(2024, 3)[0], [None, None, None, None, 1, 2, 3])

    def test_quarter_of(self):
        self.assertEqual(quarter_of(date(2024, 5, 1)), (2024, 2))
