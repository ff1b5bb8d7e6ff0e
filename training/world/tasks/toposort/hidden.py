import unittest

from dagorder.toposort import (
    CycleError,
    critical_path,
    find_cycle,
    layers,
    needed_by,
    needs,
    reduce,
    toposort,
)

DIAMOND = {"d": ["b", "c"], "b": ["a"], "c": ["a"]}
MESH = {"e": ["a", "b", "d"], "d": ["b", "c"], "c": ["a"], "b": ["a"], "x": []}


class TestToposort(unittest.TestCase):
    def test_nothing(self):
        self.assertEqual(toposort({}), [])

    def test_independent_nodes_are_sorted(self):
        self.assertEqual(toposort({"c": [], "a": [], "b": []}), ["a", "b", "c"])

    def test_nodes_only_named_as_targets(self):
        self.assertEqual(toposort({"a": ["z"]}), ["z", "a"])

    def test_smallest_free_node_first(self):
        self.assertEqual(toposort(DIAMOND), ["a", "b", "c", "d"])
        self.assertEqual(toposort({"a": ["z"], "b": [], "y": []}), ["b", "y", "z", "a"])
        self.assertEqual(toposort({1: [3], 2: [], 10: []}), [2, 3, 1, 10])

    def test_freed_node_goes_before_larger_ones(self):
        self.assertEqual(toposort({"b": ["a"], "c": [], "a": []}), ["a", "b", "c"])

    def test_repeated_dependency(self):
        self.assertEqual(toposort({"b": ["a", "a"]}), ["a", "b"])

    def test_reverse(self):
        self.assertEqual(toposort(MESH, reverse=True), toposort(MESH)[::-1])
        self.assertEqual(toposort({"a": ["b"], "c": []}, reverse=True), ["c", "a", "b"])

    def test_cycle(self):
        with self.assertRaises(CycleError) as caught:
            toposort({"a": [], "c": ["d"], "d": ["c", "a"]})
        self.assertEqual(caught.exception.cycle, ["c", "d", "c"])
        self.assertEqual(str(caught.exception), "cycle: c -> d -> c")

    def test_argument_is_not_changed(self):
        graph = {"b": ["a"], "c": ["b", "a"]}
        toposort(graph), layers(graph), reduce(graph), needs(graph, "b"), critical_path(graph, {})
        self.assertEqual(graph, {"b": ["a"], "c": ["b", "a"]})


class TestCycles(unittest.TestCase):
    def test_none(self):
        self.assertIsNone(find_cycle({}))
        self.assertIsNone(find_cycle(DIAMOND))
        self.assertIsNone(find_cycle(MESH))

    def test_node_on_itself(self):
        self.assertEqual(find_cycle({"a": ["a"]}), ["a", "a"])
        with self.assertRaises(CycleError):
            toposort({"a": ["a"], "b": []})

    def test_smallest_node_first(self):
        self.assertEqual(find_cycle({"a": ["c"], "c": ["b"], "b": ["c"]}), ["b", "c", "b"])
        self.assertEqual(find_cycle({3: [1], 1: [2], 2: [3]}), [1, 2, 3, 1])

    def test_way_into_the_cycle_is_left_out(self):
        self.assertEqual(find_cycle({"a": ["b"], "b": ["c"], "c": ["d"], "d": ["c"]}), ["c", "d", "c"])

    def test_searched_from_small_to_large(self):
        self.assertEqual(find_cycle({"y": ["z"], "z": ["y"], "b": ["c"], "c": ["b"]}), ["b", "c", "b"])
        self.assertEqual(find_cycle({"a": ["c", "b"], "b": ["a"], "c": ["a"]}), ["a", "b", "a"])


class TestLayers(unittest.TestCase):
    def test_nothing(self):
        self.assertEqual(layers({}), [])

    def test_diamond(self):
        self.assertEqual(layers(DIAMOND), [["a"], ["b", "c"], ["d"]])

    def test_longest_way_counts(self):
        self.assertEqual(layers(MESH), [["a", "x"], ["b", "c"], ["d"], ["e"]])

    def test_sorted_within(self):
        self.assertEqual(layers({"c": [], "b": ["c"], "a": ["c"]}), [["c"], ["a", "b"]])
        self.assertEqual(layers({"a": ["z"], "b": ["y"]}), [["y", "z"], ["a", "b"]])

    def test_cycle(self):
        with self.assertRaises(CycleError):
            layers({"a": ["b"], "b": ["a"], "c": []})


class TestNeeds(unittest.TestCase):
    def test_any_distance(self):
        self.assertEqual(needs(MESH, "d"), {"a", "b", "c"})
        self.assertEqual(needs(MESH, "a"), set())
        self.assertEqual(needs({1: [2], 2: [3], 3: [4], 4: [5]}, 1), {2, 3, 4, 5})

    def test_several_nodes(self):
        self.assertEqual(needs(DIAMOND, "b", "c"), {"a"})
        self.assertEqual(needs(DIAMOND, "d", "b"), {"a", "b", "c"})
        self.assertEqual(needs(DIAMOND), set())

    def test_cycles_do_no_harm(self):
        self.assertEqual(needs({"a": ["b"], "b": ["a"]}, "a"), {"a", "b"})

    def test_unknown_node(self):
        with self.assertRaises(KeyError):
            needs(DIAMOND, "q")
        with self.assertRaises(KeyError):
            needed_by(DIAMOND, "q")

    def test_needed_by(self):
        self.assertEqual(needed_by(DIAMOND, "a"), {"b", "c", "d"})
        self.assertEqual(needed_by(MESH, "c"), {"d", "e"})
        self.assertEqual(needed_by(MESH, "x", "e"), set())

    def test_needed_by_of_a_mere_target(self):
        self.assertEqual(needed_by({"b": ["a"]}, "a"), {"b"})


class TestReduce(unittest.TestCase):
    def test_shortcuts_go(self):
        self.assertEqual(reduce(MESH), {"e": ["d"], "d": ["b", "c"], "c": ["a"], "b": ["a"], "x": [], "a": []})

    def test_nothing_to_drop(self):
        self.assertEqual(reduce(DIAMOND), {"d": ["b", "c"], "b": ["a"], "c": ["a"], "a": []})
        self.assertEqual(reduce({}), {})

    def test_values_are_sorted(self):
        self.assertEqual(reduce({"z": ["c", "a", "b"]})["z"], ["a", "b", "c"])

    def test_cycle(self):
        with self.assertRaises(CycleError):
            reduce({"a": ["b"], "b": ["a"]})


class TestCriticalPath(unittest.TestCase):
    def test_nothing(self):
        self.assertEqual(critical_path({}, {}), (0, []))

    def test_default_cost(self):
        self.assertEqual(critical_path(DIAMOND, {}), (3, ["a", "b", "d"]))
        self.assertEqual(critical_path(DIAMOND, {"d": 1}, default=5), (11, ["a", "b", "d"]))

    def test_costs_decide(self):
        self.assertEqual(critical_path({"b": ["a"]}, {"b": 2, "a": 0}), (2, ["a", "b"]))
        self.assertEqual(critical_path(DIAMOND, {"c": 4}), (6, ["a", "c", "d"]))
        self.assertEqual(critical_path(DIAMOND, {"b": 7, "c": 4, "a": 2}), (10, ["a", "b", "d"]))

    def test_short_but_costly(self):
        self.assertEqual(critical_path({"b": ["a"], "c": ["b"], "x": []}, {"x": 4}), (4, ["x"]))

    def test_smaller_nodes_win_ties(self):
        self.assertEqual(critical_path({"a": [], "b": []}, {}), (1, ["a"]))
        self.assertEqual(critical_path({"z": ["y", "x"]}, {}), (2, ["x", "z"]))

    def test_path_may_end_in_the_middle(self):
        self.assertEqual(critical_path({"b": ["a"], "c": ["b"]}, {"c": -1, "a": 3}), (4, ["a", "b"]))


if __name__ == "__main__":
    unittest.main()
