import unittest

from linkset.components import (
    DisjointSet,
    bridges,
    clusters,
    components,
    islands,
    strong_components,
)


class TestComponents(unittest.TestCase):
    def test_join_and_same(self):
        joined = DisjointSet("abc")
        self.assertTrue(joined.join("a", "b"))
        self.assertTrue(joined.same("a", "b"))
        self.assertFalse(joined.same("a", "c"))

    def test_groups_and_sizes(self):
        joined = DisjointSet("abcd")
        joined.join("a", "b")
        self.assertEqual((len(joined), joined.groups, joined.size("a")), (4, 3, 2))

    def test_sets(self):
        joined = DisjointSet("abc")
        joined.join("b", "c")
        self.assertEqual(joined.sets(), [["b", "c"], ["a"]])

    def test_components(self):
        self.assertEqual(components([(1, 2), (2, 3), (4, 5)]), [[1, 2, 3], [4, 5]])

    def test_bridges(self):
        self.assertEqual(bridges([(1, 2), (2, 3), (3, 1), (3, 4)]), [(3, 4)])

    def test_strong_components(self):
        self.assertEqual(strong_components({"a": ["b"], "b": ["a", "c"]}), [["a", "b"], ["c"]])

    def test_islands(self):
        self.assertEqual(islands(["##.", "..#"]), [2, 1])

    def test_clusters(self):
        self.assertEqual(clusters([1, 2, 9, 10], 3), [[1, 2], [9, 10]])
