import unittest

from memokey.memo import Memo, freeze, memoize, normalize


def power(base, exponent=2):
    return base**exponent


class TestMemo(unittest.TestCase):
    def test_freeze(self):
        self.assertEqual(freeze([1, 2]), freeze([1, 2]))
        self.assertEqual(freeze({"a": 1, "b": 2}), freeze({"b": 2, "a": 1}))
        self.assertEqual(freeze(5), 5)

    def test_normalize(self):
        self.assertEqual(normalize(power, (3,), {}), (("base", 3), ("exponent", 2)))

    def test_remembers(self):
        calls = []
        memo = Memo(lambda x: calls.append(x) or x * 2)
        self.assertEqual([memo(1), memo(1), memo(2)], [2, 2, 4])
        self.assertEqual(calls, [1, 2])

    def test_counts(self):
        memo = Memo(power)
        memo(2), memo(2), memo(base=2)
        self.assertEqual((memo.hits, memo.misses, len(memo)), (2, 1, 1))

    def test_limit(self):
        memo = Memo(power, limit=2)
        memo(1), memo(2), memo(3)
        self.assertEqual(len(memo), 2)
        self.assertFalse(memo.knows(1))

    def test_forget_and_clear(self):
        memo = Memo(power)
        memo(1), memo(2)
        self.assertTrue(memo.forget(1))
        self.assertEqual(len(memo), 1)
        memo.clear()
        self.assertEqual(len(memo), 0)

    def test_decorator(self):
        @memoize
        def double(x):
            return 2 * x

        self.assertEqual(double(4), 8)
        self.assertEqual(double.__name__, "double")
