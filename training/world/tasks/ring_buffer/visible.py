import unittest

from ringkit.ring import History, RingBuffer, Window


class RingTest(unittest.TestCase):
    def test_append_and_iterate(self):
        ring = RingBuffer(3, [1, 2])
        ring.append(3)
        self.assertEqual(list(ring), [1, 2, 3])
        self.assertTrue(ring.full)

    def test_overwrites_oldest(self):
        ring = RingBuffer(3, [1, 2, 3])
        self.assertEqual(ring.append(4), 1)
        self.assertEqual(list(ring), [2, 3, 4])

    def test_index(self):
        ring = RingBuffer(3, [1, 2, 3])
        self.assertEqual(ring[0], 1)
        self.assertEqual(ring[-1], 3)

    def test_popleft(self):
        ring = RingBuffer(3, [1, 2])
        self.assertEqual(ring.popleft(), 1)
        self.assertEqual(len(ring), 1)

    def test_rotate(self):
        ring = RingBuffer(3, [1, 2, 3])
        ring.rotate()
        self.assertEqual(list(ring), [3, 1, 2])

    def test_resize(self):
        ring = RingBuffer(3, [1, 2, 3])
        ring.resize(5)
        self.assertEqual((ring.size, list(ring)), (5, [1, 2, 3]))

    def test_window(self):
        window = Window(2)
        window.add(2)
        self.assertEqual(window.add(4), 3)

    def test_history(self):
        history = History()
        self.assertTrue(history.add("make test"))
        self.assertEqual(history.search("make"), "make test")
