import unittest
from datetime import date

from recurkit.rules import Rule, add_months, describe, next_after, nth_weekday, occurrences


class RulesTest(unittest.TestCase):
    def test_unknown_frequency(self):
        with self.assertRaises(ValueError):
            Rule("hourly")

    def test_add_months(self):
        self.assertEqual(add_months(date(2024, 1, 15), 1), date(2024, 2, 15))
        self.assertEqual(add_months(date(2024, 1, 31), 1), date(2024, 2, 29))

    def test_nth_weekday(self):
        self.assertEqual(nth_weekday(2024, 3, 4, 1), date(2024, 3, 1))
        self.assertEqual(nth_weekday(2024, 3, 0, 2), date(2024, 3, 11))

    def test_daily_with_count(self):
        self.assertEqual(
            occurrences(Rule("daily", count=3), date(2024, 3, 1)),
            [date(2024, 3, 1), date(2024, 3, 2), date(2024, 3, 3)],
        )

    def test_weekly(self):
        self.assertEqual(
            occurrences(Rule("weekly", count=2), date(2024, 3, 4)),
            [date(2024, 3, 4), date(2024, 3, 11)],
        )

    def test_monthly_until(self):
        rule = Rule("monthly", until=date(2024, 3, 20))
        self.assertEqual(
            occurrences(rule, date(2024, 1, 10)),
            [date(2024, 1, 10), date(2024, 2, 10), date(2024, 3, 10)],
        )

    def test_next_after(self):
        rule = Rule("weekly")
        self.assertEqual(next_after(rule, date(2024, 3, 4), date(2024, 3, 6)), date(2024, 3, 11))

    def test_describe(self):
        self.assertEqual(describe(Rule("daily")), "every day")
        self.assertEqual(describe(Rule("weekly", 2)), "every 2 weeks")
