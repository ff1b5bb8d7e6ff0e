import unittest

from durafmt.durations import (
    DurationError,
    clock,
    compact,
    humanize,
    parse,
    parse_clock,
    parse_iso,
    round_to,
)


class ParseTest(unittest.TestCase):
    def test_every_unit(self):
        self.assertEqual(parse("1w1d1h1m1s"), 604800 + 86400 + 3600 + 60 + 1)

    def test_bare_number_is_seconds(self):
        self.assertEqual(parse("45"), 45)
        self.assertEqual(parse("1.5"), 1.5)

    def test_words_and_aliases(self):
        self.assertEqual(parse("1 hour 2 mins 3 secs"), 3723)
        self.assertEqual(parse("2 hrs"), 7200)
        self.assertEqual(parse("1 week"), 604800)

    def test_case_and_space_do_not_matter(self):
        self.assertEqual(parse("  2H 5Min "), 7500)

    def test_commas_between_parts(self):
        self.assertEqual(parse("1 day, 2 hours"), 93600)

    def test_any_order(self):
        self.assertEqual(parse("30m 1h"), 5400)

    def test_minus_negates_the_whole(self):
        self.assertEqual(parse("-1h 30m"), -5400)
        self.assertEqual(parse("- 5"), -5)

    def test_fractions(self):
        self.assertEqual(parse("1.5 hours"), 5400)
        self.assertIsInstance(parse("1.5 hours"), int)
        self.assertEqual(parse("0.5s"), 0.5)

    def test_unit_given_twice(self):
        with self.assertRaises(DurationError):
            parse("1h 2 hours")

    def test_unknown_unit(self):
        with self.assertRaises(DurationError):
            parse("3 moons")

    def test_rubbish_before_between_and_after(self):
        for text in ("about 5m", "1h and 5m", "5m later", "1h !", "5m,"):
            with self.assertRaises(DurationError, msg=text):
                parse(text)

    def test_empty(self):
        for text in ("", "-", "  "):
            with self.assertRaises(DurationError):
                parse(text)


class ParseClockTest(unittest.TestCase):
    def test_first_part_may_exceed_59(self):
        self.assertEqual(parse_clock("90:00"), 5400)
        self.assertEqual(parse_clock("100:00:00"), 360000)

    def test_bounds_of_later_parts(self):
        self.assertEqual(parse_clock("0:59"), 59)
        for text in ("0:60", "1:60:00", "1:00:60"):
            with self.assertRaises(DurationError):
                parse_clock(text)

    def test_wrong_number_of_parts(self):
        for text in ("12", "1:2:3:4"):
            with self.assertRaises(DurationError):
                parse_clock(text)

    def test_not_numbers(self):
        for text in ("a:10", "-1:10", "1:", "1: 5"):
            with self.assertRaises(DurationError):
                parse_clock(text)


class ParseIsoTest(unittest.TestCase):
    def test_days_and_time(self):
        self.assertEqual(parse_iso("P1DT2H3M4S"), 93784)

    def test_weeks(self):
        self.assertEqual(parse_iso("P2W"), 1209600)

    def test_minutes_need_the_t(self):
        self.assertEqual(parse_iso("PT5M"), 300)
        with self.assertRaises(DurationError):
            parse_iso("P5M")

    def test_empty_parts(self):
        for text in ("P", "PT", "P1DT", "", "1D"):
            with self.assertRaises(DurationError):
                parse_iso(text)


class FormatTest(unittest.TestCase):
    def test_compact_leaves_out_zeros(self):
        self.assertEqual(compact(86405), "1d 5s")
        self.assertEqual(compact(3600), "1h")

    def test_compact_has_no_weeks(self):
        self.assertEqual(compact(604800), "7d")

    def test_compact_zero_and_negative(self):
        self.assertEqual(compact(0), "0s")
        self.assertEqual(compact(-90), "-1m 30s")

    def test_clock_below_an_hour(self):
        self.assertEqual(clock(0), "0:00")
        self.assertEqual(clock(65), "1:05")
        self.assertEqual(clock(3599), "59:59")

    def test_clock_hours(self):
        self.assertEqual(clock(3600), "1:00:00")
        self.assertEqual(clock(90061), "25:01:01")

    def test_clock_negative(self):
        self.assertEqual(clock(-65), "-1:05")

    def test_humanize_cuts_off(self):
        self.assertEqual(humanize(3723), "1 hour and 2 minutes")
        self.assertEqual(humanize(3723, parts=1), "1 hour")

    def test_humanize_three_parts(self):
        self.assertEqual(humanize(694861, parts=3), "1 week, 1 day and 1 hour")

    def test_humanize_skips_zeros(self):
        self.assertEqual(humanize(86405), "1 day and 5 seconds")

    def test_humanize_zero(self):
        self.assertEqual(humanize(0), "0 seconds")
        self.assertEqual(humanize(1), "1 second")

    def test_humanize_past(self):
        self.assertEqual(humanize(-120), "2 minutes ago")

    def test_humanize_parts_must_be_positive(self):
        with self.assertRaises(ValueError):
            humanize(5, parts=0)


class RoundTest(unittest.TestCase):
    def test_halves_away_from_zero(self):
        self.assertEqual(round_to(90, 60), 120)
        self.assertEqual(round_to(150, 60), 180)
        self.assertEqual(round_to(-90, 60), -120)

    def test_below_and_above_half(self):
        self.assertEqual(round_to(89, 60), 60)
        self.assertEqual(round_to(-89, 60), -60)
        self.assertEqual(round_to(7, 5), 5)
        self.assertEqual(round_to(8, 5), 10)

    def test_step_must_be_positive(self):
        self.assertEqual(round_to(7, 1), 7)
        for step in (0, -5):
            with self.assertRaises(ValueError):
                round_to(5, step)
