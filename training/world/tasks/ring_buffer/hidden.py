import unittest

from ringkit.ring import History, RingBuffer, Window


def worn(size, values):
    """A buffer whose start is not at the first slot."""
    ring = RingBuffer(size, range(size + 2))
    for _ in range(size):
        ring.popleft()
    ring.extend(values)
    return ring


class AppendTest(unittest.TestCase):
    def test_size_must_be_positive(self):
        for size in (0, -1):
            with self.assertRaises(ValueError):
                RingBuffer(size)
        self.assertEqual(RingBuffer(1).size, 1)

    def test_append_returns_none_while_free(self):
        self.assertIsNone(RingBuffer(1).append(5))

    def test_append_returns_what_was_lost(self):
        ring = RingBuffer(2, [1, 2])
        self.assertEqual([ring.append(n) for n in (3, 4, 5)], [1, 2, 3])
        self.assertEqual(list(ring), [4, 5])

    def test_full(self):
        ring = RingBuffer(2, [1])
        self.assertIs(ring.full, False)
        ring.append(2)
        self.assertIs(ring.full, True)
        ring.append(3)
        self.assertIs(ring.full, True)

    def test_len_stays_at_size(self):
        self.assertEqual(len(RingBuffer(3, range(10))), 3)

    def test_refuses_when_not_overwriting(self):
        ring = RingBuffer(2, [1, 2], overwrite=False)
        with self.assertRaises(OverflowError):
            ring.append(3)
        self.assertEqual(list(ring), [1, 2])

    def test_extend_counts_the_lost(self):
        ring = RingBuffer(3, [1])
        self.assertEqual(ring.extend([2, 3]), 0)
        self.assertEqual(ring.extend([4, 5]), 2)
        self.assertEqual(list(ring), [3, 4, 5])

    def test_initial_values_beyond_size(self):
        self.assertEqual(list(RingBuffer(2, "abcd")), ["c", "d"])


class ReadTest(unittest.TestCase):
    def test_index_after_wrap(self):
        ring = RingBuffer(3, range(5))
        self.assertEqual([ring[i] for i in (0, 1, 2, -1, -2, -3)], [2, 3, 4, 4, 3, 2])

    def test_index_of_partly_filled(self):
        ring = worn(4, "ab")
        self.assertEqual([ring[i] for i in (0, 1, -1, -2)], ["a", "b", "b", "a"])

    def test_index_out_of_range(self):
        ring = RingBuffer(4, [1, 2])
        for index in (2, -3, 4):
            with self.assertRaises(IndexError):
                ring[index]
        with self.assertRaises(IndexError):
            RingBuffer(2)[0]

    def test_slices(self):
        ring = RingBuffer(3, range(5))
        self.assertEqual(ring[1:], [3, 4])
        self.assertEqual(ring[::-1], [4, 3, 2])

    def test_iteration_after_wrap(self):
        self.assertEqual(list(worn(3, "xyz")), ["x", "y", "z"])


class PopTest(unittest.TestCase):
    def test_pops_in_order(self):
        ring = RingBuffer(3, range(5))
        self.assertEqual([ring.popleft() for _ in range(3)], [2, 3, 4])

    def test_pop_from_empty(self):
        with self.assertRaises(IndexError):
            RingBuffer(2).popleft()

    def test_append_after_pop(self):
        ring = RingBuffer(2, [1, 2])
        ring.popleft()
        self.assertIsNone(ring.append(3))
        self.assertEqual(list(ring), [2, 3])


class RotateTest(unittest.TestCase):
    def test_several_steps(self):
        ring = RingBuffer(5, range(5))
        ring.rotate(2)
        self.assertEqual(list(ring), [3, 4, 0, 1, 2])

    def test_back(self):
        ring = RingBuffer(5, range(5))
        ring.rotate(-1)
        self.assertEqual(list(ring), [1, 2, 3, 4, 0])

    def test_more_steps_than_values(self):
        ring = RingBuffer(3, range(3))
        ring.rotate(4)
        self.assertEqual(list(ring), [2, 0, 1])
        ring.rotate(3)
        self.assertEqual(list(ring), [2, 0, 1])

    def test_partly_filled(self):
        ring = worn(4, "abc")
        ring.rotate()
        self.assertEqual(list(ring), ["c", "a", "b"])
        ring.extend("de")
        self.assertEqual(list(ring), ["a", "b", "d", "e"])

    def test_empty(self):
        ring = RingBuffer(3)
        ring.rotate(2)
        self.assertEqual(list(ring), [])


class ResizeTest(unittest.TestCase):
    def test_shrinking_keeps_the_newest(self):
        ring = RingBuffer(4, range(6))
        self.assertEqual(ring.resize(2), [2, 3])
        self.assertEqual((ring.size, list(ring)), (2, [4, 5]))

    def test_growing_loses_nothing(self):
        ring = RingBuffer(2, range(3))
        self.assertEqual(ring.resize(3), [])
        ring.append(9)
        self.assertEqual(list(ring), [1, 2, 9])

    def test_keeps_the_mode(self):
        ring = RingBuffer(2, [1, 2], overwrite=False)
        ring.resize(1)
        with self.assertRaises(OverflowError):
            ring.append(3)

    def test_rejects_zero(self):
        ring = RingBuffer(2, [1, 2])
        with self.assertRaises(ValueError):
            ring.resize(0)
        self.assertEqual(list(ring), [1, 2])


class WindowTest(unittest.TestCase):
    def test_old_numbers_leave_the_mean(self):
        window = Window(2)
        self.assertEqual([window.add(n) for n in (1, 3, 5, 9)], [1, 2, 4, 7])
        self.assertEqual(window.total, 14)

    def test_zeros_count(self):
        window = Window(3)
        self.assertEqual([window.add(n) for n in (0, 0, 3, 3)], [0, 0, 1, 2])

    def test_before_the_first(self):
        self.assertIsNone(Window(2).mean())


class HistoryTest(unittest.TestCase):
    def setUp(self):
        self.history = History(4)
        for line in ("git log", "make", "git push", "git log"):
            self.history.add(line)

    def test_blank_lines_are_not_kept(self):
        self.assertIs(self.history.add("   "), False)
        self.assertIs(History().add(""), False)

    def test_repeats_of_the_last_are_not_kept(self):
        self.assertIs(self.history.add(" git log "), False)
        self.assertIs(self.history.add("make"), True)

    def test_search_counts_different_lines(self):
        found = [self.history.search("git", n) for n in (1, 2, 3)]
        self.assertEqual(found, ["git log", "git push", None])

    def test_search_bounds(self):
        self.assertIsNone(self.history.search("git", 0))
        self.assertEqual(self.history.search("git"), "git log")
        self.assertIsNone(self.history.search("cargo"))
        self.assertEqual(self.history.search("", 3), "make")

    def test_old_lines_are_forgotten(self):
        for line in ("a", "b", "c", "d"):
            self.history.add(line)
        self.assertIsNone(self.history.search("git"))
