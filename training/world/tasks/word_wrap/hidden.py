import unittest

from textflow.wrap import align, dedent, fill, indent, shorten, wrap, wrap_lines


class TestWrap(unittest.TestCase):
    def test_no_words(self):
        self.assertEqual(wrap("", 5), [])
        self.assertEqual(wrap("  \n ", 5), [])

    def test_line_of_exact_width(self):
        self.assertEqual(wrap("ab cd ef", 5), ["ab cd", "ef"])
        self.assertEqual(wrap("ab cd ef", 8), ["ab cd ef"])
        self.assertEqual(wrap("ab cd ef", 4), ["ab", "cd", "ef"])

    def test_default_width(self):
        self.assertEqual([len(line) for line in wrap("a" * 69 + " b")], [69, 1])
        self.assertEqual([len(line) for line in wrap("a" * 68 + " b")], [70])
        self.assertEqual([len(line) for line in wrap_lines("a" * 71)], [70, 1])
        self.assertEqual([len(line) for line in fill("a" * 71).splitlines()], [70, 1])

    def test_white_space_collapses(self):
        self.assertEqual(wrap("  a \t b\n\nc ", 20), ["a b c"])

    def test_long_word_is_cut(self):
        self.assertEqual(wrap("abcdefgh", 3), ["abc", "def", "gh"])
        self.assertEqual(wrap("abcdef", 3), ["abc", "def"])
        self.assertEqual(wrap("x abcde f", 3), ["x", "abc", "de", "f"])

    def test_long_word_stands_alone(self):
        self.assertEqual(wrap("x abcde f", 3, break_long=False), ["x", "abcde", "f"])

    def test_word_of_exact_width(self):
        self.assertEqual(wrap("abc d", 3), ["abc", "d"])

    def test_prefixes(self):
        self.assertEqual(wrap("a b c d e", 5, first="- ", rest="  "), ["- a b", "  c d", "  e"])
        self.assertEqual(wrap("a", 5, first="- ", rest="  "), ["- a"])

    def test_prefixes_of_different_length(self):
        self.assertEqual(wrap("aa bb cc dd", 5, rest="> "), ["aa bb", "> cc", "> dd"])
        self.assertEqual(wrap("abcdef", 4, first="> "), ["> ab", "cd", "ef"])

    def test_no_room(self):
        self.assertEqual(wrap("ab", 1), ["a", "b"])
        for options in ({}, {"first": "--"}, {"rest": "--"}):
            with self.assertRaises(ValueError):
                wrap("ab", len("".join(options.values())), **options)
        self.assertEqual(wrap("ab", 3, first="--"), ["--a", "b"])
        with self.assertRaises(ValueError):
            wrap("ab", 1, first="--")
        with self.assertRaises(ValueError):
            wrap("ab", 0, break_long=False)


class TestFill(unittest.TestCase):
    def test_several_blank_lines(self):
        self.assertEqual(fill("\n\na\n \n\t\nb\n\n", 9), "a\n\nb")

    def test_lines_of_a_paragraph_are_joined(self):
        self.assertEqual(fill("a\n  b\nc d", 3), "a b\nc d")

    def test_options_hold_for_every_paragraph(self):
        self.assertEqual(fill("a b\n\nc d", 3, first="* ", rest="  "), "* a\n  b\n\n* c\n  d")

    def test_nothing(self):
        self.assertEqual(fill(""), "")
        self.assertEqual(fill("\n\n"), "")


class TestIndent(unittest.TestCase):
    def test_blank_lines_stay(self):
        self.assertEqual(indent("a\n\n  \nb", "> "), "> a\n\n  \n> b")

    def test_line_ends_stay(self):
        self.assertEqual(indent("a\r\nb\n", "+"), "+a\r\n+b\n")
        self.assertEqual(indent("", "+"), "")

    def test_skip_first(self):
        self.assertEqual(indent("a\nb\nc", "  ", skip_first=True), "a\n  b\n  c")

    def test_skip_first_after_blank_line(self):
        self.assertEqual(indent("\na\nb", "  ", skip_first=True), "\na\n  b")

    def test_dedent_keeps_inner_depth(self):
        self.assertEqual(dedent("    a\n  b\n      c"), "  a\nb\n    c")

    def test_dedent_blank_lines(self):
        self.assertEqual(dedent("  a\n\n \n  b\n     "), "a\n\n\nb\n")

    def test_dedent_without_common_blanks(self):
        self.assertEqual(dedent("a\n  b"), "a\n  b")
        self.assertEqual(dedent("\ta\n b"), "\ta\n b")
        self.assertEqual(dedent(""), "")
        self.assertEqual(dedent("   \n "), "\n")


class TestShorten(unittest.TestCase):
    def test_exact_width(self):
        self.assertEqual(shorten("ab cd", 5), "ab cd")
        self.assertEqual(shorten("ab cd", 4, ".."), "ab..")
        self.assertEqual(shorten("ab cd ef", 7), "ab...")

    def test_white_space_collapses(self):
        self.assertEqual(shorten(" a \n b ", 3), "a b")

    def test_as_many_words_as_fit(self):
        self.assertEqual(shorten("a b c d e", 8), "a b c...")
        self.assertEqual(shorten("a b c d e", 7), "a b...")

    def test_first_word_does_not_fit(self):
        self.assertEqual(shorten("abcdef gh", 5), "...")
        self.assertEqual(shorten("abcdef", 3), "...")

    def test_placeholder(self):
        self.assertEqual(shorten("aa bb cc", 7, " [+]"), "aa [+]")
        with self.assertRaises(ValueError):
            shorten("abcdef", 2)
        self.assertEqual(shorten("ab", 2), "ab")


class TestAlign(unittest.TestCase):
    def test_strips_first(self):
        self.assertEqual(align("  ab ", 4), "ab  ")
        self.assertEqual(align("  ab ", 4, "right"), "  ab")

    def test_too_long_line_stays(self):
        for how in ("left", "right", "center", "justify"):
            self.assertEqual(align("a  bc", 4, how), "a  bc")
            self.assertEqual(align("a  bc", 5, how), "a  bc")

    def test_center_puts_the_odd_blank_right(self):
        self.assertEqual(align("ab", 5, "center"), " ab  ")
        self.assertEqual(align("ab", 3, "center"), "ab ")

    def test_one_blank_missing(self):
        self.assertEqual(align("ab", 3), "ab ")
        self.assertEqual(align("ab", 3, "right"), " ab")
        self.assertEqual(align("a b", 4, "justify"), "a  b")

    def test_justify(self):
        self.assertEqual(align("a b c", 9, "justify"), "a   b   c")
        self.assertEqual(align("a b c", 8, "justify"), "a   b  c")
        self.assertEqual(align("a b c d", 11, "justify"), "a   b  c  d")

    def test_justify_ignores_old_gaps(self):
        self.assertEqual(align("a    b c", 9, "justify"), "a   b   c")

    def test_justify_single_word(self):
        self.assertEqual(align("ab", 5, "justify"), "ab   ")
        self.assertEqual(align("", 2, "justify"), "  ")

    def test_unknown_alignment(self):
        with self.assertRaises(ValueError):
            align("a", 5, "middle")
        with self.assertRaises(ValueError):
            align("abc", 2, "middle")


if __name__ == "__main__":
    unittest.main()
