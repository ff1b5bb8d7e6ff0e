import unittest

from linediff.compare import PatchError, diff, hunks, lcs_length, patch, similarity, unified


def signs(edits):
    return [edit.sign + edit.line for edit in edits]


class TestCompare(unittest.TestCase):
    def test_lcs_length(self):
        self.assertEqual(lcs_length(list("abcd"), list("acd")), 3)

    def test_diff(self):
        self.assertEqual(signs(diff(["a", "b", "c"], ["a", "x", "c"])), [" a", "-b", "+x", " c"])

    def test_ignore_case(self):
        self.assertEqual(signs(diff(["A"], ["a"], ignore_case=True)), [" a"])

    def test_hunks(self):
        groups = hunks(diff(list("abcdefgh"), list("abcxefgh")), context=1)
        self.assertEqual([signs(group) for group in groups], [[" c", "-d", "+x", " e"]])

    def test_unified(self):
        expected = ["@@ -1,3 +1,3 @@", " a", "-b", "+x", " c"]
        self.assertEqual(unified(["a", "b", "c"], ["a", "x", "c"]), expected)

    def test_patch(self):
        old, new = ["a", "b", "c"], ["a", "x", "c"]
        self.assertEqual(patch(old, diff(old, new)), new)

    def test_patch_that_does_not_fit(self):
        with self.assertRaises(PatchError):
            patch(["z"], diff(["a"], ["b"]))

    def test_similarity(self):
        self.assertEqual(similarity(["a", "b"], ["a", "c"]), 0.5)
