import unittest

from memokey.memo import Memo, freeze, memoize, normalize


def power(base, exponent=2):
    return base**exponent


def collect(first, *rest, flag=False, **extra):
    return (first, rest, flag, extra)


def counted(limit=None, **options):
    calls = []

    def function(x, y=0):
        calls.append((x, y))
        return x

    return Memo(function, limit, **options), calls


class TestFreeze(unittest.TestCase):
    def test_plain_values_stay(self):
        for value in (5, "text", None, 1.5):
            self.assertEqual(freeze(value), value)

    def test_order_of_lists_counts(self):
        self.assertNotEqual(freeze([1, 2]), freeze([2, 1]))
        self.assertNotEqual(freeze([1]), freeze([1, 1]))

    def test_order_of_dicts_and_sets_does_not(self):
        self.assertEqual(freeze({"a": [1], "b": 2}), freeze({"b": 2, "a": [1]}))
        self.assertEqual(freeze({1, 2}), freeze(frozenset([2, 1])))

    def test_values_of_dicts_count(self):
        self.assertNotEqual(freeze({"a": 1}), freeze({"a": 2}))
        self.assertNotEqual(freeze({"a": 1}), freeze({"b": 1}))

    def test_kinds_differ(self):
        frozen = [freeze(value) for value in ([], (), set(), {})]
        self.assertEqual(len(set(frozen)), 4)
        self.assertEqual(len({freeze([1]), freeze((1,)), freeze({1})}), 3)

    def test_any_depth_is_hashable(self):
        value = {"a": [{"b": {1, 2}}, ([],)], "c": {}}
        self.assertEqual(hash(freeze(value)), hash(freeze({"c": {}, "a": [{"b": {2, 1}}, ([],)]})))
        self.assertNotEqual(freeze([[1], [2]]), freeze([[1, 2], []]))

    def test_unhashable_value(self):
        with self.assertRaises(TypeError):
            freeze(bytearray(b"x"))
        with self.assertRaises(TypeError):
            freeze([{"a": bytearray()}])


class TestNormalize(unittest.TestCase):
    def test_positions_keywords_and_defaults(self):
        expected = (("base", 3), ("exponent", 2))
        for args, kwargs in (((3,), {}), ((3, 2), {}), ((), {"base": 3}), ((), {"exponent": 2, "base": 3})):
            self.assertEqual(normalize(power, args, kwargs), expected)

    def test_other_value_than_the_default(self):
        self.assertEqual(normalize(power, (3, 5), {}), (("base", 3), ("exponent", 5)))

    def test_rest_and_extra(self):
        pairs = normalize(collect, (1, 2, 3), {"z": 1, "b": 2})
        self.assertEqual(pairs, (("first", 1), ("rest", (2, 3)), ("flag", False), ("extra", [("b", 2), ("z", 1)])))

    def test_nothing_extra(self):
        self.assertEqual(normalize(collect, (1,), {})[1:], (("rest", ()), ("flag", False), ("extra", [])))

    def test_ignore(self):
        self.assertEqual(normalize(power, (3,), {}, ("base",)), (("exponent", 2),))
        pairs = normalize(collect, (1,), {"a": 1, "b": 2}, ("a", "flag", "rest"))
        self.assertEqual(pairs, (("first", 1), ("extra", [("b", 2)])))

    def test_arguments_that_do_not_fit(self):
        for args, kwargs in (((), {}), ((1, 2, 3), {}), ((1,), {"x": 1}), ((1,), {"base": 1})):
            with self.assertRaises(TypeError):
                normalize(power, args, kwargs)


class TestMemo(unittest.TestCase):
    def test_one_call_for_all_spellings(self):
        memo, calls = counted()
        memo(1), memo(x=1), memo(1, 0), memo(1, y=0)
        self.assertEqual((calls, memo.hits, memo.misses), ([(1, 0)], 3, 1))

    def test_other_arguments_are_other_calls(self):
        memo, calls = counted()
        memo(1), memo(1, 1), memo(0, 1)
        self.assertEqual((calls, memo.hits, memo.misses, len(memo)), ([(1, 0), (1, 1), (0, 1)], 0, 3, 3))

    def test_unhashable_arguments(self):
        memo, calls = counted()
        memo([1]), memo([1]), memo((1,)), memo({"a": []}), memo({"a": []})
        self.assertEqual(len(calls), 3)

    def test_falsy_results_are_remembered(self):
        memo, calls = counted()
        self.assertEqual([memo(None), memo(None), memo(0), memo(0)], [None, None, 0, 0])
        self.assertEqual(len(calls), 2)

    def test_untyped(self):
        memo, calls = counted()
        memo(1), memo(1.0), memo(True)
        self.assertEqual(len(calls), 1)

    def test_typed(self):
        memo, calls = counted(typed=True)
        memo(1), memo(1.0), memo(True), memo(1), memo(1, 0.0)
        self.assertEqual((len(calls), memo.hits), (4, 1))

    def test_ignored_parameter(self):
        memo, calls = counted(ignore=["y"])
        memo(1, 5), memo(1, 6), memo(2, 5)
        self.assertEqual(calls, [(1, 5), (2, 5)])

    def test_ignore_of_unknown_parameter(self):
        with self.assertRaises(ValueError) as caught:
            Memo(power, ignore=["base", "z"])
        self.assertEqual(str(caught.exception), "no parameter named 'z'")

    def test_keep(self):
        memo, calls = counted(keep=lambda result: result > 1)
        memo(1), memo(1), memo(2), memo(2)
        self.assertEqual((len(calls), memo.hits, memo.misses, len(memo)), (3, 1, 3, 1))

    def test_errors_are_not_remembered(self):
        memo = Memo(lambda x: 1 / x)
        for _ in range(2):
            with self.assertRaises(ZeroDivisionError):
                memo(0)
        self.assertEqual((len(memo), memo.misses, memo.hits), (0, 2, 0))

    def test_bad_call_is_not_counted(self):
        memo = Memo(power)
        with self.assertRaises(TypeError):
            memo()
        self.assertEqual((memo.hits, memo.misses), (0, 0))

    def test_memos_are_apart(self):
        first, second = Memo(power), Memo(power)
        first(1)
        self.assertEqual((len(first), len(second)), (1, 0))


class TestLimit(unittest.TestCase):
    def test_oldest_is_forgotten(self):
        memo, _ = counted(limit=2)
        memo(1), memo(2), memo(3)
        self.assertEqual([memo.knows(x) for x in (1, 2, 3)], [False, True, True])

    def test_asking_again_does_not_make_younger(self):
        memo, _ = counted(limit=2)
        memo(1), memo(2), memo(1), memo(3)
        self.assertEqual([memo.knows(x) for x in (1, 2, 3)], [False, True, True])

    def test_full_is_not_over(self):
        memo, _ = counted(limit=3)
        memo(1), memo(2), memo(3)
        self.assertEqual((len(memo), memo.knows(1)), (3, True))

    def test_limit_of_one(self):
        memo, calls = counted(limit=1)
        memo(1), memo(1), memo(2), memo(1)
        self.assertEqual((len(calls), len(memo)), (3, 1))

    def test_bad_limit(self):
        for limit in (0, -1):
            with self.assertRaises(ValueError):
                Memo(power, limit)


class TestForgetting(unittest.TestCase):
    def test_knows_counts_nothing(self):
        memo, calls = counted()
        memo(1)
        self.assertEqual([memo.knows(1), memo.knows(x=1, y=0), memo.knows(2)], [True, True, False])
        self.assertEqual((memo.hits, memo.misses, len(calls)), (0, 1, 1))

    def test_forget(self):
        memo, calls = counted()
        memo(1), memo(2)
        self.assertEqual([memo.forget(x=1), memo.forget(1), memo.forget(5)], [True, False, False])
        memo(1), memo(2)
        self.assertEqual(calls, [(1, 0), (2, 0), (1, 0)])

    def test_clear(self):
        memo, calls = counted()
        memo(1), memo(1)
        memo.clear()
        self.assertEqual((len(memo), memo.hits, memo.misses), (0, 0, 0))
        memo(1)
        self.assertEqual(len(calls), 2)


class TestDecorator(unittest.TestCase):
    def test_plain(self):
        memo = memoize(power)
        self.assertEqual((memo(3), memo(3), memo.hits), (9, 9, 1))
        self.assertEqual((memo.__name__, memo.__wrapped__, memo.limit), ("power", power, None))

    def test_with_options(self):
        memo = memoize(limit=1, typed=True)(power)
        self.assertEqual((memo(2), memo.limit, memo.typed, memo.function), (4, 1, True, power))


if __name__ == "__main__":
    unittest.main()
