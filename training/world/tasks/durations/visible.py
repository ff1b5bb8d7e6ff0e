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


class DurationsTest(unittest.TestCase):
    def test_parse(self):
        self.assertEqual(parse("1h 30m"), 5400)
        self.assertEqual(parse("2 days"), 172800)

    def test_parse_rejects_text(self):
        with self.assertRaises(DurationError):
            parse("soon")

    def test_parse_clock(self):
        self.assertEqual(parse_clock("01:30"), 90)
        self.assertEqual(parse_clock("1:00:05"), 3605)

    def test_parse_iso(self):
        self.assertEqual(parse_iso("PT1H30M"), 5400)

    def test_compact(self):
        self.assertEqual(compact(3723), "1h 2m 3s")

    def test_clock(self):
        self.assertEqual(clock(3605), "1:00:05")

    def test_humanize(self):
        self.assertEqual(humanize(7500), "2 hours and 5 minutes")

    def test_round_to(self):
        self.assertEqual(round_to(130, 60), 120)
        self.assertEqual(round_to(170, 60), 180)
