import unittest

from stencil.template import Template, TemplateError, lookup, render


class Base(unittest.TestCase):
    def assert_error(self, message, call, *arguments, **options):
        with self.assertRaises(TemplateError) as caught:
            call(*arguments, **options)
        self.assertEqual(str(caught.exception), message)
        self.assertTrue(message.endswith(f"(line {caught.exception.line})"))


class TestLookup(Base):
    def test_nested(self):
        self.assertEqual(lookup({"a": [{"b": 1}, {"b": 2}]}, "a.1.b"), 2)

    def test_list_bounds(self):
        self.assertEqual(lookup(["x", "y"], "0"), "x")
        self.assertEqual(lookup(("x", "y"), "1"), "y")
        self.assertEqual(lookup(["x", "y"], "2", "none"), "none")
        self.assertEqual(lookup(["x", "y"], "-1", "none"), "none")

    def test_missing_at_any_step(self):
        self.assertEqual(lookup({"a": {}}, "a.b.c", 7), 7)
        self.assertEqual(lookup({"a": 1}, "a.b", 7), 7)
        self.assertEqual(lookup({"a": "text"}, "a.0", 7), 7)

    def test_none_and_falsy_are_values(self):
        self.assertIsNone(lookup({"a": None}, "a", 7))
        self.assertEqual(lookup({"a": 0}, "a", 7), 0)

    def test_number_as_key_of_a_dict(self):
        self.assertEqual(lookup({"0": "zero"}, "0"), "zero")


class TestValues(Base):
    def test_text_without_tags(self):
        self.assertEqual(render("a { b } }}"), "a { b } }}")
        self.assertEqual(render(""), "")

    def test_blanks_in_tags_do_not_matter(self):
        self.assertEqual(render("{{a}}-{{  a  }}-{{\na }}", a=1), "1-1-1")

    def test_text_around_stays(self):
        self.assertEqual(render(" {{ a }}\n{{ a }} \n", a="x"), " x\nx \n")

    def test_missing_is_empty(self):
        self.assertEqual(render("<{{ a }}{{ b.c }}>", b={}), "<>")

    def test_none_is_empty(self):
        self.assertEqual(render("<{{ a }}>", a=None), "<>")

    def test_falsy_values_are_shown(self):
        self.assertEqual(render("{{ a }}{{ b ? x }}{{ c ? y }}.", a=0, b=False, c=""), "0False.")

    def test_default_for_missing_and_none(self):
        self.assertEqual(render("{{ a ? one two }},{{ b?x }}", b=None), "one two,x")

    def test_default_is_not_used(self):
        self.assertEqual(render("{{ a ? x }}", a=1), "1")

    def test_values_are_not_expanded_again(self):
        self.assertEqual(render("{{ a }}", a="{{ b }}", b=1), "{{ b }}")


class TestFilters(Base):
    def test_plain_filters(self):
        self.assertEqual(render("{{ a|upper }}{{ b|trim }}{{ c|count }}", a="x", b=" y ", c=[1, 2]), "Xy2")

    def test_join(self):
        self.assertEqual(render("{{ a|join }}", a=[1, 2, 3]), "1, 2, 3")
        self.assertEqual(render("{{ a|join:/ }}", a=[1, 2, 3]), "1/2/3")
        self.assertEqual(render("{{ a|join: }}", a=[1, 2]), "12")

    def test_first(self):
        self.assertEqual(render("{{ a|first }}", a="xyz"), "x")
        self.assertEqual(render("{{ a|first:2 }}", a="xyz"), "xy")

    def test_chain_runs_from_left_to_right(self):
        self.assertEqual(render("{{ a | first:2 | join:- | upper }}", a=["x", "y", "z"]), "X-Y")

    def test_filters_skip_missing_values(self):
        self.assertEqual(render("<{{ a|count }}{{ a|join ? none }}>"), "<none>")

    def test_unknown_filter(self):
        self.assert_error("unknown filter shout (line 1)", render, "{{ a|shout }}", a=1)
        self.assert_error("unknown filter x (line 2)", render, "\n{{ a|upper|x:1 }}", a=1)


class TestBlocks(Base):
    def test_if_without_else(self):
        template = Template("[{{ if a.b }}x{{ end }}]")
        self.assertEqual(template.render({"a": {"b": 1}}), "[x]")
        self.assertEqual(template.render({"a": {"b": []}}), "[]")
        self.assertEqual(template.render({}), "[]")

    def test_else(self):
        self.assertEqual(render("{{ if a }}{{ a }}{{ else }}none{{ end }}!", a=0), "none!")
        self.assertEqual(render("{{ if a }}{{ a }}{{ else }}none{{ end }}!", a=5), "5!")

    def test_nested_ifs(self):
        template = Template("{{ if a }}1{{ if b }}2{{ else }}3{{ end }}4{{ else }}5{{ end }}6")
        cases = [({"a": 1, "b": 1}, "1246"), ({"a": 1}, "1346"), ({"b": 1}, "56")]
        self.assertEqual([template.render(data) for data, _ in cases], [text for _, text in cases])

    def test_each_with_number(self):
        self.assertEqual(render("{{ each x in xs }}{{ number }}:{{ x.n }} {{ end }}", xs=[{"n": 7}, {"n": 8}]), "1:7 2:8 ")

    def test_each_of_nothing(self):
        self.assertEqual(render("<{{ each x in xs }}a{{ end }}{{ each x in y }}b{{ end }}>", xs=[], y=None), "<>")

    def test_each_sees_outer_names(self):
        self.assertEqual(render("{{ each x in xs }}{{ x }}{{ y }}{{ end }}{{ x ? - }}", xs=[1, 2], y="!"), "1!2!-")

    def test_each_hides_outer_name(self):
        self.assertEqual(render("{{ each x in xs }}{{ x }}{{ end }}{{ x }}", xs=[1, 2], x=9), "129")

    def test_nested_each(self):
        text = "{{ each r in rows }}{{ each c in r }}{{ c }}{{ number }},{{ end }};{{ number }} {{ end }}"
        self.assertEqual(render(text, rows=[[5, 6], [7]]), "51,62,;1 71,;2 ")

    def test_data_is_not_changed(self):
        data = {"xs": [1], "x": 9}
        Template("{{ each x in xs }}{{ x }}{{ end }}").render(data)
        self.assertEqual(data, {"xs": [1], "x": 9})

    def test_words_that_are_no_blocks(self):
        self.assertEqual(render("{{ if }}{{ each }}", **{"if": 1, "each": 2}), "12")


class TestErrors(Base):
    def test_unclosed_blocks(self):
        self.assert_error("if is not closed (line 2)", Template, "a\n{{ if b }}\n\n")
        self.assert_error("each is not closed (line 1)", Template, "{{ each x in y }}{{ if x }}{{ end }}")
        self.assert_error("if is not closed (line 1)", Template, "{{ if a }}b{{ else }}c")

    def test_closing_too_much(self):
        self.assert_error("unexpected end (line 1)", Template, "{{ end }}\n")
        self.assert_error("unexpected else (line 3)", Template, "\n\n{{ else }}")
        self.assert_error("if is not closed (line 1)", Template, "{{ if a }}{{ else }}{{ else }}{{ end }}")
        self.assert_error("each is not closed (line 1)", Template, "{{ each x in y }}{{ else }}{{ end }}")

    def test_strict(self):
        self.assert_error("no value for a.b (line 2)", Template("\n{{ a.b }}", strict=True).render, {"a": {}})
        self.assertEqual(Template("{{ a }}{{ b ? x }}", strict=True).render({"a": None}), "x")
        self.assertEqual(Template("{{ if a }}{{ b }}{{ end }}.", strict=True).render({}), ".")


if __name__ == "__main__":
    unittest.main()
