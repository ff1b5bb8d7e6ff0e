import unittest

from expirydict.ttl import TTLMap, parse_duration


class TestTTL(unittest.TestCase):
    def test_parse_duration(self):
        self.assertEqual(parse_duration("90"), 90)
        self.assertEqual(parse_duration("1h30m"), 5400)

    def test_bad_duration_raises(self):
        with self.assertRaises(ValueError):
            parse_duration("soon")

    def test_entries_expire(self):
        entries = TTLMap(10)
        entries.set("a", 1, now=0)
        self.assertEqual(entries.get("a", now=5), 1)
        self.assertIsNone(entries.get("a", now=11))

    def test_own_ttl(self):
        entries = TTLMap(10)
        entries.set("a", 1, now=0, ttl=100)
        self.assertTrue(entries.alive("a", now=50))

    def test_remaining_and_touch(self):
        entries = TTLMap(10)
        entries.set("a", 1, now=0)
        self.assertEqual(entries.remaining("a", now=4), 6)
        self.assertTrue(entries.touch("a", now=4))
        self.assertEqual(entries.remaining("a", now=4), 10)

    def test_capacity(self):
        entries = TTLMap(10, capacity=2)
        entries.set("a", 1, now=0)
        entries.set("b", 2, now=1)
        self.assertEqual(entries.set("c", 3, now=2), ["a"])

    def test_purge_and_items(self):
        entries = TTLMap(10)
        entries.set("a", 1, now=0)
        entries.set("b", 2, now=8)
        self.assertEqual(entries.items(now=15), [("b", 2)])
        self.assertEqual(entries.purge(now=15), 1)

    def test_next_expiry(self):
        entries = TTLMap(10)
        entries.set("a", 1, now=3)
        self.assertEqual(entries.next_expiry(now=4), 13)

    def test_add(self):
        entries = TTLMap(10)
        entries.add("hits", 1, now=0)
        self.assertEqual(entries.add("hits", 2, now=1), 3)
