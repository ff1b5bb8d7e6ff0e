import unittest
from datetime import date

from workcal.bizdays import BusinessCalendar, iter_days


def d(month, day, year=2024):
    return date(year, month, day)


class IterDaysTest(unittest.TestCase):
    def test_iter_days_includes_both_ends(self):
        self.assertEqual(list(iter_days(d(2, 28), d(3, 1))), [d(2, 28), d(2, 29), d(3, 1)])

    def test_iter_days_single_day(self):
        self.assertEqual(list(iter_days(d(3, 1), d(3, 1))), [d(3, 1)])

    def test_iter_days_empty_when_reversed(self):
        self.assertEqual(list(iter_days(d(3, 2), d(3, 1))), [])


class ConstructionTest(unittest.TestCase):
    def test_rejects_weekday_above_six(self):
        with self.assertRaises(ValueError):
            BusinessCalendar(weekend=(7,))

    def test_rejects_negative_weekday(self):
        with self.assertRaises(ValueError):
            BusinessCalendar(weekend=(-1,))

    def test_accepts_bounds_of_the_week(self):
        cal = BusinessCalendar(weekend=(0, 6))
        self.assertFalse(cal.is_business_day(d(3, 4)))
        self.assertFalse(cal.is_business_day(d(3, 3)))
        self.assertTrue(cal.is_business_day(d(3, 2)))

    def test_rejects_week_without_work(self):
        with self.assertRaises(ValueError):
            BusinessCalendar(weekend=range(7))

    def test_six_day_weekend_is_allowed(self):
        cal = BusinessCalendar(weekend=range(6))
        self.assertEqual(cal.roll_forward(d(3, 4)), d(3, 10))

    def test_given_holidays_are_copied(self):
        days = {d(3, 4)}
        cal = BusinessCalendar(days)
        cal.add_holiday(d(3, 5))
        self.assertEqual(days, {d(3, 4)})

    def test_calendars_do_not_share_holidays(self):
        BusinessCalendar().add_holiday(d(3, 4))
        self.assertTrue(BusinessCalendar().is_business_day(d(3, 4)))


class DayTest(unittest.TestCase):
    def setUp(self):
        # Friday 1 March and Monday 4 March 2024 with Easter holidays
        self.cal = BusinessCalendar([d(3, 29), d(4, 1)])

    def test_every_weekday(self):
        worked = [self.cal.is_business_day(d(3, day)) for day in range(4, 11)]
        self.assertEqual(worked, [True] * 5 + [False, False])

    def test_add_holiday_tells_whether_it_was_worked(self):
        self.assertIs(self.cal.add_holiday(d(3, 5)), True)
        self.assertIs(self.cal.add_holiday(d(3, 5)), False)
        self.assertIs(self.cal.add_holiday(d(3, 9)), False)

    def test_add_holiday_takes_effect(self):
        self.cal.add_holiday(d(3, 5))
        self.assertFalse(self.cal.is_business_day(d(3, 5)))

    def test_roll_keeps_business_day(self):
        self.assertEqual(self.cal.roll_forward(d(3, 5)), d(3, 5))
        self.assertEqual(self.cal.roll_back(d(3, 5)), d(3, 5))

    def test_roll_forward_over_long_weekend(self):
        self.assertEqual(self.cal.roll_forward(d(3, 29)), d(4, 2))

    def test_roll_back_over_long_weekend(self):
        self.assertEqual(self.cal.roll_back(d(4, 1)), d(3, 28))

    def test_roll_gives_up_with_error(self):
        cal = BusinessCalendar(iter_days(d(1, 1), d(12, 31, 2034)))
        with self.assertRaises(ValueError):
            cal.roll_forward(d(1, 1))

    def test_modified_following_stays_in_month(self):
        self.assertEqual(self.cal.modified_following(d(3, 30)), d(3, 28))

    def test_modified_following_moves_forward_inside_month(self):
        self.assertEqual(self.cal.modified_following(d(3, 2)), d(3, 4))

    def test_modified_following_keeps_business_day(self):
        self.assertEqual(self.cal.modified_following(d(3, 28)), d(3, 28))


class ArithmeticTest(unittest.TestCase):
    def setUp(self):
        self.cal = BusinessCalendar([d(3, 29), d(4, 1)])

    def test_add_zero_rolls_forward(self):
        self.assertEqual(self.cal.add(d(3, 2), 0), d(3, 4))
        self.assertEqual(self.cal.add(d(3, 5), 0), d(3, 5))

    def test_add_over_weekend(self):
        self.assertEqual(self.cal.add(d(3, 1), 1), d(3, 4))
        self.assertEqual(self.cal.add(d(3, 1), 6), d(3, 11))

    def test_add_from_weekend(self):
        self.assertEqual(self.cal.add(d(3, 2), 1), d(3, 4))
        self.assertEqual(self.cal.add(d(3, 3), 2), d(3, 5))

    def test_subtract(self):
        self.assertEqual(self.cal.add(d(3, 4), -1), d(3, 1))
        self.assertEqual(self.cal.add(d(3, 7), -2), d(3, 5))

    def test_subtract_from_weekend(self):
        self.assertEqual(self.cal.add(d(3, 3), -1), d(3, 1))

    def test_add_over_holidays(self):
        self.assertEqual(self.cal.add(d(3, 28), 1), d(4, 2))
        self.assertEqual(self.cal.add(d(4, 2), -1), d(3, 28))

    def test_count_excludes_end(self):
        self.assertEqual(self.cal.count(d(3, 4), d(3, 8)), 4)
        self.assertEqual(self.cal.count(d(3, 4), d(3, 4)), 0)
        self.assertEqual(self.cal.count(d(3, 4), d(3, 5)), 1)

    def test_count_skips_holidays(self):
        self.assertEqual(self.cal.count(d(3, 25), d(4, 8)), 8)

    def test_count_reversed_is_negative(self):
        self.assertEqual(self.cal.count(d(3, 8), d(3, 4)), -4)
        self.assertEqual(self.cal.count(d(3, 9), d(3, 7)), -2)

    def test_month_end_before_holiday(self):
        self.assertEqual(self.cal.month_end(2024, 3), d(3, 28))

    def test_month_end_of_december_and_leap_february(self):
        self.assertEqual(self.cal.month_end(2024, 12), d(12, 31))
        self.assertEqual(self.cal.month_end(2024, 11), d(11, 29))
        self.assertEqual(self.cal.month_end(2024, 2), d(2, 29))

    def test_nth_from_start_and_end(self):
        self.assertEqual(self.cal.nth_of_month(2024, 4, 1), d(4, 2))
        self.assertEqual(self.cal.nth_of_month(2024, 3, -1), d(3, 28))
        self.assertEqual(self.cal.nth_of_month(2024, 3, -2), d(3, 27))

    def test_nth_out_of_range(self):
        self.assertEqual(self.cal.nth_of_month(2024, 3, 20), d(3, 28))
        self.assertEqual(self.cal.nth_of_month(2024, 3, -20), d(3, 1))
        for n in (21, -21):
            with self.assertRaises(IndexError):
                self.cal.nth_of_month(2024, 3, n)

    def test_nth_zero_is_an_error(self):
        with self.assertRaises(ValueError):
            self.cal.nth_of_month(2024, 3, 0)
