import unittest

from confkit.ini import ConfigError, get, merge, parse_config, parse_value, render, strip_comment


class TestStripComment(unittest.TestCase):
    def test_comment_at_line_start(self):
        self.assertEqual(strip_comment("#x"), "")
        self.assertEqual(strip_comment("; x"), "")

    def test_comment_after_blank(self):
        self.assertEqual(strip_comment("a = 1 # c"), "a = 1")
        self.assertEqual(strip_comment("a = 1\t; c"), "a = 1")

    def test_sign_inside_a_word_is_kept(self):
        self.assertEqual(strip_comment("color = a#fff"), "color = a#fff")
        self.assertEqual(strip_comment("x = a;b"), "x = a;b")

    def test_sign_inside_quotes_is_kept(self):
        self.assertEqual(strip_comment('x = "a # b"'), 'x = "a # b"')

    def test_comment_after_closed_quotes(self):
        self.assertEqual(strip_comment('x = "a" # b'), 'x = "a"')

    def test_first_comment_sign_counts(self):
        self.assertEqual(strip_comment("a ; b # c"), "a")

    def test_strips_white_space(self):
        self.assertEqual(strip_comment("  a = 1  "), "a = 1")


class TestParseValue(unittest.TestCase):
    def test_empty_is_none(self):
        self.assertIsNone(parse_value(""))
        self.assertIsNone(parse_value("   "))

    def test_words_of_truth(self):
        for word in ("true", "Yes", "ON"):
            self.assertIs(parse_value(word), True)

    def test_words_of_falsehood(self):
        for word in ("false", "No", "OFF"):
            self.assertIs(parse_value(word), False)

    def test_integers(self):
        self.assertEqual(repr(parse_value("7")), "7")
        self.assertEqual(repr(parse_value("-3")), "-3")
        self.assertEqual(repr(parse_value("1")), "1")
        self.assertEqual(repr(parse_value("0")), "0")

    def test_floats(self):
        self.assertEqual(repr(parse_value("2.0")), "2.0")
        self.assertEqual(parse_value("1e3"), 1000.0)

    def test_text(self):
        self.assertEqual(parse_value(" two words "), "two words")

    def test_quoted_text_is_not_converted(self):
        self.assertEqual(parse_value('"42"'), "42")
        self.assertEqual(parse_value('"yes"'), "yes")

    def test_quoted_blank_is_kept(self):
        self.assertEqual(parse_value('" a "'), " a ")
        self.assertEqual(parse_value('""'), "")

    def test_lone_quote_is_text(self):
        self.assertEqual(parse_value('"'), '"')
        self.assertEqual(parse_value('"abc'), '"abc')
        self.assertEqual(parse_value('abc"'), 'abc"')


class TestParseConfig(unittest.TestCase):
    def assert_error(self, text, line_number, part):
        with self.assertRaises(ConfigError) as caught:
            parse_config(text)
        self.assertEqual(caught.exception.line_number, line_number)
        self.assertIn(part, str(caught.exception))
        self.assertTrue(str(caught.exception).startswith(f"line {line_number}: "))

    def test_empty_text(self):
        self.assertEqual(parse_config(""), {})
        self.assertEqual(parse_config("\n# x\n"), {})

    def test_empty_section_is_kept(self):
        self.assertEqual(parse_config("[a]\n[ b ]\n"), {"a": {}, "b": {}})

    def test_keys_are_lowered_and_sections_are_not(self):
        self.assertEqual(parse_config("[Big]\nKey = Val"), {"Big": {"key": "Val"}})

    def test_first_equals_splits(self):
        self.assertEqual(parse_config("url = a=b=c"), {"": {"url": "a=b=c"}})

    def test_section_goes_on(self):
        text = "[a]\nx = 1\n[b]\ny = 2\n[a]\nz = 3"
        self.assertEqual(parse_config(text), {"a": {"x": 1, "z": 3}, "b": {"y": 2}})

    def test_same_key_in_two_sections(self):
        self.assertEqual(parse_config("x = 1\n[a]\nx = 2"), {"": {"x": 1}, "a": {"x": 2}})

    def test_repeated_key_raises(self):
        self.assert_error("[a]\nx = 1\n\nX = 2", 4, "given twice")
        self.assert_error("[a]\nx = 1\n[a]\nx = 1", 4, "'x'")

    def test_line_without_equals_raises(self):
        self.assert_error("a = 1\nword", 2, "expected key")

    def test_empty_key_raises(self):
        self.assert_error(" = 1", 1, "expected key")

    def test_bad_headers_raise(self):
        self.assert_error("[a", 1, "not closed")
        self.assert_error("x = 1\n[ ]", 2, "empty")

    def test_comments_and_values_without_text(self):
        self.assertEqual(parse_config("a = # nothing\n[s] ; c\nb ="), {"": {"a": None}, "s": {"b": None}})


class TestGetMergeRender(unittest.TestCase):
    def test_get_without_dot(self):
        self.assertEqual(get({"": {"a": 1}}, "A"), 1)
        self.assertEqual(get({"s": {"a": 1}}, "a", 9), 9)

    def test_get_splits_at_the_last_dot(self):
        self.assertEqual(get({"a.b": {"c": 5}}, "a.b.c"), 5)

    def test_get_missing_and_none(self):
        self.assertIsNone(get({}, "a.b"))
        self.assertEqual(get({}, "a.b", 3), 3)
        self.assertIsNone(get({"a": {"b": None}}, "a.b", 3))
        self.assertEqual(get({"a": {"b": 0}}, "a.b", 3), 0)

    def test_merge_overrides_and_removes(self):
        merged = merge({"a": {"x": 1, "y": 2}}, {"a": {"x": 0, "y": None, "q": None}})
        self.assertEqual(merged, {"a": {"x": 0}})

    def test_merge_leaves_its_arguments(self):
        base, override = {"a": {"x": 1}}, {"a": {"x": 2}, "b": {"y": 3}}
        merged = merge(base, override)
        merged["b"]["z"] = 4
        self.assertEqual(base, {"a": {"x": 1}})
        self.assertEqual(override, {"a": {"x": 2}, "b": {"y": 3}})

    def test_render_order_and_blank_lines(self):
        config = {"b": {"y": False, "x": 2.5}, "": {"k": None}, "a": {}}
        self.assertEqual(render(config), "k =\n\n[a]\n\n[b]\nx = 2.5\ny = false\n")
        self.assertEqual(render({}), "")

    def test_render_quotes_only_what_needs_it(self):
        config = {"a": {"n": "12", "t": "yes", "e": "", "h": "a #b", "p": "plain", "w": " x"}}
        lines = render(config).splitlines()
        self.assertEqual(lines[1:], ['e = ""', 'h = "a #b"', 'n = "12"', "p = plain", 't = "yes"', 'w = " x"'])
        self.assertEqual(parse_config(render(config)), config)


if __name__ == "__main__":
    unittest.main()
