import unittest

from triefold.trie import PrefixTrie, common_prefix


class PrefixTrieTest(unittest.TestCase):
    def test_added_words_are_held(self):
        trie = PrefixTrie(["car", "cat"])
        self.assertIn("car", trie)
        self.assertNotIn("dog", trie)
        self.assertEqual(len(trie), 2)

    def test_add_counts_a_word(self):
        trie = PrefixTrie()
        self.assertEqual(trie.add("tea"), 1)
        self.assertEqual(trie.count("tea"), 1)

    def test_remove_takes_a_word_away(self):
        trie = PrefixTrie(["car", "cat"])
        self.assertEqual(trie.remove("car"), 0)
        self.assertNotIn("car", trie)
        self.assertIn("cat", trie)

    def test_count_prefix(self):
        trie = PrefixTrie(["car", "cat", "dog"])
        self.assertEqual(trie.count_prefix("ca"), 2)
        self.assertEqual(trie.count_prefix("x"), 0)

    def test_complete_lists_words_with_the_prefix(self):
        trie = PrefixTrie(["car", "cat", "dog"])
        self.assertEqual(trie.complete("ca"), ["car", "cat"])
        self.assertEqual(trie.complete("z"), [])

    def test_longest_prefix(self):
        trie = PrefixTrie(["in", "inter"])
        self.assertEqual(trie.longest_prefix("internet"), "inter")
        self.assertIsNone(trie.longest_prefix("outer"))

    def test_common_prefix(self):
        self.assertEqual(common_prefix(["flow", "flower", "flight"]), "fl")


if __name__ == "__main__":
    unittest.main()
