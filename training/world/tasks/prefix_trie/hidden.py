import unittest

from triefold.trie import PrefixTrie, common_prefix


class PrefixTrieTest(unittest.TestCase):
    def test_new_trie_is_empty(self):
        trie = PrefixTrie()
        self.assertEqual(len(trie), 0)
        self.assertNotIn("", trie)
        self.assertEqual(trie.complete(""), [])

    def test_constructor_counts_repeats(self):
        trie = PrefixTrie(["a", "a", "b"])
        self.assertEqual(len(trie), 3)
        self.assertEqual(trie.count("a"), 2)

    def test_prefix_is_not_a_word(self):
        trie = PrefixTrie(["cart"])
        self.assertNotIn("car", trie)
        self.assertEqual(trie.count("car"), 0)

    def test_extension_is_not_a_word(self):
        trie = PrefixTrie(["car"])
        self.assertNotIn("cart", trie)
        self.assertEqual(trie.count("cart"), 0)

    def test_add_returns_total_count(self):
        trie = PrefixTrie(["a"])
        self.assertEqual(trie.add("a", 3), 4)
        self.assertEqual(trie.add("a"), 5)
        self.assertEqual(len(trie), 5)

    def test_add_many_raises_prefix_counts(self):
        trie = PrefixTrie()
        trie.add("abc", 3)
        self.assertEqual(trie.count_prefix("ab"), 3)
        self.assertEqual(trie.count_prefix("abc"), 3)

    def test_add_once_is_allowed_explicitly(self):
        self.assertEqual(PrefixTrie().add("a", 1), 1)

    def test_add_rejects_zero_and_negative(self):
        trie = PrefixTrie()
        for times in (0, -1):
            with self.assertRaises(ValueError):
                trie.add("a", times)
        self.assertEqual(len(trie), 0)

    def test_empty_word_can_be_held(self):
        trie = PrefixTrie(["", "a"])
        self.assertIn("", trie)
        self.assertEqual(trie.count(""), 1)
        self.assertEqual(trie.remove(""), 0)
        self.assertEqual(len(trie), 1)

    def test_letter_case_matters(self):
        trie = PrefixTrie(["Car"])
        self.assertNotIn("car", trie)
        self.assertEqual(trie.count_prefix("c"), 0)

    def test_remove_returns_what_is_left(self):
        trie = PrefixTrie(["a", "a", "a"])
        self.assertEqual(trie.remove("a"), 2)
        self.assertEqual(trie.remove("a"), 1)
        self.assertEqual(len(trie), 1)

    def test_remove_unknown_raises(self):
        trie = PrefixTrie(["cart"])
        for word in ("car", "dog", "carts", ""):
            with self.assertRaises(KeyError):
                trie.remove(word)
        self.assertEqual(len(trie), 1)

    def test_remove_twice_raises(self):
        trie = PrefixTrie(["a"])
        trie.remove("a")
        with self.assertRaises(KeyError):
            trie.remove("a")

    def test_remove_keeps_longer_words(self):
        trie = PrefixTrie(["car", "cart"])
        trie.remove("car")
        self.assertIn("cart", trie)
        self.assertEqual(trie.count_prefix("car"), 1)

    def test_remove_keeps_shorter_words(self):
        trie = PrefixTrie(["car", "cart"])
        trie.remove("cart")
        self.assertIn("car", trie)
        self.assertEqual(trie.complete("ca"), ["car"])

    def test_remove_lowers_prefix_counts(self):
        trie = PrefixTrie(["car", "car", "cat"])
        trie.remove("car")
        self.assertEqual(trie.count_prefix("ca"), 2)
        self.assertEqual(trie.count_prefix("car"), 1)
        self.assertEqual(trie.count_prefix(""), 2)

    def test_removed_branch_is_dropped(self):
        trie = PrefixTrie(["dog", "cat"])
        trie.remove("dog")
        self.assertEqual(sorted(trie._root.children), ["c"])

    def test_word_can_return_after_removal(self):
        trie = PrefixTrie(["dog"])
        trie.remove("dog")
        self.assertEqual(trie.add("dog"), 1)
        self.assertEqual(trie.count_prefix("do"), 1)

    def test_count_prefix_of_empty_is_everything(self):
        self.assertEqual(PrefixTrie(["a", "b", "b"]).count_prefix(""), 3)

    def test_count_prefix_includes_the_word_itself(self):
        self.assertEqual(PrefixTrie(["car", "cart"]).count_prefix("car"), 2)
        self.assertEqual(PrefixTrie(["car", "cart"]).count_prefix("cart"), 1)

    def test_complete_ranks_by_frequency(self):
        trie = PrefixTrie(["cab", "cat", "cat", "car"])
        self.assertEqual(trie.complete("ca"), ["cat", "cab", "car"])

    def test_complete_breaks_ties_alphabetically(self):
        trie = PrefixTrie(["cz", "ca", "cm"])
        self.assertEqual(trie.complete("c"), ["ca", "cm", "cz"])

    def test_complete_includes_the_prefix_itself(self):
        trie = PrefixTrie(["car", "cart"])
        self.assertEqual(trie.complete("car"), ["car", "cart"])

    def test_complete_lists_repeats_once(self):
        self.assertEqual(PrefixTrie(["a", "a"]).complete(""), ["a"])

    def test_complete_limit(self):
        trie = PrefixTrie(["a1", "a2", "a3"])
        self.assertEqual(trie.complete("a", 2), ["a1", "a2"])
        self.assertEqual(trie.complete("a", 9), ["a1", "a2", "a3"])

    def test_complete_limit_zero_is_empty(self):
        self.assertEqual(PrefixTrie(["a"]).complete("a", 0), [])

    def test_complete_rejects_negative_limit(self):
        for limit in (-1, -5):
            with self.assertRaises(ValueError):
                PrefixTrie(["a", "b"]).complete("", limit)

    def test_longest_prefix_whole_text(self):
        self.assertEqual(PrefixTrie(["in", "inn"]).longest_prefix("inn"), "inn")

    def test_longest_prefix_falls_back_to_shorter_word(self):
        trie = PrefixTrie(["a", "abcd"])
        self.assertEqual(trie.longest_prefix("abcx"), "a")
        self.assertEqual(trie.longest_prefix("abc"), "a")

    def test_longest_prefix_ignores_mere_prefixes(self):
        self.assertIsNone(PrefixTrie(["abcd"]).longest_prefix("abc"))

    def test_longest_prefix_must_start_the_text(self):
        self.assertIsNone(PrefixTrie(["b", "c"]).longest_prefix("abc"))

    def test_longest_prefix_empty_word(self):
        self.assertEqual(PrefixTrie([""]).longest_prefix("xyz"), "")
        self.assertIsNone(PrefixTrie(["a"]).longest_prefix(""))

    def test_common_prefix_stops_at_first_difference(self):
        self.assertEqual(common_prefix(["abxd", "abyd"]), "ab")
        self.assertEqual(common_prefix(["x", "y"]), "")

    def test_common_prefix_whole_shortest_word(self):
        self.assertEqual(common_prefix(["abc", "ab", "abd"]), "ab")
        self.assertEqual(common_prefix(["same", "same"]), "same")

    def test_common_prefix_few_words(self):
        self.assertEqual(common_prefix([]), "")
        self.assertEqual(common_prefix(["one"]), "one")
        self.assertEqual(common_prefix(["a", ""]), "")


if __name__ == "__main__":
    unittest.main()
