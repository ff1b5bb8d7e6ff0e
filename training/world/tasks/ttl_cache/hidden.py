import unittest

from expirydict.ttl import TTLMap, parse_duration


def filled(ttl=10, **options):
    """a, b, c stored at 0, 1, 2"""
    entries = TTLMap(ttl, **options)
    for now, key in enumerate("abc"):
        entries.set(key, key.upper(), now)
    return entries


class TestDuration(unittest.TestCase):
    def assert_bad(self, *texts):
        for text in texts:
            with self.assertRaises(ValueError, msg=text) as caught:
                parse_duration(text)
            self.assertEqual(str(caught.exception), f"bad duration: {text.strip()!r}")

    def test_plain_seconds(self):
        self.assertEqual(parse_duration(" 90 "), 90)
        self.assertEqual(parse_duration("0"), 0)

    def test_single_units(self):
        values = [parse_duration(text) for text in ("2s", "2m", "2h", "2d")]
        self.assertEqual(values, [2, 120, 7200, 172800])
        self.assertAlmostEqual(parse_duration("250ms"), 0.25)

    def test_several_units(self):
        self.assertEqual(parse_duration("1d2h3m4s"), 93784)
        self.assertAlmostEqual(parse_duration("1s500ms"), 1.5)

    def test_blanks_between_parts(self):
        self.assertEqual(parse_duration(" 1d  12h "), 129600)

    def test_order_and_repeats(self):
        self.assert_bad("30m1h", "1m1m", "1s1m")

    def test_bad_texts(self):
        self.assert_bad("", "h", "1x", "1h 30", "1 h", "-5", "1.5h", "1h,2m", "h1", "1h m")


class TestSetAndGet(unittest.TestCase):
    def test_gone_when_time_has_just_passed(self):
        entries = filled()
        self.assertEqual(entries.get("a", 9.9), "A")
        self.assertIsNone(entries.get("a", 10))

    def test_default(self):
        entries = filled()
        self.assertEqual(entries.get("x", 0, "none"), "none")
        self.assertEqual(entries.get("a", 10, "none"), "none")

    def test_none_is_a_value(self):
        entries = TTLMap(5)
        entries.set("a", None, 0)
        self.assertIsNone(entries.get("a", 1, "none"))

    def test_setting_again_starts_anew(self):
        entries = filled()
        entries.set("a", "new", 8)
        self.assertEqual(entries.get("a", 17), "new")
        self.assertEqual(entries.get("a", 18), None)

    def test_own_ttl(self):
        entries = TTLMap(10)
        entries.set("a", 1, 0, ttl=3)
        self.assertEqual([entries.alive("a", now) for now in (2, 3)], [True, False])

    def test_own_ttl_of_zero_removes(self):
        entries = filled()
        self.assertEqual(entries.set("a", 1, 2, ttl=0), [])
        entries.set("b", 1, 2, ttl=-5)
        self.assertEqual(entries.items(2), [("c", "C")])

    def test_bad_arguments(self):
        for arguments in ((0,), (-1,), (5, 0), (5, -1)):
            with self.assertRaises(ValueError):
                TTLMap(*arguments)
        self.assertEqual(TTLMap(0.5, 1).capacity, 1)

    def test_alive(self):
        entries = filled()
        self.assertIs(entries.alive("x", 0), False)
        self.assertIs(entries.alive("b", 10), True)
        self.assertIs(entries.alive("b", 11), False)


class TestLife(unittest.TestCase):
    def test_get_does_not_prolong(self):
        entries = filled()
        entries.get("a", 9)
        self.assertIsNone(entries.get("a", 10))

    def test_sliding_get_prolongs(self):
        entries = filled(sliding=True)
        entries.get("a", 9)
        self.assertEqual([entries.alive("a", now) for now in (18, 19)], [True, False])

    def test_sliding_with_own_ttl(self):
        entries = TTLMap(10, sliding=True)
        entries.set("a", 1, 0, ttl=3)
        entries.get("a", 2)
        self.assertEqual(entries.remaining("a", 2), 3)

    def test_sliding_never_shortens(self):
        entries = TTLMap(10, sliding=True)
        entries.set("a", 1, 5)
        entries.get("a", 3)
        self.assertEqual(entries.remaining("a", 3), 12)

    def test_sliding_does_not_revive(self):
        entries = filled(sliding=True)
        entries.get("a", 10)
        self.assertIs(entries.alive("a", 10), False)

    def test_alive_and_remaining_never_prolong(self):
        entries = filled(sliding=True)
        entries.alive("a", 9), entries.remaining("a", 9), entries.items(9)
        self.assertIs(entries.alive("a", 10), False)

    def test_remaining(self):
        entries = filled()
        self.assertEqual([entries.remaining("a", now) for now in (0, 4, 9.5, 10, 99)], [10, 6, 0.5, 0, 0])
        self.assertEqual(entries.remaining("x", 0), 0)

    def test_touch(self):
        entries = filled()
        self.assertIs(entries.touch("a", 9), True)
        self.assertEqual((entries.remaining("a", 9), entries.get("a", 18)), (10, "A"))

    def test_touch_keeps_or_changes_own_ttl(self):
        entries = TTLMap(10)
        entries.set("a", 1, 0, ttl=4)
        entries.touch("a", 2)
        self.assertEqual(entries.remaining("a", 2), 4)
        entries.touch("a", 2, ttl=20)
        self.assertEqual(entries.remaining("a", 2), 20)
        entries.touch("a", 3)
        self.assertEqual(entries.remaining("a", 3), 20)

    def test_touch_of_zero_removes(self):
        entries = filled()
        self.assertIs(entries.touch("a", 2, ttl=0), True)
        self.assertIs(entries.alive("a", 2), False)

    def test_touch_of_missing_or_expired(self):
        entries = filled()
        self.assertIs(entries.touch("x", 0), False)
        self.assertIs(entries.touch("a", 10), False)
        self.assertIs(entries.alive("a", 10), False)


class TestCapacity(unittest.TestCase):
    def test_first_to_expire_goes(self):
        entries = TTLMap(10, capacity=2)
        entries.set("a", 1, 0, ttl=50)
        entries.set("b", 2, 0)
        self.assertEqual(entries.set("c", 3, 1), ["b"])
        self.assertEqual(entries.items(1), [("c", 3), ("a", 1)])

    def test_new_entry_stays(self):
        entries = TTLMap(10, capacity=1)
        entries.set("a", 1, 0)
        self.assertEqual(entries.set("b", 2, 0, ttl=1), ["a"])
        self.assertEqual(entries.items(0), [("b", 2)])

    def test_of_equal_ones_the_first_goes(self):
        entries = TTLMap(10, capacity=2)
        entries.set("b", 1, 0)
        entries.set("a", 2, 0)
        self.assertEqual(entries.set("c", 3, 0), ["b"])

    def test_expired_ones_make_room(self):
        entries = TTLMap(10, capacity=2)
        entries.set("a", 1, 0)
        entries.set("b", 2, 5)
        self.assertEqual(entries.set("c", 3, 10), [])
        self.assertEqual(entries.items(10), [("b", 2), ("c", 3)])

    def test_full_is_not_over(self):
        self.assertEqual(len(filled(capacity=3).items(2)), 3)
        entries = filled(capacity=3)
        self.assertEqual(entries.set("a", 9, 3), [])


class TestWhole(unittest.TestCase):
    def test_purge(self):
        entries = filled()
        self.assertEqual([entries.purge(now) for now in (9, 11, 11, 50)], [0, 2, 0, 1])

    def test_items_in_order_of_expiry(self):
        entries = filled()
        entries.set("a", 1, 3)
        entries.set("d", 2, 3, ttl=1)
        self.assertEqual([key for key, _ in entries.items(3)], ["d", "b", "c", "a"])

    def test_next_expiry(self):
        entries = filled()
        self.assertEqual([entries.next_expiry(now) for now in (0, 10, 11.5)], [10, 11, 12])
        self.assertIsNone(entries.next_expiry(12))
        self.assertIsNone(TTLMap(1).next_expiry(0))

    def test_add_keeps_expiry(self):
        entries = TTLMap(10)
        self.assertEqual(entries.add("n", 5, 0), 5)
        self.assertEqual(entries.add("n", -2, 9), 3)
        self.assertEqual(entries.get("n", 9), 3)
        self.assertEqual(entries.remaining("n", 9), 1)

    def test_add_after_expiry(self):
        entries = TTLMap(10)
        entries.add("n", 5, 0)
        self.assertEqual(entries.add("n", 2, 10), 2)
        self.assertEqual(entries.remaining("n", 10), 10)


if __name__ == "__main__":
    unittest.main()
