import unittest

from confkit.ini import ConfigError, get, merge, parse_config, parse_value, render, strip_comment

TEXT = """
name = demo
[server]
port = 8080
debug = yes
"""


class TestConfig(unittest.TestCase):
    def test_parses_sections_and_pairs(self):
        expected = {"": {"name": "demo"}, "server": {"port": 8080, "debug": True}}
        self.assertEqual(parse_config(TEXT), expected)

    def test_value_types(self):
        self.assertEqual(parse_value("12"), 12)
        self.assertEqual(parse_value("1.5"), 1.5)
        self.assertEqual(parse_value("hello"), "hello")
        self.assertIs(parse_value("true"), True)
        self.assertIs(parse_value("off"), False)

    def test_comment_is_cut(self):
        self.assertEqual(strip_comment("a = 1 # first"), "a = 1")
        self.assertEqual(strip_comment("# all of it"), "")

    def test_bad_line_raises(self):
        with self.assertRaises(ConfigError):
            parse_config("just some words")

    def test_get(self):
        config = parse_config(TEXT)
        self.assertEqual(get(config, "server.port"), 8080)
        self.assertEqual(get(config, "server.host", "localhost"), "localhost")

    def test_merge(self):
        merged = merge({"a": {"x": 1}}, {"a": {"y": 2}, "b": {"z": 3}})
        self.assertEqual(merged, {"a": {"x": 1, "y": 2}, "b": {"z": 3}})

    def test_render(self):
        self.assertEqual(render({"a": {"x": 1, "y": True}}), "[a]\nx = 1\ny = true\n")
