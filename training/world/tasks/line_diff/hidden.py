import unittest

from linediff.compare import Edit, PatchError, diff, hunks, lcs_length, patch, similarity, unified


def signs(edits):
    return " ".join((edit.sign + edit.line).replace(" ", "=") for edit in edits)


def compare(old, new, **options):
    return signs(diff(old.split(), new.split(), **options))


class TestLcs(unittest.TestCase):
    def test_nothing_in_common(self):
        self.assertEqual(lcs_length(["a"], ["b"]), 0)
        self.assertEqual(lcs_length([], ["b"]), 0)
        self.assertEqual(lcs_length([], []), 0)

    def test_equal(self):
        self.assertEqual(lcs_length(list("abc"), list("abc")), 3)

    def test_order_counts(self):
        self.assertEqual(lcs_length(list("abc"), list("cba")), 1)
        self.assertEqual(lcs_length(list("abcbdab"), list("bdcaba")), 4)

    def test_case_counts(self):
        self.assertEqual(lcs_length(["A"], ["a"]), 0)


class TestDiff(unittest.TestCase):
    def test_equal_lines(self):
        self.assertEqual(compare("a b", "a b"), "=a =b")
        self.assertEqual(diff([], []), [])

    def test_added_and_removed_at_the_ends(self):
        self.assertEqual(compare("b", "a b c"), "+a =b +c")
        self.assertEqual(compare("a b c", "b"), "-a =b -c")

    def test_from_and_to_nothing(self):
        self.assertEqual(compare("", "a b"), "+a +b")
        self.assertEqual(compare("a b", ""), "-a -b")

    def test_removed_before_added(self):
        self.assertEqual(compare("a b", "x y"), "-a -b +x +y")
        self.assertEqual(compare("a b z", "x y z"), "-a -b +x +y =z")

    def test_keeps_as_many_as_possible(self):
        self.assertEqual(compare("a b c d", "b c d a"), "-a =b =c =d +a")
        self.assertEqual(compare("x a", "a b x a"), "+a +b =x =a")

    def test_repeated_lines(self):
        self.assertEqual(compare("a a", "a a a"), "=a =a +a")

    def test_numbers(self):
        edits = diff(["a", "b", "c"], ["b", "x", "c"])
        self.assertEqual([(e.sign, e.old, e.new) for e in edits], [("-", 0, 0), (" ", 1, 0), ("+", 2, 1), (" ", 2, 2)])

    def test_ignore_case(self):
        self.assertEqual(compare("A b", "a B", ignore_case=True), "=a =B")
        self.assertEqual(compare("A", "a"), "-A +a")

    def test_ignore_space(self):
        old, new = ["a  b", "c"], ["ab", " c\t"]
        self.assertEqual([e.line for e in diff(old, new, ignore_space=True)], new)
        self.assertEqual(len(diff(old, new)), 4)
        self.assertEqual(len(diff(["A b"], ["ab"], ignore_space=True)), 2)

    def test_ignore_both(self):
        self.assertEqual(len(diff(["A b"], ["aB "], True, True)), 1)


class TestHunks(unittest.TestCase):
    def groups(self, old, new, context):
        return [signs(group) for group in hunks(diff(list(old), list(new)), context)]

    def test_no_changes(self):
        self.assertEqual(self.groups("abc", "abc", 3), [])
        self.assertEqual(hunks([]), [])

    def test_context(self):
        self.assertEqual(self.groups("abcde", "abXde", 1), ["=b -c +X =d"])
        self.assertEqual(self.groups("abcde", "abXde", 0), ["-c +X"])
        self.assertEqual(self.groups("abcde", "abXde", 9), ["=a =b -c +X =d =e"])

    def test_default_context(self):
        groups = hunks(diff(list("abcdefghi"), list("abcdXfghi")))
        self.assertEqual([len(group) for group in groups], [8])

    def test_touching_contexts_join(self):
        self.assertEqual(self.groups("1abc2", "abc", 1), ["-1 =a", "=c -2"])
        self.assertEqual(self.groups("1ab2", "ab", 1), ["-1 =a =b -2"])
        self.assertEqual(self.groups("1a2", "a", 1), ["-1 =a -2"])

    def test_changes_without_context_are_apart(self):
        self.assertEqual(self.groups("1a2", "a", 0), ["-1", "-2"])


class TestUnified(unittest.TestCase):
    def test_equal(self):
        self.assertEqual(unified(["a"], ["a"]), [])

    def test_single_lines(self):
        self.assertEqual(unified(["a"], ["b"]), ["@@ -1 +1 @@", "-a", "+b"])

    def test_empty_ranges(self):
        self.assertEqual(unified([], ["a", "b"]), ["@@ -0,0 +1,2 @@", "+a", "+b"])
        self.assertEqual(unified(["a"], []), ["@@ -1 +0,0 @@", "-a"])
        self.assertEqual(unified(["a", "c"], ["a", "b", "c"], 0), ["@@ -1,0 +2 @@", "+b"])

    def test_several_hunks(self):
        lines = unified(list("abcdefgh"), list("Xbcdefgh") + ["i"], context=1)
        self.assertEqual(lines, ["@@ -1,2 +1,2 @@", "-a", "+X", " b", "@@ -8 +8,2 @@", " h", "+i"])

    def test_numbers_after_a_shift(self):
        lines = unified(list("abcdefgh"), list("xyabcdefg"), context=1)
        self.assertEqual([line for line in lines if line[0] == "@"], ["@@ -1 +1,3 @@", "@@ -7,2 +9 @@"])

    def test_default_context(self):
        lines = unified(list("abcdefghi"), list("abcdXfghi"))
        self.assertEqual(lines[0], "@@ -2,7 +2,7 @@")


class TestPatch(unittest.TestCase):
    PAIRS = [("abc", "axc"), ("", "ab"), ("ab", ""), ("abcdef", "xbdefy"), ("aab", "aba"), ("abc", "abc")]

    def test_whole_diff(self):
        for old, new in self.PAIRS:
            self.assertEqual(patch(list(old), diff(list(old), list(new))), list(new))

    def test_hunks_are_enough(self):
        for old, new in self.PAIRS + [("abcdefgh", "Xbcdefgy")]:
            edits = [edit for group in hunks(diff(list(old), list(new)), 0) for edit in group]
            self.assertEqual(patch(list(old), edits), list(new))

    def test_no_edits(self):
        lines = ["a"]
        self.assertEqual(patch(lines, []), ["a"])
        self.assertIsNot(patch(lines, []), lines)

    def test_other_line(self):
        with self.assertRaises(PatchError) as caught:
            patch(["a", "z"], diff(["a", "b"], ["a", "c"]))
        self.assertEqual(str(caught.exception), "line 2 is not 'b'")
        with self.assertRaises(PatchError):
            patch(["z"], [Edit(" ", "a", 0, 0)])

    def test_too_few_lines(self):
        with self.assertRaises(PatchError) as caught:
            patch(["a"], diff(["a", "b"], ["a"]))
        self.assertEqual(str(caught.exception), "line 2 is not 'b'")

    def test_argument_is_not_changed(self):
        lines = ["a", "b"]
        patch(lines, diff(lines, ["x"]))
        self.assertEqual(lines, ["a", "b"])


class TestSimilarity(unittest.TestCase):
    def test_ends_of_the_scale(self):
        self.assertEqual(similarity([], []), 1.0)
        self.assertEqual(similarity(["a"], ["a"]), 1.0)
        self.assertEqual(similarity(["a"], ["b"]), 0.0)
        self.assertEqual(similarity(["a"], []), 0.0)

    def test_between(self):
        self.assertEqual(similarity(list("abcd"), list("ab")), 0.667)
        self.assertEqual(similarity(list("abc"), list("xbcde")), 0.5)


if __name__ == "__main__":
    unittest.main()
