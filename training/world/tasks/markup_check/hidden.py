import unittest

from tagcheck.markup import check_brackets, check_tags, max_depth, outline, repair_brackets


class CheckBracketsTest(unittest.TestCase):
    def test_no_brackets(self):
        self.assertIsNone(check_brackets(""))
        self.assertIsNone(check_brackets("plain text"))

    def test_every_pair(self):
        for text in ("()", "[]", "{}", "([{}])", "()[]{}"):
            self.assertIsNone(check_brackets(text))

    def test_unexpected_closer(self):
        self.assertEqual(check_brackets("]"), (0, "unexpected"))
        self.assertEqual(check_brackets("()x)"), (3, "unexpected"))

    def test_mismatched_closer(self):
        self.assertEqual(check_brackets("([)]"), (2, "mismatched"))
        self.assertEqual(check_brackets("a{b)"), (3, "mismatched"))

    def test_unclosed_names_the_innermost(self):
        self.assertEqual(check_brackets("((a)"), (0, "unclosed"))
        self.assertEqual(check_brackets("x([a"), (2, "unclosed"))

    def test_first_fault_wins(self):
        self.assertEqual(check_brackets("(] ) ["), (1, "mismatched"))

    def test_brackets_in_quotes_are_ignored(self):
        self.assertIsNone(check_brackets("f(')')"))
        self.assertIsNone(check_brackets('f("(")'))

    def test_other_quote_inside_quotes(self):
        self.assertIsNone(check_brackets('"it\'s )" ()'))

    def test_backslash_hides_a_quote(self):
        self.assertIsNone(check_brackets(r'"a\")" ()'))
        self.assertEqual(check_brackets(r'"a\\")'), (5, "unexpected"))

    def test_backslash_outside_of_quotes_is_plain(self):
        self.assertEqual(check_brackets("\\)"), (1, "unexpected"))

    def test_brackets_after_quotes_count(self):
        self.assertEqual(check_brackets("'a' )"), (4, "unexpected"))

    def test_quotes_can_be_switched_off(self):
        self.assertEqual(check_brackets("')'", quotes=""), (1, "unexpected"))
        self.assertIsNone(check_brackets("it's (', )", quotes='"'))


class RepairBracketsTest(unittest.TestCase):
    def test_balanced_text_is_kept(self):
        for text in ("", "abc", "a(b[c]{d})e"):
            self.assertEqual(repair_brackets(text), text)

    def test_stray_closers_are_dropped(self):
        self.assertEqual(repair_brackets("a)b]"), "ab")
        self.assertEqual(repair_brackets("()) x"), "() x")

    def test_missing_closers_come_innermost_first(self):
        self.assertEqual(repair_brackets("({["), "({[]})")

    def test_crossing_closer_closes_the_inner_pair(self):
        self.assertEqual(repair_brackets("([)"), "([])")
        self.assertEqual(repair_brackets("(a[b)c]"), "(a[b])c")
        self.assertEqual(repair_brackets("({[x)"), "({[x]})")

    def test_closer_of_another_kind_is_dropped(self):
        self.assertEqual(repair_brackets("(]a)"), "(a)")

    def test_same_kind_nested(self):
        self.assertEqual(repair_brackets("((a)"), "((a))")


class MaxDepthTest(unittest.TestCase):
    def test_flat_text(self):
        self.assertEqual(max_depth(""), 0)
        self.assertEqual(max_depth("abc"), 0)

    def test_neighbours_do_not_add_up(self):
        self.assertEqual(max_depth("()()()"), 1)
        self.assertEqual(max_depth("([])(x)"), 2)

    def test_mixed_kinds(self):
        self.assertEqual(max_depth("{[(())]}[]"), 4)

    def test_unbalanced_raises(self):
        for text, message in (("(", "unclosed bracket at 0"), ("a)", "unexpected bracket at 1")):
            with self.assertRaisesRegex(ValueError, message):
                max_depth(text)

    def test_quotes_hide_nothing(self):
        with self.assertRaises(ValueError):
            max_depth("'('")
        self.assertEqual(max_depth("'(())'"), 2)


class CheckTagsTest(unittest.TestCase):
    def test_no_tags(self):
        self.assertEqual(check_tags(""), [])
        self.assertEqual(check_tags("1 < 2 > 0"), [])

    def test_void_elements_need_no_closing(self):
        self.assertEqual(check_tags("<br><HR><img src='x'><item/>"), [])

    def test_names_ignore_case(self):
        self.assertEqual(check_tags("<P>x</p><b>y</B>"), [])
        self.assertEqual(check_tags("<P>"), ["line 1: <p> is never closed"])

    def test_attributes_are_passed_over(self):
        self.assertEqual(check_tags("<a href='x'>y</a>"), [])

    def test_line_numbers(self):
        faults = check_tags("<p>\n\n</b>\n</p>\n<i>")
        self.assertEqual(faults, ["line 3: </b> was never opened", "line 5: <i> is never closed"])

    def test_crossing_elements(self):
        self.assertEqual(
            check_tags("<a><b><c></a>"),
            ["line 1: </a> closes <c> too", "line 1: </a> closes <b> too"],
        )

    def test_crossed_element_is_closed(self):
        self.assertEqual(
            check_tags("<a><b></a></b>"),
            ["line 1: </a> closes <b> too", "line 1: </b> was never opened"],
        )

    def test_faults_in_order_of_lines(self):
        faults = check_tags("<p>\n</b>")
        self.assertEqual(faults, ["line 1: <p> is never closed", "line 2: </b> was never opened"])

    def test_allowed_tags(self):
        self.assertEqual(check_tags("<p><br></p>", {"p", "br"}), [])
        self.assertEqual(check_tags("<p></p><b></b>", {"p"}), ["line 1: <b> is not allowed"])
        self.assertEqual(check_tags("<br>", set()), ["line 1: <br> is not allowed"])


class OutlineTest(unittest.TestCase):
    def test_depth(self):
        self.assertEqual(outline("<a><b><c></c></b><d></d></a><e></e>"), "a\n  b\n    c\n  d\ne")

    def test_void_elements(self):
        self.assertEqual(outline("<p><br>x<I/></p>"), "p\n  br/\n  i/")

    def test_stray_closers_and_own_indent(self):
        self.assertEqual(outline("</x><a><b>", indent="-"), "a\n-b")
        self.assertEqual(outline("text"), "")


if __name__ == "__main__":
    unittest.main()
