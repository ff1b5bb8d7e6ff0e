import unittest

from minilex.lexer import LexError, Token, tokenize, unquote


def texts(source):
    return [token.text for token in tokenize(source)]


def kinds(source):
    return [token.kind for token in tokenize(source)]


def places(source):
    return [(token.line, token.column) for token in tokenize(source)]


class TokenizeTest(unittest.TestCase):
    def test_empty_source(self):
        self.assertEqual(tokenize(""), [])
        self.assertEqual(tokenize(" \n\t "), [])

    def test_single_character(self):
        self.assertEqual(tokenize("x"), [Token("name", "x", 1, 1)])

    def test_every_character_a_token(self):
        self.assertEqual(texts("+-*/"), ["+", "-", "*", "/"])
        self.assertEqual(texts("(){}[],:;"), list("(){}[],:;"))

    def test_keywords(self):
        self.assertEqual(kinds("let if else true false"), ["keyword"] * 5)

    def test_keywords_are_whole_and_lower_case(self):
        self.assertEqual(kinds("letter If lets _let"), ["name"] * 4)

    def test_names_with_underscore_digit_dash(self):
        self.assertEqual(texts("_a a1 a_b a-b"), ["_a", "a1", "a_b", "a-b"])
        self.assertEqual(kinds("_ a1 a-b"), ["name"] * 3)

    def test_minus_does_not_start_a_name(self):
        self.assertEqual(texts("-a"), ["-", "a"])
        self.assertEqual(texts("1 -a"), ["1", "-", "a"])

    def test_operators_longest_first(self):
        self.assertEqual(texts("<= >= == != && || .."), "<= >= == != && || ..".split())
        self.assertEqual(texts("a<=b<c"), ["a", "<=", "b", "<", "c"])
        self.assertEqual(texts("==="), ["==", "="])

    def test_single_ampersand_is_an_error(self):
        with self.assertRaises(LexError):
            tokenize("a & b")

    def test_integers(self):
        self.assertEqual(texts("0 42 1_000"), ["0", "42", "1_000"])
        self.assertEqual(kinds("0 42 1_000"), ["number"] * 3)

    def test_fractions(self):
        self.assertEqual(texts("3.14 0.5"), ["3.14", "0.5"])
        self.assertEqual(kinds("3.14"), ["number"])

    def test_point_without_digit_is_an_operator(self):
        self.assertEqual(texts("3.x"), ["3", ".", "x"])
        self.assertEqual(texts("3."), ["3", "."])
        self.assertEqual(texts(".5"), [".", "5"])

    def test_range_of_numbers(self):
        self.assertEqual(texts("1..5"), ["1", "..", "5"])

    def test_second_point_ends_the_number(self):
        self.assertEqual(texts("1.2.3"), ["1.2", ".", "3"])

    def test_bad_numbers(self):
        for source in ("12ab", "1_", "1.5x", "2.5_"):
            with self.assertRaises(LexError):
                tokenize(source)

    def test_string_token_keeps_quotes(self):
        self.assertEqual(tokenize('"a b"'), [Token("string", '"a b"', 1, 1)])
        self.assertEqual(texts('""'), ['""'])

    def test_strings_side_by_side(self):
        self.assertEqual(texts('"a""b"'), ['"a"', '"b"'])

    def test_escaped_quote_stays_inside(self):
        self.assertEqual(texts(r'"a\"b" c'), [r'"a\"b"', "c"])

    def test_escaped_backslash_before_quote(self):
        self.assertEqual(texts(r'"a\\" b'), [r'"a\\"', "b"])

    def test_hash_inside_string(self):
        self.assertEqual(texts('"a # b" c'), ['"a # b"', "c"])

    def test_unterminated_string(self):
        for source in ('"abc', '"', r'"abc\"'):
            with self.assertRaisesRegex(LexError, "unterminated string at 1:1$"):
                tokenize(source)

    def test_string_over_lines(self):
        with self.assertRaisesRegex(LexError, "unterminated"):
            tokenize('"a\nb"')

    def test_comment_to_end_of_line(self):
        self.assertEqual(texts("a # b c\nd"), ["a", "d"])

    def test_comment_only(self):
        self.assertEqual(tokenize("# nothing"), [])
        self.assertEqual(texts("#\n#x\nb"), ["b"])

    def test_hash_inside_comment(self):
        self.assertEqual(texts("a # one # two\nb"), ["a", "b"])

    def test_columns(self):
        self.assertEqual(places("ab  cd"), [(1, 1), (1, 5)])

    def test_columns_restart_on_each_line(self):
        self.assertEqual(places("ab\n  cd\n\ne f"), [(1, 1), (2, 3), (4, 1), (4, 3)])

    def test_lines_after_comment(self):
        self.assertEqual(places("a # x\nb"), [(1, 1), (2, 1)])

    def test_error_names_place(self):
        with self.assertRaisesRegex(LexError, r"unexpected '\?' at 2:4$"):
            tokenize("ok\nab ?")

    def test_number_error_names_text_and_place(self):
        with self.assertRaisesRegex(LexError, "bad number '12ab' at 1:3$"):
            tokenize("a 12ab")


class UnquoteTest(unittest.TestCase):
    def test_plain(self):
        self.assertEqual(unquote('""'), "")
        self.assertEqual(unquote('"abc"'), "abc")

    def test_escapes(self):
        self.assertEqual(unquote(r'"a\nb\tc"'), "a\nb\tc")
        self.assertEqual(unquote(r'"\"q\""'), '"q"')

    def test_escaped_backslash(self):
        self.assertEqual(unquote(r'"a\\b"'), "a\\b")
        self.assertEqual(unquote(r'"\\n"'), "\\n")
        self.assertEqual(unquote(r'"x\\"'), "x\\")

    def test_unknown_escape(self):
        for text in (r'"\q"', r'"a\ b"'):
            with self.assertRaises(LexError):
                unquote(text)


if __name__ == "__main__":
    unittest.main()
