import unittest

from heapline.updatable import Empty, PriorityQueue, merge


class PriorityQueueTest(unittest.TestCase):
    def setUp(self):
        self.queue = PriorityQueue([("b", 2), ("a", 1), ("c", 3)])

    def test_pop_in_order(self):
        self.assertEqual([self.queue.pop() for _ in range(3)], ["a", "b", "c"])

    def test_peek_keeps(self):
        self.assertEqual(self.queue.peek(), ("a", 1))
        self.assertEqual(len(self.queue), 3)

    def test_empty(self):
        with self.assertRaises(Empty):
            PriorityQueue().pop()

    def test_update(self):
        self.queue.update("c", 0)
        self.assertEqual(self.queue.pop(), "c")

    def test_remove(self):
        self.assertEqual(self.queue.remove("b"), 2)
        self.assertNotIn("b", self.queue)

    def test_priority(self):
        self.assertEqual(self.queue.priority("b"), 2)
        self.assertIsNone(self.queue.priority("x"))

    def test_pop_until(self):
        self.assertEqual(self.queue.pop_until(2.5), ["a", "b"])

    def test_ordered(self):
        self.assertEqual(self.queue.ordered(), [("a", 1), ("b", 2), ("c", 3)])

    def test_merge(self):
        merged = merge(self.queue, PriorityQueue([("d", 0)]))
        self.assertEqual(merged.peek(), ("d", 0))
        self.assertEqual(len(merged), 4)
