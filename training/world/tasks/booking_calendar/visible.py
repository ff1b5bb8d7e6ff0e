import unittest

from roombook.booking import Booking, Calendar, Conflict, to_minutes, to_text


class CalendarTest(unittest.TestCase):
    def setUp(self):
        self.cal = Calendar()
        self.standup = self.cal.book("standup", "A", 540, 570)

    def test_times(self):
        self.assertEqual(to_minutes("9:30"), 570)
        self.assertEqual(to_text(570), "09:30")

    def test_booking(self):
        self.assertEqual(Booking("x", "A", 10, 40).minutes, 30)
        with self.assertRaises(ValueError):
            Booking("x", "A", 40, 10)

    def test_conflict(self):
        with self.assertRaises(Conflict):
            self.cal.book("review", "A", 560, 600)

    def test_other_room(self):
        self.cal.book("review", "B", 560, 600)
        self.assertEqual(len(self.cal.bookings()), 2)
        self.assertEqual(len(self.cal.bookings("A")), 1)

    def test_cancel(self):
        self.assertTrue(self.cal.cancel(self.standup))
        self.assertEqual(self.cal.bookings(), [])

    def test_move(self):
        moved = self.cal.move(self.standup, 600)
        self.assertEqual((moved.start, moved.end), (600, 630))

    def test_free(self):
        self.assertEqual(self.cal.free("A"), [(0, 540), (570, 1440)])

    def test_find_room(self):
        self.assertEqual(self.cal.find_room(["A", "B"], 540, 600), "B")
