import unittest

from tagcheck.markup import check_brackets, check_tags, max_depth, outline, repair_brackets


class BracketsTest(unittest.TestCase):
    def test_balanced(self):
        self.assertIsNone(check_brackets("f(a[0], {b: 1})"))

    def test_faults(self):
        self.assertEqual(check_brackets("a)"), (1, "unexpected"))
        self.assertEqual(check_brackets("(a]"), (2, "mismatched"))
        self.assertEqual(check_brackets("(a"), (0, "unclosed"))

    def test_repair_adds_closer(self):
        self.assertEqual(repair_brackets("(a"), "(a)")
        self.assertEqual(repair_brackets("(a)"), "(a)")

    def test_max_depth(self):
        self.assertEqual(max_depth("(a(b))"), 2)


class TagsTest(unittest.TestCase):
    def test_sound_markup(self):
        self.assertEqual(check_tags("<p>Hello <b>you</b></p>"), [])

    def test_unclosed_element(self):
        self.assertEqual(check_tags("<p>Hello"), ["line 1: <p> is never closed"])

    def test_stray_closing_tag(self):
        self.assertEqual(check_tags("a</b>"), ["line 1: </b> was never opened"])

    def test_outline(self):
        self.assertEqual(outline("<div><p>x</p></div>"), "div\n  p")


if __name__ == "__main__":
    unittest.main()
