import unittest
from datetime import date

from workcal.bizdays import BusinessCalendar, iter_days


class BusinessCalendarTest(unittest.TestCase):
    def setUp(self):
        # 2024-03-01 is a Friday
        self.cal = BusinessCalendar(holidays=[date(2024, 3, 29)])

    def test_iter_days(self):
        days = list(iter_days(date(2024, 3, 1), date(2024, 3, 4)))
        self.assertEqual(len(days), 4)

    def test_is_business_day(self):
        self.assertTrue(self.cal.is_business_day(date(2024, 3, 1)))
        self.assertFalse(self.cal.is_business_day(date(2024, 3, 2)))
        self.assertFalse(self.cal.is_business_day(date(2024, 3, 29)))

    def test_roll_over_weekend(self):
        self.assertEqual(self.cal.roll_forward(date(2024, 3, 2)), date(2024, 3, 4))
        self.assertEqual(self.cal.roll_back(date(2024, 3, 3)), date(2024, 3, 1))

    def test_modified_following_inside_month(self):
        self.assertEqual(self.cal.modified_following(date(2024, 3, 9)), date(2024, 3, 11))

    def test_add(self):
        self.assertEqual(self.cal.add(date(2024, 3, 4), 3), date(2024, 3, 7))
        self.assertEqual(self.cal.add(date(2024, 3, 7), 2), date(2024, 3, 11))

    def test_count_one_week(self):
        self.assertEqual(self.cal.count(date(2024, 3, 4), date(2024, 3, 9)), 5)

    def test_month_end(self):
        self.assertEqual(self.cal.month_end(2024, 4), date(2024, 4, 30))

    def test_nth_of_month(self):
        self.assertEqual(self.cal.nth_of_month(2024, 3, 2), date(2024, 3, 4))
        self.assertEqual(self.cal.nth_of_month(2024, 4, 1), date(2024, 4, 1))
