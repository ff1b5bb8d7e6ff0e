import unittest

from cachetools_lite.lru import LRUCache


class TestLRUCache(unittest.TestCase):
    def test_put_and_get(self):
        cache = LRUCache(2)
        cache.put("a", 1)
        self.assertEqual(cache.get("a"), 1)
        self.assertIsNone(cache.get("b"))
        self.assertEqual(len(cache), 1)

    def test_evicts_the_oldest(self):
        cache = LRUCache(2)
        for key in "abc":
            cache.put(key, key.upper())
        self.assertEqual(cache.items(), [("b", "B"), ("c", "C")])

    def test_peek(self):
        cache = LRUCache(2)
        cache.put("a", 1)
        self.assertEqual(cache.peek("a"), 1)

    def test_remove(self):
        cache = LRUCache(2)
        cache.put("a", 1)
        self.assertTrue(cache.remove("a"))
        self.assertNotIn("a", cache)

    def test_weights(self):
        cache = LRUCache(5, weigh=len)
        cache.put("a", "xxx")
        cache.put("b", "yy")
        self.assertEqual(cache.weight, 5)

    def test_resize(self):
        cache = LRUCache(3)
        for key in "abc":
            cache.put(key, 0)
        self.assertEqual(cache.resize(1), 2)
        self.assertEqual(cache.keys(), ["c"])

    def test_get_or_make(self):
        cache = LRUCache(2)
        self.assertEqual(cache.get_or_make("a", str.upper), "A")
        self.assertEqual(cache.get("a"), "A")

    def test_stats(self):
        cache = LRUCache(2)
        cache.put("a", 1)
        cache.get("a")
        self.assertEqual(cache.stats.ratio(), 1.0)
