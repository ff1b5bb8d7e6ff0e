import unittest

from heapline.updatable import Empty, PriorityQueue, merge


def drain(queue):
    return [queue.pop() for _ in range(len(queue))]


class PushPopTest(unittest.TestCase):
    def test_many_entries_come_out_sorted(self):
        queue = PriorityQueue((n, n * 7 % 31) for n in range(31))
        self.assertEqual([n * 7 % 31 for n in drain(queue)], list(range(31)))

    def test_equal_priorities_keep_their_order(self):
        queue = PriorityQueue((name, 1) for name in "gbdface")
        self.assertEqual("".join(drain(queue)), "gbdface")

    def test_equal_priorities_after_other_pops(self):
        queue = PriorityQueue([("x", 0), ("y", 0), ("c", 1), ("a", 1), ("b", 1)])
        queue.pop()
        queue.pop()
        queue.push("d", 1)
        self.assertEqual(drain(queue), ["c", "a", "b", "d"])

    def test_items_need_no_order(self):
        queue = PriorityQueue([(1, 5), ("a", 5), (None, 5)])
        self.assertEqual(drain(queue), [1, "a", None])

    def test_double_push_is_refused(self):
        queue = PriorityQueue([("a", 1)])
        with self.assertRaises(KeyError):
            queue.push("a", 2)
        self.assertEqual(queue.ordered(), [("a", 1)])

    def test_popped_item_can_be_pushed_again(self):
        queue = PriorityQueue([("a", 1)])
        queue.pop()
        queue.push("a", 2)
        self.assertEqual(queue.peek(), ("a", 2))

    def test_push_returns_none(self):
        self.assertIsNone(PriorityQueue().push("a", 1))

    def test_empty_is_an_index_error(self):
        for call in (PriorityQueue().pop, PriorityQueue().peek):
            with self.assertRaises(Empty):
                call()
        self.assertTrue(issubclass(Empty, IndexError))

    def test_len_and_contains(self):
        queue = PriorityQueue([("a", 1), ("b", 2)])
        queue.pop()
        self.assertEqual(len(queue), 1)
        self.assertNotIn("a", queue)
        self.assertIn("b", queue)


class LimitTest(unittest.TestCase):
    def test_limit_must_be_positive(self):
        for limit in (0, -1):
            with self.assertRaises(ValueError):
                PriorityQueue(limit=limit)
        self.assertEqual(PriorityQueue(limit=1).limit, 1)

    def test_last_is_thrown_out(self):
        queue = PriorityQueue([("a", 1), ("b", 5)], limit=2)
        self.assertEqual(queue.push("c", 3), "b")
        self.assertEqual(drain(queue), ["a", "c"])

    def test_added_one_can_be_thrown_out(self):
        queue = PriorityQueue([("a", 1), ("b", 5)], limit=2)
        self.assertEqual(queue.push("c", 9), "c")
        self.assertNotIn("c", queue)

    def test_later_of_equals_is_thrown_out(self):
        queue = PriorityQueue([("a", 5), ("b", 5)], limit=2)
        self.assertEqual(queue.push("c", 5), "c")
        self.assertEqual(queue.push("d", 1), "b")

    def test_below_the_limit_nothing_goes(self):
        queue = PriorityQueue([("a", 5)], limit=2)
        self.assertIsNone(queue.push("b", 9))
        self.assertEqual(len(queue), 2)


class UpdateTest(unittest.TestCase):
    def setUp(self):
        self.queue = PriorityQueue((n, n) for n in range(10))

    def test_raise_and_lower(self):
        self.queue.update(0, 6.5)
        self.queue.update(9, -1)
        self.assertEqual(drain(self.queue), [9, 1, 2, 3, 4, 5, 6, 0, 7, 8])

    def test_update_keeps_place_among_equals(self):
        queue = PriorityQueue([("a", 1), ("b", 2), ("c", 2)])
        queue.update("a", 2)
        self.assertEqual(drain(queue), ["a", "b", "c"])

    def test_update_down_to_equal(self):
        queue = PriorityQueue([("a", 1), ("b", 2)])
        queue.update("b", 1)
        self.assertEqual(drain(queue), ["a", "b"])

    def test_update_changes_priority(self):
        self.queue.update(3, 42)
        self.assertEqual(self.queue.priority(3), 42)

    def test_update_unknown(self):
        with self.assertRaises(KeyError):
            self.queue.update("x", 1)

    def test_every_update_keeps_the_order(self):
        for item in range(10):
            for priority in (-1, 4.5, 99):
                queue = PriorityQueue((n, n) for n in range(10))
                queue.update(item, priority)
                expected = sorted(range(10), key=lambda n: priority if n == item else n)
                self.assertEqual(drain(queue), expected)


class RemoveTest(unittest.TestCase):
    def test_every_item_can_be_removed(self):
        for item in range(10):
            queue = PriorityQueue((n, n) for n in range(10))
            self.assertEqual(queue.remove(item), item)
            self.assertEqual(drain(queue), [n for n in range(10) if n != item])

    def test_remove_can_move_entry_up(self):
        queue = PriorityQueue((n, n) for n in (3, 2, 0, 6, 5, 4, 1))
        queue.remove(6)
        self.assertEqual(drain(queue), [0, 1, 2, 3, 4, 5])

    def test_remove_unknown(self):
        with self.assertRaises(KeyError):
            PriorityQueue([("a", 1)]).remove("b")

    def test_remove_then_query(self):
        queue = PriorityQueue([("a", 1), ("b", 2), ("c", 3)])
        queue.remove("a")
        self.assertEqual([queue.priority(x) for x in "abc"], [None, 2, 3])


class QueryTest(unittest.TestCase):
    def test_priority_default(self):
        queue = PriorityQueue([("a", 0)])
        self.assertEqual(queue.priority("x", 7), 7)
        self.assertEqual(queue.priority("a", 7), 0)

    def test_pop_until_is_inclusive(self):
        queue = PriorityQueue([("a", 1), ("b", 2), ("c", 2), ("d", 3)])
        self.assertEqual(queue.pop_until(2), ["a", "b", "c"])
        self.assertEqual(queue.ordered(), [("d", 3)])

    def test_pop_until_nothing_and_all(self):
        queue = PriorityQueue([("a", 1), ("b", 2)])
        self.assertEqual(queue.pop_until(0), [])
        self.assertEqual(queue.pop_until(9), ["a", "b"])
        self.assertEqual(queue.pop_until(9), [])

    def test_ordered_keeps_the_queue(self):
        queue = PriorityQueue([("b", 1), ("a", 1), ("c", 0)])
        self.assertEqual(queue.ordered(), [("c", 0), ("b", 1), ("a", 1)])
        self.assertEqual(len(queue), 3)


class MergeTest(unittest.TestCase):
    def setUp(self):
        self.first = PriorityQueue([("a", 1), ("b", 5)])
        self.second = PriorityQueue([("b", 2), ("a", 3), ("c", 4)])

    def test_lower_priority_wins(self):
        merged = merge(self.first, self.second)
        self.assertEqual(merged.ordered(), [("a", 1), ("b", 2), ("c", 4)])

    def test_sources_are_kept(self):
        merge(self.first, self.second).pop()
        self.assertEqual(self.first.ordered(), [("a", 1), ("b", 5)])
        self.assertEqual(len(self.second), 3)

    def test_first_comes_first_among_equals(self):
        merged = merge(PriorityQueue([("z", 1)]), PriorityQueue([("y", 1)]))
        self.assertEqual(drain(merged), ["z", "y"])

    def test_no_limit(self):
        merged = merge(PriorityQueue([("a", 1)], limit=1), self.second)
        self.assertIsNone(merged.limit)
        self.assertEqual(len(merged), 3)
