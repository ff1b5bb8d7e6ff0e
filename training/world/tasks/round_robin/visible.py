import unittest

from turnwheel.turns import Scheduler, assign, interleave


class SchedulerTest(unittest.TestCase):
    def setUp(self):
        self.wheel = Scheduler({"a": 1, "b": 1})
        self.wheel.submit("a", 1, 2)
        self.wheel.submit("b", 3, 4)

    def test_lanes_take_turns(self):
        self.assertEqual(self.wheel.take(4), [("a", 1), ("b", 3), ("a", 2), ("b", 4)])

    def test_nothing_left(self):
        self.wheel.take(4)
        self.assertIsNone(self.wheel.next())

    def test_weight(self):
        wheel = Scheduler({"a": 2, "b": 1})
        wheel.submit("a", 1, 2)
        wheel.submit("b", 3)
        self.assertEqual([job for _, job in wheel.take(3)], [1, 2, 3])

    def test_pause_and_resume(self):
        self.wheel.pause("a")
        self.assertEqual(self.wheel.next(), ("b", 3))
        self.assertTrue(self.wheel.resume("a"))
        self.assertEqual(self.wheel.next(), ("a", 1))

    def test_pending_and_served(self):
        self.wheel.next()
        self.assertEqual(self.wheel.pending(), 3)
        self.assertEqual(self.wheel.served, {"a": 1, "b": 0})

    def test_remove_lane(self):
        self.assertEqual(self.wheel.remove_lane("a"), [1, 2])
        self.assertEqual(self.wheel.next(), ("b", 3))

    def test_urgent(self):
        self.wheel.submit("a", 0, urgent=True)
        self.assertEqual(self.wheel.next(), ("a", 0))

    def test_interleave(self):
        self.assertEqual(list(interleave("abc", "xyz")), list("axbycz"))

    def test_assign(self):
        self.assertEqual(assign([1, 2, 3], ["x", "y"]), {"x": [1, 3], "y": [2]})
