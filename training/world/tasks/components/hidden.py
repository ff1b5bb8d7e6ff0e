import unittest

from linkset.components import (
    DisjointSet,
    bridges,
    clusters,
    components,
    islands,
    strong_components,
)


def joined(*pairs, items=()):
    result = DisjointSet(items)
    for a, b in pairs:
        result.join(a, b)
    return result


class TestDisjointSet(unittest.TestCase):
    def test_empty(self):
        empty = DisjointSet()
        self.assertEqual((len(empty), empty.groups, empty.sets()), (0, 0, []))

    def test_add(self):
        groups = DisjointSet("aab")
        self.assertEqual((len(groups), groups.groups), (2, 2))
        self.assertIs(groups.add("c"), True)
        self.assertIs(groups.add("a"), False)
        self.assertEqual((len(groups), groups.groups), (3, 3))

    def test_adding_again_keeps_the_group(self):
        groups = joined("ab")
        groups.add("a"), groups.add("b")
        self.assertEqual((groups.groups, groups.size("b"), groups.same("a", "b")), (1, 2, True))

    def test_join_adds_unknown_items(self):
        groups = joined("ab")
        self.assertEqual((len(groups), groups.groups), (2, 1))

    def test_join_returns(self):
        groups = DisjointSet("abc")
        self.assertEqual([groups.join("a", "b"), groups.join("b", "a"), groups.join("c", "c")], [True, False, False])
        self.assertEqual(groups.groups, 2)

    def test_join_within_a_group_changes_nothing(self):
        groups = joined("ab", "bc", "ac", "ca")
        self.assertEqual((groups.groups, groups.size("a")), (1, 3))

    def test_joined_over_others(self):
        groups = joined("ab", "cd", "bc")
        self.assertTrue(groups.same("a", "d"))
        self.assertEqual([groups.size(item) for item in "abcd"], [4, 4, 4, 4])

    def test_find_of_equal_groups(self):
        self.assertEqual([joined("ab").find(item) for item in "ab"], ["a", "a"])
        self.assertEqual([joined("ba").find(item) for item in "ab"], ["b", "b"])

    def test_find_of_larger_group(self):
        groups = joined("ab", "xa")
        self.assertEqual([groups.find(item) for item in "abx"], ["a", "a", "a"])

    def test_find_after_long_chain(self):
        groups = joined((1, 2), (3, 4), (5, 6), (7, 8), (5, 7), (1, 3), (5, 1))
        self.assertEqual([groups.find(n) for n in range(1, 9)], [5] * 8)
        self.assertEqual([groups.find(n) for n in range(1, 9)], [5] * 8)

    def test_find_unknown(self):
        with self.assertRaises(KeyError):
            DisjointSet("a").find("b")

    def test_same_of_unknown(self):
        groups = DisjointSet("a")
        self.assertEqual([groups.same("a", "b"), groups.same("b", "a"), groups.same("b", "b")], [False] * 3)
        self.assertEqual((groups.same("a", "a"), len(groups)), (True, 1))

    def test_size_of_unknown(self):
        self.assertEqual([DisjointSet("a").size(item) for item in "ab"], [1, 0])

    def test_sets_order(self):
        groups = joined("zy", "dc", "ba", items="qzydcp")
        groups.join("e", "d")
        self.assertEqual(groups.sets(), [list("cde"), list("ab"), list("yz"), ["p"], ["q"]])


class TestComponents(unittest.TestCase):
    def test_nothing(self):
        self.assertEqual(components([]), [])

    def test_lone_nodes(self):
        self.assertEqual(components([(2, 3)], nodes=[1, 2]), [[2, 3], [1]])
        self.assertEqual(components([], nodes=[2, 1]), [[1], [2]])

    def test_edge_to_itself(self):
        self.assertEqual(components([(1, 1), (2, 3)]), [[2, 3], [1]])

    def test_order_of_edges_does_not_matter(self):
        edges = [(1, 2), (3, 4), (2, 3), (5, 6)]
        self.assertEqual(components(edges), components(edges[::-1]))


class TestBridges(unittest.TestCase):
    def test_chain(self):
        self.assertEqual(bridges([(3, 2), (2, 1)]), [(1, 2), (2, 3)])

    def test_ring_has_none(self):
        self.assertEqual(bridges([(1, 2), (2, 3), (3, 4), (4, 1)]), [])
        self.assertEqual(bridges([]), [])

    def test_two_rings(self):
        edges = [(1, 2), (2, 3), (3, 1), (6, 3), (6, 7), (7, 8), (8, 6)]
        self.assertEqual(bridges(edges), [(3, 6)])

    def test_double_edge(self):
        self.assertEqual(bridges([(1, 2), (2, 1), (2, 3)]), [(2, 3)])

    def test_edge_to_itself(self):
        self.assertEqual(bridges([(1, 1), (1, 2)]), [(1, 2)])


class TestStrong(unittest.TestCase):
    def test_nothing(self):
        self.assertEqual(strong_components({}), [])

    def test_chain(self):
        self.assertEqual(strong_components({"c": ["b"], "b": ["a"]}), [["c"], ["b"], ["a"]])

    def test_ring(self):
        self.assertEqual(strong_components({3: [1], 1: [2], 2: [3]}), [[1, 2, 3]])

    def test_rings_in_a_row(self):
        graph = {"y": ["z"], "z": ["y", "a"], "a": ["b"], "b": ["a", "m"], "m": []}
        self.assertEqual(strong_components(graph), [["y", "z"], ["a", "b"], ["m"]])

    def test_independent_groups_by_first_node(self):
        self.assertEqual(strong_components({"c": [], "b": ["d"], "a": []}), [["a"], ["b"], ["c"], ["d"]])
        self.assertEqual(strong_components({"b": ["a"], "c": []}), [["b"], ["a"], ["c"]])

    def test_leads_on_over_distance(self):
        self.assertEqual(strong_components({"z": ["y"], "y": ["a"], "b": []}), [["b"], ["z"], ["y"], ["a"]])

    def test_targets_as_sets_and_repeats(self):
        self.assertEqual(strong_components({1: [2, 2, 1], 2: {1}}), [[1, 2]])


class TestIslandsAndClusters(unittest.TestCase):
    def test_islands_touch_along_sides(self):
        self.assertEqual(islands(["#.#", "###", "..."]), [5])
        self.assertEqual(islands(["#.", ".#"]), [1, 1])
        self.assertEqual(islands([]), [])

    def test_islands_touch_at_corners(self):
        self.assertEqual(islands(["#.", ".#"], diagonal=True), [2])
        self.assertEqual(islands([".#", "#."], diagonal=True), [2])
        self.assertEqual(islands(["#.#"], diagonal=True), [1, 1])

    def test_islands_of_other_land(self):
        self.assertEqual(islands(["ab#", "..a"], land="ab"), [2, 1])
        self.assertEqual(islands(["#", "##", ".", "#"]), [3, 1])

    def test_clusters_gap_is_inclusive(self):
        self.assertEqual(clusters([1, 4, 7, 11], 3), [[1, 4, 7], [11]])
        self.assertEqual(clusters([1, 1, 2], 0), [[1, 1], [2]])

    def test_clusters_are_sorted(self):
        values = [9, 1, 8, -2]
        self.assertEqual(clusters(values, 1), [[-2], [1], [8, 9]])
        self.assertEqual(values, [9, 1, 8, -2])
        self.assertEqual(clusters([], 1), [])


if __name__ == "__main__":
    unittest.main()
