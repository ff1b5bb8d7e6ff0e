import unittest

from minilex.lexer import Lexer, LexError, Token, tokenize, unquote


def texts(source):
    return [token.text for token in tokenize(source)]


class LexerTest(unittest.TestCase):
    def test_kinds(self):
        kinds = [token.kind for token in tokenize('let x = 5 + "a"')]
        self.assertEqual(kinds, ["keyword", "name", "op", "number", "op", "string"])

    def test_texts(self):
        self.assertEqual(texts("(a, b)"), ["(", "a", ",", "b", ")"])

    def test_position(self):
        self.assertEqual(tokenize("a b")[1], Token("name", "b", 1, 3))

    def test_lines(self):
        self.assertEqual([token.line for token in tokenize("a\nb")], [1, 2])

    def test_two_character_operators(self):
        self.assertEqual(texts("a == b"), ["a", "==", "b"])

    def test_fraction(self):
        self.assertEqual(texts("3.25"), ["3.25"])

    def test_unexpected_character(self):
        with self.assertRaises(LexError):
            tokenize("a $ b")

    def test_tokens_is_lazy(self):
        self.assertEqual(next(Lexer("first ?").tokens()).text, "first")

    def test_unquote(self):
        self.assertEqual(unquote('"hi"'), "hi")


if __name__ == "__main__":
    unittest.main()
