import unittest
from datetime import date

from recurkit.rules import Rule, add_months, describe, next_after, nth_weekday, occurrences


def iso(days):
    return [day.isoformat() for day in days]


class RuleTest(unittest.TestCase):
    def test_rejects_interval_zero(self):
        with self.assertRaises(ValueError):
            Rule("daily", interval=0)
        self.assertEqual(Rule("daily", interval=1).interval, 1)

    def test_rejects_count_with_until(self):
        with self.assertRaises(ValueError):
            Rule("daily", count=1, until=date(2024, 1, 1))

    def test_rejects_zero_count_with_until(self):
        with self.assertRaises(ValueError):
            Rule("daily", count=0, until=date(2024, 1, 1))

    def test_rejects_weekdays_outside_weekly(self):
        with self.assertRaises(ValueError):
            Rule("monthly", weekdays=(1,))
        self.assertEqual(Rule("weekly", weekdays=(1,)).weekdays, (1,))

    def test_all_frequencies_are_known(self):
        for name in ("daily", "weekly", "monthly", "yearly"):
            self.assertEqual(Rule(name).interval, 1)


class AddMonthsTest(unittest.TestCase):
    def test_over_the_year(self):
        self.assertEqual(add_months(date(2024, 11, 5), 3), date(2025, 2, 5))

    def test_into_december(self):
        self.assertEqual(add_months(date(2024, 11, 5), 1), date(2024, 12, 5))
        self.assertEqual(add_months(date(2024, 1, 5), -1), date(2023, 12, 5))

    def test_backwards(self):
        self.assertEqual(add_months(date(2024, 3, 31), -1), date(2024, 2, 29))
        self.assertEqual(add_months(date(2024, 3, 31), -13), date(2023, 2, 28))

    def test_clamps_to_thirty(self):
        self.assertEqual(add_months(date(2024, 3, 31), 1), date(2024, 4, 30))

    def test_zero_months(self):
        self.assertEqual(add_months(date(2024, 12, 31), 0), date(2024, 12, 31))


class NthWeekdayTest(unittest.TestCase):
    def test_from_the_end(self):
        self.assertEqual(nth_weekday(2024, 3, 6, -1), date(2024, 3, 31))
        self.assertEqual(nth_weekday(2024, 3, 0, -2), date(2024, 3, 18))

    def test_fifth(self):
        self.assertEqual(nth_weekday(2024, 3, 4, 5), date(2024, 3, 29))
        self.assertIsNone(nth_weekday(2024, 3, 0, 5))

    def test_too_far_back(self):
        self.assertEqual(nth_weekday(2024, 3, 0, -4), date(2024, 3, 4))
        self.assertIsNone(nth_weekday(2024, 3, 0, -5))

    def test_zero_is_none(self):
        self.assertIsNone(nth_weekday(2024, 3, 0, 0))


class OccurrencesTest(unittest.TestCase):
    def test_daily_interval(self):
        found = occurrences(Rule("daily", 3, count=3), date(2024, 2, 27))
        self.assertEqual(iso(found), ["2024-02-27", "2024-03-01", "2024-03-04"])

    def test_until_is_included(self):
        found = occurrences(Rule("daily", until=date(2024, 3, 2)), date(2024, 3, 1))
        self.assertEqual(iso(found), ["2024-03-01", "2024-03-02"])

    def test_until_before_start(self):
        self.assertEqual(occurrences(Rule("daily", until=date(2024, 2, 1)), date(2024, 3, 1)), [])

    def test_count_zero(self):
        self.assertEqual(occurrences(Rule("daily", count=0), date(2024, 3, 1)), [])

    def test_limit(self):
        self.assertEqual(len(occurrences(Rule("daily"), date(2024, 3, 1), limit=4)), 4)
        self.assertEqual(len(occurrences(Rule("daily"), date(2024, 3, 1))), 1000)
        self.assertEqual(occurrences(Rule("daily"), date(2024, 3, 1), limit=0), [])

    def test_biweekly(self):
        found = occurrences(Rule("weekly", 2, count=3), date(2024, 3, 6))
        self.assertEqual(iso(found), ["2024-03-06", "2024-03-20", "2024-04-03"])

    def test_weekdays_start_in_the_middle_of_the_week(self):
        found = occurrences(Rule("weekly", count=4, weekdays=(0, 2, 4)), date(2024, 3, 6))
        self.assertEqual(iso(found), ["2024-03-06", "2024-03-08", "2024-03-11", "2024-03-13"])

    def test_weekdays_are_sorted_and_unique(self):
        found = occurrences(Rule("weekly", 2, count=3, weekdays=(4, 1, 4)), date(2024, 3, 4))
        self.assertEqual(iso(found), ["2024-03-05", "2024-03-08", "2024-03-19"])

    def test_monthly_returns_to_the_31st(self):
        found = occurrences(Rule("monthly", count=4), date(2024, 1, 31))
        self.assertEqual(iso(found), ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30"])

    def test_yearly_leap_day(self):
        found = occurrences(Rule("yearly", 2, count=3), date(2024, 2, 29))
        self.assertEqual(iso(found), ["2024-02-29", "2026-02-28", "2028-02-29"])

    def test_quarterly(self):
        found = occurrences(Rule("monthly", 3, count=2), date(2024, 11, 30))
        self.assertEqual(iso(found), ["2024-11-30", "2025-02-28"])

    def test_skipped_dates_use_up_the_count(self):
        found = occurrences(Rule("daily", count=3), date(2024, 3, 1), skip=[date(2024, 3, 2)])
        self.assertEqual(iso(found), ["2024-03-01", "2024-03-03"])

    def test_skipped_dates_do_not_use_up_the_limit(self):
        found = occurrences(Rule("daily"), date(2024, 3, 1), limit=2, skip=[date(2024, 3, 1)])
        self.assertEqual(iso(found), ["2024-03-02", "2024-03-03"])


class NextAfterTest(unittest.TestCase):
    def test_is_strict(self):
        found = next_after(Rule("weekly"), date(2024, 3, 4), date(2024, 3, 4))
        self.assertEqual(found, date(2024, 3, 11))

    def test_before_start_gives_start(self):
        found = next_after(Rule("yearly"), date(2024, 3, 4), date(2020, 1, 1))
        self.assertEqual(found, date(2024, 3, 4))

    def test_none_when_ended(self):
        self.assertIsNone(next_after(Rule("daily", count=2), date(2024, 3, 4), date(2024, 3, 5)))


class DescribeTest(unittest.TestCase):
    def test_units(self):
        self.assertEqual(describe(Rule("monthly")), "every month")
        self.assertEqual(describe(Rule("yearly", 2)), "every 2 years")

    def test_weekdays(self):
        self.assertEqual(describe(Rule("weekly", weekdays=(4, 0, 4))), "every week on Mon, Fri")

    def test_count(self):
        self.assertEqual(describe(Rule("daily", 3, count=5)), "every 3 days, 5 times")
        self.assertEqual(describe(Rule("daily", count=1)), "every day, once")

    def test_until(self):
        self.assertEqual(
            describe(Rule("daily", until=date(2024, 3, 9))), "every day, until 2024-03-09"
        )
