import unittest

from cachetools_lite.lru import CacheStats, LRUCache


def filled(keys, limit=3, **options):
    cache = LRUCache(limit, **options)
    for key in keys:
        cache.put(key, key.upper())
    return cache


def counts(cache):
    return (cache.stats.hits, cache.stats.misses, cache.stats.evictions)


class TestStats(unittest.TestCase):
    def test_ratio(self):
        stats = CacheStats()
        self.assertEqual(stats.ratio(), 0.0)
        stats.misses = 3
        self.assertEqual(stats.ratio(), 0.0)
        stats.hits = 1
        self.assertEqual(stats.ratio(), 0.25)

    def test_reset(self):
        stats = CacheStats()
        stats.hits, stats.misses, stats.evictions = 1, 2, 3
        self.assertEqual(repr(stats), "CacheStats(hits=1, misses=2, evictions=3)")
        stats.reset()
        self.assertEqual(repr(stats), "CacheStats(hits=0, misses=0, evictions=0)")

    def test_hits_and_misses_are_counted(self):
        cache = filled("ab")
        cache.get("a"), cache.get("a"), cache.get("x")
        self.assertEqual(counts(cache), (2, 1, 0))

    def test_evictions_are_counted(self):
        cache = filled("abcde")
        self.assertEqual(counts(cache), (0, 0, 2))
        cache.resize(1)
        self.assertEqual(counts(cache), (0, 0, 4))


class TestOrder(unittest.TestCase):
    def test_get_is_a_use(self):
        cache = filled("abc")
        cache.get("a")
        self.assertEqual(cache.keys(), ["b", "c", "a"])
        cache.put("d", 0)
        self.assertEqual(cache.keys(), ["c", "a", "d"])

    def test_failed_get_changes_nothing(self):
        cache = filled("abc")
        cache.get("x")
        self.assertEqual(cache.keys(), ["a", "b", "c"])

    def test_peek_is_no_use(self):
        cache = filled("abc")
        self.assertEqual(cache.peek("a"), "A")
        self.assertEqual(cache.keys(), ["a", "b", "c"])
        self.assertEqual(counts(cache), (0, 0, 0))

    def test_contains_is_no_use(self):
        cache = filled("abc")
        self.assertIn("a", cache)
        self.assertNotIn("A", cache)
        self.assertEqual(cache.keys(), ["a", "b", "c"])
        self.assertEqual(counts(cache), (0, 0, 0))

    def test_replacing_is_a_use(self):
        cache = filled("abc")
        cache.put("a", 1)
        self.assertEqual(cache.items(), [("b", "B"), ("c", "C"), ("a", 1)])

    def test_replacing_evicts_nothing(self):
        cache = filled("abc")
        cache.put("b", 1)
        self.assertEqual((len(cache), counts(cache)), (3, (0, 0, 0)))

    def test_full_cache_evicts_nothing(self):
        self.assertEqual(filled("abc").keys(), ["a", "b", "c"])

    def test_limit_of_one(self):
        self.assertEqual(filled("abc", limit=1).items(), [("c", "C")])


class TestReading(unittest.TestCase):
    def test_defaults(self):
        cache = filled("a")
        self.assertEqual(cache.get("x", 7), 7)
        self.assertEqual(cache.peek("x", 7), 7)
        self.assertIsNone(cache.peek("x"))

    def test_falsy_values_are_values(self):
        cache = LRUCache(3)
        cache.put("a", None)
        cache.put("b", 0)
        self.assertIsNone(cache.get("a", 7))
        self.assertEqual((cache.get("b", 7), cache.peek("b", 7)), (0, 0))
        self.assertEqual(counts(cache), (2, 0, 0))

    def test_repr(self):
        self.assertEqual(repr(filled("ab", 2)), "LRUCache({'a': 'A', 'b': 'B'}, limit=2)")

    def test_keys_is_a_copy(self):
        cache = filled("ab")
        cache.keys().clear()
        self.assertEqual(len(cache), 2)


class TestWeights(unittest.TestCase):
    def test_light_entries_make_room_for_a_heavy_one(self):
        cache = LRUCache(6, weigh=len)
        for key, value in (("a", "xx"), ("b", "x"), ("c", "xxx"), ("d", "yy")):
            cache.put(key, value)
        self.assertEqual((cache.keys(), cache.weight), (["b", "c", "d"], 6))

    def test_several_are_evicted(self):
        cache = LRUCache(4, weigh=len)
        for key in "abcd":
            cache.put(key, "x")
        cache.put("e", "yyy")
        self.assertEqual((cache.keys(), cache.weight, cache.stats.evictions), (["d", "e"], 4, 3))

    def test_value_of_the_whole_limit(self):
        cache = LRUCache(3, weigh=len)
        self.assertIs(cache.put("a", "x"), True)
        self.assertIs(cache.put("b", "yyy"), True)
        self.assertEqual((cache.keys(), cache.weight), (["b"], 3))

    def test_value_too_heavy(self):
        cache = LRUCache(3, weigh=len)
        cache.put("a", "x")
        self.assertIs(cache.put("b", "yyyy"), False)
        self.assertEqual((cache.keys(), cache.weight), (["a"], 1))

    def test_value_too_heavy_drops_the_old_one(self):
        cache = LRUCache(3, weigh=len)
        cache.put("a", "x")
        cache.put("a", "yyyy")
        self.assertEqual((cache.keys(), cache.weight, counts(cache)), ([], 0, (0, 0, 0)))

    def test_replacing_counts_the_new_weight_only(self):
        cache = LRUCache(5, weigh=len)
        cache.put("a", "xxx")
        cache.put("b", "x")
        cache.put("a", "yyyy")
        self.assertEqual((cache.items(), cache.weight), ([("b", "x"), ("a", "yyyy")], 5))

    def test_weight_of_zero(self):
        cache = LRUCache(1, weigh=len)
        for key in "abc":
            self.assertIs(cache.put(key, ""), True)
        self.assertEqual((len(cache), cache.weight), (3, 0))

    def test_negative_weight(self):
        cache = LRUCache(5, weigh=int)
        cache.put("a", 2)
        with self.assertRaises(ValueError) as caught:
            cache.put("a", -1)
        self.assertEqual(str(caught.exception), "negative weight: -1")
        self.assertEqual((cache.items(), cache.weight), ([("a", 2)], 2))


class TestRemoveAndResize(unittest.TestCase):
    def test_remove(self):
        cache = LRUCache(9, weigh=len)
        cache.put("a", "xx")
        cache.put("b", "xxx")
        self.assertIs(cache.remove("a"), True)
        self.assertIs(cache.remove("a"), False)
        self.assertEqual((cache.keys(), cache.weight, counts(cache)), (["b"], 3, (0, 0, 0)))

    def test_resize_down(self):
        cache = filled("abc")
        self.assertEqual(cache.resize(2), 1)
        self.assertEqual((cache.keys(), cache.limit, cache.weight), (["b", "c"], 2, 2))

    def test_resize_up(self):
        cache = filled("abc")
        self.assertEqual(cache.resize(4), 0)
        cache.put("d", 0)
        self.assertEqual(len(cache), 4)

    def test_bad_limits(self):
        cache = filled("ab")
        for limit in (0, -1):
            with self.assertRaises(ValueError):
                LRUCache(limit)
            with self.assertRaises(ValueError):
                cache.resize(limit)
        self.assertEqual((cache.limit, len(cache)), (3, 2))
        self.assertEqual(cache.resize(1), 1)

    def test_on_evict(self):
        gone = []
        cache = filled("abcd", on_evict=lambda key, value: gone.append((key, value)))
        cache.resize(1)
        self.assertEqual(gone, [("a", "A"), ("b", "B"), ("c", "C")])

    def test_on_evict_not_for_removed_or_replaced(self):
        gone = []
        cache = filled("abc", on_evict=lambda key, value: gone.append(key))
        cache.put("a", 1)
        cache.remove("b")
        self.assertEqual(gone, [])


class TestGetOrMake(unittest.TestCase):
    def test_makes_once(self):
        calls = []
        cache = LRUCache(2)
        for _ in range(3):
            self.assertIsNone(cache.get_or_make("a", calls.append))
        self.assertEqual(calls, ["a"])
        self.assertEqual(counts(cache), (2, 1, 0))

    def test_is_a_use(self):
        cache = filled("abc")
        self.assertEqual(cache.get_or_make("a", str.lower), "A")
        self.assertEqual(cache.get_or_make("d", str.upper), "D")
        self.assertEqual(cache.keys(), ["c", "a", "d"])

    def test_too_heavy_is_returned_all_the_same(self):
        cache = LRUCache(2, weigh=len)
        self.assertEqual(cache.get_or_make("a", lambda key: key * 3), "aaa")
        self.assertEqual(len(cache), 0)


if __name__ == "__main__":
    unittest.main()
