import unittest

from stencil.template import Template, TemplateError, lookup, render


class TestTemplate(unittest.TestCase):
    def test_placeholder(self):
        self.assertEqual(render("Hello {{ name }}!", name="Ann"), "Hello Ann!")

    def test_lookup(self):
        self.assertEqual(lookup({"a": {"b": 3}}, "a.b"), 3)
        self.assertIsNone(lookup({}, "a"))

    def test_filter(self):
        self.assertEqual(render("{{ name|upper }}", name="ann"), "ANN")

    def test_default(self):
        self.assertEqual(render("{{ name ? nobody }}"), "nobody")

    def test_condition(self):
        template = Template("{{ if ok }}yes{{ else }}no{{ end }}")
        self.assertEqual(template.render({"ok": True}), "yes")
        self.assertEqual(template.render({"ok": False}), "no")

    def test_loop(self):
        self.assertEqual(render("{{ each x in xs }}<{{ x }}>{{ end }}", xs=[1, 2]), "<1><2>")

    def test_unclosed_block_raises(self):
        with self.assertRaises(TemplateError):
            Template("{{ if a }}x")

    def test_strict(self):
        with self.assertRaises(TemplateError):
            Template("{{ name }}", strict=True).render({})
