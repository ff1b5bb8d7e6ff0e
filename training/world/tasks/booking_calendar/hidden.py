import unittest

from roombook.booking import Booking, Calendar, Conflict, to_minutes, to_text


class TimesTest(unittest.TestCase):
    def test_bounds_of_the_day(self):
        self.assertEqual(to_minutes("0:00"), 0)
        self.assertEqual(to_minutes("24:00"), 1440)
        self.assertEqual(to_minutes("09:05"), 545)

    def test_no_such_time(self):
        for text in ("24:01", "25:00", "9:60"):
            with self.assertRaises(ValueError):
                to_minutes(text)

    def test_not_a_time(self):
        for text in ("930", "9:5", "9:", ":30", "-1:30", "9:3x", "9:300"):
            with self.assertRaises(ValueError, msg=text):
                to_minutes(text)

    def test_last_minute_of_an_hour(self):
        self.assertEqual(to_minutes("9:59"), 599)

    def test_to_text(self):
        self.assertEqual([to_text(m) for m in (0, 61, 599, 1440)], ["00:00", "01:01", "09:59", "24:00"])


class BookingTest(unittest.TestCase):
    def test_whole_day(self):
        self.assertEqual(Booking("x", "A", 0, 1440).minutes, 1440)

    def test_rejects_empty_and_outside(self):
        for start, end in ((5, 5), (-1, 5), (5, 1441)):
            with self.assertRaises(ValueError):
                Booking("x", "A", start, end)


class BookTest(unittest.TestCase):
    def setUp(self):
        self.cal = Calendar()
        self.first = self.cal.book("first", "A", 600, 660)

    def test_returns_the_booking(self):
        self.assertEqual(self.first, Booking("first", "A", 600, 660))

    def test_back_to_back_is_allowed(self):
        self.cal.book("before", "A", 540, 600)
        self.cal.book("after", "A", 660, 720)
        self.assertEqual([b.title for b in self.cal.bookings()], ["before", "first", "after"])

    def test_all_kinds_of_overlap(self):
        for start, end in ((599, 601), (659, 661), (610, 620), (500, 700), (600, 660)):
            with self.assertRaises(Conflict):
                self.cal.book("x", "A", start, end)

    def test_conflict_names_the_earliest(self):
        self.cal.book("early", "A", 480, 500)
        with self.assertRaises(Conflict) as caught:
            self.cal.book("x", "A", 490, 610)
        self.assertEqual(caught.exception.other.title, "early")
        self.assertEqual(str(caught.exception), "x overlaps with early")

    def test_refused_booking_is_not_kept(self):
        with self.assertRaises(Conflict):
            self.cal.book("x", "A", 610, 620)
        self.assertEqual(self.cal.bookings(), [self.first])

    def test_opening_hours(self):
        cal = Calendar(opens=480, closes=1080)
        cal.book("all day", "A", 480, 1080)
        for start, end in ((479, 500), (1000, 1081)):
            with self.assertRaises(ValueError):
                cal.book("x", "B", start, end)

    def test_buffer_on_both_sides(self):
        cal = Calendar(buffer=10)
        cal.book("first", "A", 600, 660)
        for start, end in ((540, 591), (669, 700)):
            with self.assertRaises(Conflict):
                cal.book("x", "A", start, end)
        cal.book("before", "A", 540, 590)
        cal.book("after", "A", 670, 700)

    def test_conflict_returns_none_or_booking(self):
        self.assertIsNone(self.cal.conflict(Booking("x", "B", 600, 660)))
        self.assertIs(self.cal.conflict(Booking("x", "A", 600, 610)), self.first)

    def test_conflict_can_ignore_one(self):
        self.assertIsNone(self.cal.conflict(Booking("x", "A", 600, 610), ignore=self.first))

    def test_calendars_are_independent(self):
        self.assertEqual(Calendar().bookings(), [])


class ChangeTest(unittest.TestCase):
    def setUp(self):
        self.cal = Calendar(opens=480)
        self.first = self.cal.book("first", "A", 600, 660)
        self.second = self.cal.book("second", "A", 700, 720)

    def test_cancel_only_once(self):
        self.assertIs(self.cal.cancel(self.first), True)
        self.assertIs(self.cal.cancel(self.first), False)
        self.assertEqual(self.cal.bookings(), [self.second])

    def test_cancelled_slot_can_be_booked(self):
        self.cal.cancel(self.first)
        self.assertEqual(self.cal.book("x", "A", 600, 660).title, "x")

    def test_move_onto_own_place(self):
        moved = self.cal.move(self.first, 630)
        self.assertEqual(moved, Booking("first", "A", 630, 690))

    def test_move_replaces(self):
        self.cal.move(self.first, 800)
        self.assertEqual([b.title for b in self.cal.bookings()], ["second", "first"])

    def test_move_onto_another_is_refused(self):
        with self.assertRaises(Conflict):
            self.cal.move(self.first, 650)
        self.assertEqual(self.cal.bookings(), [self.first, self.second])

    def test_move_outside_opening_hours(self):
        with self.assertRaises(ValueError):
            self.cal.move(self.first, 479)

    def test_move_unknown(self):
        self.cal.cancel(self.first)
        with self.assertRaises(KeyError):
            self.cal.move(self.first, 800)


class QueryTest(unittest.TestCase):
    def setUp(self):
        self.cal = Calendar(480, 1080, buffer=15)
        self.cal.book("b", "B", 600, 660)
        self.cal.book("a", "A", 600, 660)
        self.cal.book("early", "B", 500, 530)

    def test_bookings_are_sorted(self):
        self.assertEqual([b.title for b in self.cal.bookings()], ["early", "a", "b"])

    def test_bookings_of_one_room(self):
        self.assertEqual([b.title for b in self.cal.bookings("B")], ["early", "b"])
        self.assertEqual(self.cal.bookings("C"), [])

    def test_bookings_is_a_copy(self):
        self.cal.bookings().clear()
        self.assertEqual(len(self.cal.bookings()), 3)

    def test_free_keeps_the_buffer(self):
        self.assertEqual(self.cal.free("B"), [(480, 485), (545, 585), (675, 1080)])

    def test_free_minimum(self):
        self.assertEqual(self.cal.free("B", 40), [(545, 585), (675, 1080)])
        self.assertEqual(self.cal.free("B", 41), [(675, 1080)])

    def test_free_of_unused_and_full_room(self):
        self.assertEqual(self.cal.free("C"), [(480, 1080)])
        self.cal.book("all", "D", 480, 1080)
        self.assertEqual(self.cal.free("D", 0), [])

    def test_free_of_one_minute(self):
        cal = Calendar(0, 11)
        cal.book("x", "A", 0, 10)
        self.assertEqual(cal.free("A"), [(10, 11)])

    def test_find_room_in_order(self):
        self.assertEqual(self.cal.find_room(["A", "C", "D"], 600, 610), "C")
        self.assertEqual(self.cal.find_room(["A", "B"], 700, 710), "A")

    def test_find_no_room(self):
        self.assertIsNone(self.cal.find_room(["A", "B"], 640, 670))
        self.assertIsNone(self.cal.find_room([], 0, 10))
