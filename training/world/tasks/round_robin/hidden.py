import unittest

from turnwheel.turns import Scheduler, assign, interleave


def jobs(taken):
    return [job for _, job in taken]


class LanesTest(unittest.TestCase):
    def test_lane_names_are_unique(self):
        wheel = Scheduler({"a": 1})
        with self.assertRaises(ValueError):
            wheel.add_lane("a")

    def test_weight_must_be_positive(self):
        for weight in (0, -1):
            with self.assertRaises(ValueError):
                Scheduler({"a": weight})

    def test_refused_lane_is_not_added(self):
        wheel = Scheduler()
        with self.assertRaises(ValueError):
            wheel.add_lane("a", 0)
        wheel.add_lane("a")
        self.assertEqual(wheel.served, {"a": 0})

    def test_default_weight_is_one(self):
        wheel = Scheduler()
        wheel.add_lane("a")
        wheel.add_lane("b")
        wheel.submit("a", 1, 2)
        wheel.submit("b", 3, 4)
        self.assertEqual(jobs(wheel.take(4)), [1, 3, 2, 4])

    def test_no_lanes(self):
        self.assertIsNone(Scheduler().next())
        self.assertEqual(Scheduler().pending(), 0)

    def test_unknown_lane(self):
        wheel = Scheduler({"a": 1})
        for call in (wheel.submit, wheel.pause, wheel.pending, wheel.remove_lane):
            with self.assertRaises(KeyError):
                call("x")


class TurnsTest(unittest.TestCase):
    def setUp(self):
        self.wheel = Scheduler({"a": 2, "b": 1, "c": 3})
        self.wheel.submit("a", *range(10, 15))
        self.wheel.submit("b", *range(20, 23))
        self.wheel.submit("c", *range(30, 34))

    def test_weights(self):
        self.assertEqual(
            jobs(self.wheel.take(20)), [10, 11, 20, 30, 31, 32, 12, 13, 21, 33, 14, 22]
        )

    def test_lane_names_come_with_the_jobs(self):
        self.assertEqual([name for name, _ in self.wheel.take(4)], ["a", "a", "b", "c"])

    def test_take_limit(self):
        self.assertEqual(len(self.wheel.take(5)), 5)
        self.assertEqual(self.wheel.take(0), [])
        self.assertEqual(self.wheel.pending(), 7)

    def test_take_ends_early(self):
        self.assertEqual(len(self.wheel.take(99)), 12)
        self.assertEqual(self.wheel.take(3), [])

    def test_served_counts(self):
        self.wheel.take(8)
        self.assertEqual(self.wheel.served, {"a": 4, "b": 1, "c": 3})

    def test_pending_of_a_lane(self):
        self.wheel.take(2)
        self.assertEqual([self.wheel.pending(name) for name in "abc"], [3, 3, 4])

    def test_jobs_submitted_during_a_turn(self):
        wheel = Scheduler({"a": 2, "b": 1})
        wheel.submit("a", 1)
        wheel.submit("b", 9, 10)
        wheel.next()
        wheel.submit("a", 2, 3)
        self.assertEqual(jobs(wheel.take(4)), [2, 9, 3, 10])

    def test_fresh_weight_after_an_idle_round(self):
        wheel = Scheduler({"a": 2, "b": 1})
        wheel.submit("a", 1)
        wheel.next()
        self.assertIsNone(wheel.next())
        wheel.submit("a", 2, 3)
        wheel.submit("b", 9)
        self.assertEqual(jobs(wheel.take(3)), [2, 3, 9])

    def test_single_lane(self):
        wheel = Scheduler({"a": 1})
        wheel.submit("a", 1, 2, 3)
        self.assertEqual(jobs(wheel.take(5)), [1, 2, 3])

    def test_falsy_jobs(self):
        wheel = Scheduler({"a": 1})
        wheel.submit("a", 0, None)
        self.assertEqual(wheel.take(3), [("a", 0), ("a", None)])


class ChangesTest(unittest.TestCase):
    def setUp(self):
        self.wheel = Scheduler({"a": 1, "b": 1, "c": 1})
        for name in "abc":
            self.wheel.submit(name, name + "1", name + "2")

    def test_urgent_jobs_keep_their_order(self):
        self.wheel.submit("a", "x", "y", urgent=True)
        self.wheel.pause("b")
        self.wheel.pause("c")
        self.assertEqual(jobs(self.wheel.take(9)), ["x", "y", "a1", "a2"])

    def test_paused_jobs_wait(self):
        self.wheel.pause("b")
        self.assertEqual(jobs(self.wheel.take(9)), ["a1", "c1", "a2", "c2"])
        self.assertEqual(self.wheel.pending(), 2)
        self.assertIsNone(self.wheel.next())
        self.wheel.resume("b")
        self.assertEqual(jobs(self.wheel.take(9)), ["b1", "b2"])

    def test_resume_tells_whether_paused(self):
        self.wheel.pause("b")
        self.assertIs(self.wheel.resume("b"), True)
        self.assertIs(self.wheel.resume("b"), False)

    def test_removed_lane_passes_its_turn_on(self):
        self.wheel.take(2)
        self.assertEqual(self.wheel.remove_lane("b"), ["b2"])
        self.assertEqual(jobs(self.wheel.take(9)), ["c1", "a2", "c2"])

    def test_removing_the_last_lane_of_the_order(self):
        self.wheel.take(3)
        self.wheel.remove_lane("c")
        self.assertEqual(jobs(self.wheel.take(9)), ["a2", "b2"])

    def test_removing_another_lane_keeps_the_turn(self):
        self.wheel.take(2)
        self.wheel.remove_lane("a")
        self.assertEqual(jobs(self.wheel.take(9)), ["c1", "b2", "c2"])

    def test_removing_the_only_lane(self):
        wheel = Scheduler({"a": 1})
        wheel.submit("a", 1, 2)
        wheel.next()
        self.assertEqual(wheel.remove_lane("a"), [2])
        self.assertIsNone(wheel.next())
        wheel.add_lane("b")
        wheel.submit("b", 3)
        self.assertEqual(wheel.next(), ("b", 3))

    def test_lane_that_comes_back_is_not_paused(self):
        self.wheel.pause("a")
        self.wheel.remove_lane("a")
        self.wheel.add_lane("a")
        self.wheel.submit("a", "new")
        self.assertIn(("a", "new"), self.wheel.take(9))

    def test_removed_weight_does_not_hang_over(self):
        wheel = Scheduler({"a": 1, "b": 2})
        wheel.submit("a", 1)
        wheel.submit("b", 2, 3, 4)
        wheel.next()
        wheel.remove_lane("a")
        wheel.add_lane("c")
        wheel.submit("c", 9)
        self.assertEqual(jobs(wheel.take(4)), [2, 3, 9, 4])

    def test_schedulers_are_independent(self):
        self.assertEqual(Scheduler({"a": 1}).pending("a"), 0)


class FunctionsTest(unittest.TestCase):
    def test_interleave_of_different_lengths(self):
        self.assertEqual(list(interleave("a", "xyz", "12")), ["a", "x", "1", "y", "2", "z"])

    def test_interleave_of_nothing(self):
        self.assertEqual(list(interleave()), [])
        self.assertEqual(list(interleave("", [])), [])

    def test_interleave_generators(self):
        found = interleave((n for n in range(2)), (n * 10 for n in range(3)))
        self.assertEqual(list(found), [0, 0, 1, 10, 20])

    def test_assign_names_idle_workers(self):
        self.assertEqual(assign(["j"], ["x", "y"]), {"x": ["j"], "y": []})
        self.assertEqual(assign([], ["x"]), {"x": []})

    def test_assign_capacity(self):
        self.assertEqual(assign(range(4), "xy", 2), {"x": [0, 2], "y": [1, 3]})
        with self.assertRaises(ValueError):
            assign(range(5), "xy", 2)

    def test_assign_capacity_zero(self):
        with self.assertRaises(ValueError):
            assign([1], "xy", 0)

    def test_assign_without_workers(self):
        self.assertEqual(assign([], []), {})
        with self.assertRaises(ValueError):
            assign([1], [])

    def test_assign_three_workers(self):
        self.assertEqual(assign(range(7), "xyz"), {"x": [0, 3, 6], "y": [1, 4], "z": [2, 5]})
