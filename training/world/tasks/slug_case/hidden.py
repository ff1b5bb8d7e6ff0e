import unittest

from caseform.cases import (
    Slugger,
    camel,
    detect,
    kebab,
    pascal,
    slugify,
    snake,
    split_words,
    title,
)


class TestSplitWords(unittest.TestCase):
    def test_signs_end_words(self):
        self.assertEqual(split_words("a-b_c d.e"), ["a", "b", "c", "d", "e"])

    def test_no_empty_words(self):
        self.assertEqual(split_words("__a--b  "), ["a", "b"])
        self.assertEqual(split_words(""), [])
        self.assertEqual(split_words("--"), [])

    def test_capital_after_small_letter(self):
        self.assertEqual(split_words("oneTwoThree"), ["one", "Two", "Three"])

    def test_capital_after_digit(self):
        self.assertEqual(split_words("v2Beta"), ["v2", "Beta"])
        self.assertEqual(split_words("v2BETA"), ["v2", "BETA"])
        self.assertEqual(split_words("top10list"), ["top10list"])

    def test_run_of_capitals(self):
        self.assertEqual(split_words("HTTPServer2Go"), ["HTTP", "Server2", "Go"])
        self.assertEqual(split_words("parseHTTP"), ["parse", "HTTP"])
        self.assertEqual(split_words("HTTP"), ["HTTP"])

    def test_capital_before_sign(self):
        self.assertEqual(split_words("AB_c"), ["AB", "c"])
        self.assertEqual(split_words("aB"), ["a", "B"])

    def test_single_capitals(self):
        self.assertEqual(split_words("ABTest"), ["AB", "Test"])
        self.assertEqual(split_words("aTest"), ["a", "Test"])


class TestCases(unittest.TestCase):
    def test_snake(self):
        self.assertEqual(snake("HTTPServer go"), "http_server_go")
        self.assertEqual(snake(""), "")

    def test_upper_snake(self):
        self.assertEqual(snake("maxSize", upper=True), "MAX_SIZE")

    def test_kebab(self):
        self.assertEqual(kebab("FooBar_baz"), "foo-bar-baz")

    def test_pascal(self):
        self.assertEqual(pascal("http server"), "HttpServer")
        self.assertEqual(pascal("HTTP_SERVER"), "HttpServer")
        self.assertEqual(pascal("a"), "A")

    def test_pascal_keeps_words(self):
        self.assertEqual(pascal("my_http_id", keep=("HTTP", "ID")), "MyHTTPID")
        self.assertEqual(pascal("MyHttp", keep=["HTTP"]), "MyHTTP")

    def test_camel(self):
        self.assertEqual(camel("HTTP server one"), "httpServerOne")
        self.assertEqual(camel("Word"), "word")
        self.assertEqual(camel("--"), "")


class TestTitle(unittest.TestCase):
    def test_small_words_inside(self):
        self.assertEqual(title("war and peace in the city"), "War and Peace in the City")
        self.assertEqual(title("Bread Or Wine"), "Bread or Wine")

    def test_small_words_at_the_ends(self):
        self.assertEqual(title("the end of"), "The End Of")
        self.assertEqual(title("a"), "A")
        self.assertEqual(title("of the"), "Of The")

    def test_inner_capitals_stay(self):
        self.assertEqual(title("my iPhone and USB sticks"), "My iPhone and USB Sticks")
        self.assertEqual(title("tHE x"), "tHE X")

    def test_white_space(self):
        self.assertEqual(title("  two\t words "), "Two Words")
        self.assertEqual(title(""), "")

    def test_inner_signs(self):
        self.assertEqual(title("don't re-do"), "Don't Re-do")


class TestDetect(unittest.TestCase):
    def test_forms(self):
        names = ("a_b", "A_B", "a-b", "aB1", "AbCd")
        self.assertEqual([detect(name) for name in names], ["snake", "upper", "kebab", "camel", "pascal"])

    def test_single_words(self):
        self.assertEqual([detect(name) for name in ("word", "WORD", "Word")], ["snake", "upper", "pascal"])

    def test_mixed(self):
        for name in ("a_B", "A-b", "a b", "HTTPServer", "_a"):
            self.assertIsNone(detect(name))

    def test_empty(self):
        self.assertIsNone(detect(""))


class TestSlugify(unittest.TestCase):
    def test_runs_become_one_separator(self):
        self.assertEqual(slugify("  a -- b!?c  "), "a-b-c")
        self.assertEqual(slugify("helloWorld 2"), "helloworld-2")

    def test_accents(self):
        self.assertEqual(slugify("Café Ünïted"), "cafe-united")

    def test_replacements(self):
        self.assertEqual(slugify("Straße & Ærø"), "strasse-and-aero")
        self.assertEqual(slugify("R&B"), "r-and-b")

    def test_other_letters_are_dropped(self):
        self.assertEqual(slugify("日本 x"), "x")
        self.assertEqual(slugify("日本"), "")

    def test_separator(self):
        self.assertEqual(slugify("a b c", "_"), "a_b_c")
        self.assertEqual(slugify("a b c", ""), "abc")

    def test_limit_drops_words(self):
        self.assertEqual(slugify("one two three", limit=9), "one-two")
        self.assertEqual(slugify("one two three", limit=6), "one")
        self.assertEqual(slugify("one two three", limit=11), "one-two")
        self.assertEqual(slugify("ab cd ef", "--", limit=6), "ab--cd")

    def test_limit_that_fits(self):
        self.assertEqual(slugify("one two", limit=7), "one-two")
        self.assertEqual(slugify("one two x", limit=7), "one-two")

    def test_limit_cuts_the_first_word(self):
        self.assertEqual(slugify("abcdef gh", limit=4), "abcd")
        self.assertEqual(slugify("abcdef", limit=0), "")


class TestSlugger(unittest.TestCase):
    def test_counts_up(self):
        slugger = Slugger()
        self.assertEqual([slugger.slug("A b") for _ in range(4)], ["a-b", "a-b-2", "a-b-3", "a-b-4"])

    def test_taken_beforehand(self):
        slugger = Slugger(["x", "x-2"])
        self.assertEqual([slugger.slug("x"), slugger.slug("y"), slugger.slug("X!")], ["x-3", "y", "x-4"])

    def test_numbered_title_is_taken(self):
        slugger = Slugger()
        self.assertEqual([slugger.slug(t) for t in ("a 2", "a", "a")], ["a-2", "a", "a-3"])

    def test_default_for_empty(self):
        slugger = Slugger()
        self.assertEqual([slugger.slug("?"), slugger.slug("!"), slugger.slug("", "none")], ["item", "item-2", "none"])

    def test_taken_set_is_not_shared(self):
        names = {"a"}
        Slugger(names).slug("b")
        self.assertEqual(names, {"a"})
        self.assertEqual([Slugger().slug("b"), Slugger().slug("b")], ["b", "b"])


if __name__ == "__main__":
    unittest.main()
