import unittest

from wordfinder.index import Hit, TextIndex, split_words


def index_of(*texts, **options):
    index = TextIndex(**options)
    for number, text in enumerate(texts, 1):
        index.add(number, text)
    return index


def ids(hits):
    return [hit.doc_id for hit in hits]


class SplitWordsTest(unittest.TestCase):
    def test_lower_case(self):
        self.assertEqual(split_words("ABC Def"), ["abc", "def"])

    def test_punctuation_separates(self):
        self.assertEqual(split_words("a-b_c.d"), ["a", "b", "c", "d"])

    def test_no_words(self):
        self.assertEqual(split_words(""), [])
        self.assertEqual(split_words("?! ..."), [])

    def test_min_length_is_inclusive(self):
        self.assertEqual(split_words("a bb ccc", 2), ["bb", "ccc"])
        self.assertEqual(split_words("a bb ccc", 3), ["ccc"])

    def test_default_keeps_single_letters_and_order(self):
        self.assertEqual(split_words("b a b"), ["b", "a", "b"])


class TextIndexTest(unittest.TestCase):
    def test_empty_index(self):
        index = TextIndex()
        self.assertEqual(len(index), 0)
        self.assertEqual(index.search("a"), [])
        self.assertEqual(index.words_with_prefix(""), [])

    def test_indexes_do_not_share_documents(self):
        first, second = TextIndex(), TextIndex()
        first.add(1, "apple")
        self.assertEqual(len(second), 0)
        self.assertEqual(second.search("apple"), [])

    def test_add_counts_repeats(self):
        self.assertEqual(TextIndex().add(1, "go go go"), 3)
        self.assertEqual(TextIndex().add(1, ""), 0)

    def test_add_leaves_stop_words_out(self):
        index = TextIndex(stop_words=frozenset({"the"}))
        self.assertEqual(index.add(1, "The cat the dog"), 2)
        self.assertEqual(index.frequency("the"), 0)

    def test_add_leaves_short_words_out(self):
        index = TextIndex(min_length=3)
        self.assertEqual(index.add(1, "an ant ate it"), 2)
        self.assertEqual(index.frequency("an"), 0)

    def test_add_same_id_replaces(self):
        index = index_of("old words")
        index.add(1, "fresh text")
        self.assertEqual(len(index), 1)
        self.assertEqual(index.search("old"), [])
        self.assertEqual(index.search("fresh"), [Hit(1, 1)])

    def test_add_same_text_again_keeps_score(self):
        index = index_of("apple")
        index.add(1, "apple")
        self.assertEqual(index.search("apple"), [Hit(1, 1)])

    def test_remove_unknown_raises(self):
        with self.assertRaises(KeyError):
            TextIndex().remove(1)

    def test_remove_keeps_other_documents(self):
        index = index_of("apple pie", "apple tart")
        index.remove(1)
        self.assertEqual(index.search("apple"), [Hit(2, 1)])
        self.assertEqual(index.frequency("apple"), 1)

    def test_remove_document_with_repeats(self):
        index = index_of("go go", "stay")
        index.remove(1)
        self.assertEqual(index.words_with_prefix(""), ["stay"])

    def test_frequency_counts_documents(self):
        index = index_of("go go go", "go", "stay")
        self.assertEqual(index.frequency("go"), 2)

    def test_frequency_ignores_case(self):
        self.assertEqual(index_of("apple").frequency("APPLE"), 1)

    def test_frequency_of_unknown_adds_nothing(self):
        index = index_of("apple")
        self.assertEqual(index.frequency("zebra"), 0)
        self.assertEqual(index.words_with_prefix(""), ["apple"])

    def test_search_ignores_case(self):
        self.assertEqual(index_of("Apple").search("aPPLE"), [Hit(1, 1)])

    def test_search_all_needs_every_word(self):
        index = index_of("red apple", "red", "apple")
        self.assertEqual(index.search("red apple"), [Hit(1, 2)])
        self.assertEqual(index.search("red apple plum"), [])

    def test_search_any_needs_one_word(self):
        index = index_of("red apple", "red", "plum")
        self.assertEqual(index.search("red apple", "any"), [Hit(1, 2), Hit(2, 1)])

    def test_search_adds_up_occurrences(self):
        index = index_of("go go stop")
        self.assertEqual(index.search("go stop"), [Hit(1, 3)])

    def test_search_repeated_query_word_counts_once(self):
        index = index_of("go go")
        self.assertEqual(index.search("go go go"), [Hit(1, 2)])

    def test_search_orders_by_score(self):
        index = index_of("go", "go go go", "go go")
        self.assertEqual(ids(index.search("go")), [2, 3, 1])

    def test_search_ties_by_id(self):
        index = TextIndex()
        for doc_id in (9, 3, 5):
            index.add(doc_id, "same")
        self.assertEqual(ids(index.search("same")), [3, 5, 9])

    def test_search_limit(self):
        index = index_of("go", "go go", "go go go")
        self.assertEqual(ids(index.search("go", limit=2)), [3, 2])
        self.assertEqual(index.search("go", limit=0), [])

    def test_search_ignores_stop_words_of_query(self):
        index = index_of("the cat", stop_words=frozenset({"the"}))
        self.assertEqual(index.search("the cat"), [Hit(1, 1)])
        self.assertEqual(index.search("the"), [])

    def test_search_empty_query(self):
        self.assertEqual(index_of("apple").search("", "any"), [])
        self.assertEqual(index_of("apple").search("", "all"), [])

    def test_search_unknown_mode(self):
        with self.assertRaises(ValueError):
            index_of("apple").search("apple", mode="none")

    def test_phrase_needs_order_and_neighbours(self):
        index = index_of("new york city", "york new", "new old york")
        self.assertEqual(index.phrase("new york"), [1])

    def test_phrase_at_the_ends(self):
        index = index_of("a b c", "c a b", "b")
        self.assertEqual(index.phrase("a b"), [1, 2])
        self.assertEqual(index.phrase("b c"), [1])
        self.assertEqual(index.phrase("a b c"), [1])

    def test_phrase_ids_are_sorted(self):
        index = TextIndex()
        for doc_id in (7, 2):
            index.add(doc_id, "one two")
        self.assertEqual(index.phrase("One, TWO"), [2, 7])

    def test_phrase_without_words(self):
        self.assertEqual(index_of("a").phrase("!"), [])
        self.assertEqual(index_of("a").phrase("a a"), [])

    def test_words_with_prefix_order(self):
        index = index_of("beta bar", "beta", "alpha bz bz bz")
        self.assertEqual(index.words_with_prefix("B"), ["beta", "bar", "bz"])


if __name__ == "__main__":
    unittest.main()
