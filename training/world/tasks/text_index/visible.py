import unittest

from wordfinder.index import Hit, TextIndex, split_words


class TextIndexTest(unittest.TestCase):
    def setUp(self):
        self.index = TextIndex()
        self.index.add(1, "The quick brown fox")
        self.index.add(2, "A lazy brown dog")

    def test_split_words(self):
        self.assertEqual(split_words("Hello, world 42!"), ["hello", "world", "42"])

    def test_add_returns_word_count(self):
        self.assertEqual(self.index.add(3, "one two three"), 3)
        self.assertEqual(len(self.index), 3)

    def test_search_single_word(self):
        self.assertEqual(self.index.search("fox"), [Hit(1, 1)])
        self.assertEqual(self.index.search("cat"), [])

    def test_search_all_words(self):
        self.assertEqual(self.index.search("lazy brown"), [Hit(2, 2)])

    def test_search_any_word(self):
        hits = self.index.search("fox dog", mode="any")
        self.assertEqual([hit.doc_id for hit in hits], [1, 2])

    def test_remove(self):
        self.index.remove(1)
        self.assertEqual(self.index.search("fox"), [])
        self.assertEqual(len(self.index), 1)

    def test_frequency(self):
        self.assertEqual(self.index.frequency("brown"), 2)
        self.assertEqual(self.index.frequency("cat"), 0)

    def test_phrase(self):
        self.assertEqual(self.index.phrase("quick brown"), [1])

    def test_words_with_prefix(self):
        self.assertEqual(self.index.words_with_prefix("qu"), ["quick"])


if __name__ == "__main__":
    unittest.main()
