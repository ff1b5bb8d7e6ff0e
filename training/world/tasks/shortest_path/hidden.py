import unittest

from waygraph.paths import Graph, NoPath, grid_path

ROADS = [("a", "b", 4), ("a", "c", 1), ("c", "b", 2), ("b", "d", 5), ("x", "y", 1)]
TIES = [("a", "b", 1), ("b", "d", 1), ("a", "d", 2), ("a", "c", 1), ("c", "d", 1)]


class TestBuilding(unittest.TestCase):
    def test_default_weight(self):
        self.assertEqual(Graph([("a", "b")]).edges(), [("a", "b", 1)])

    def test_lightest_edge_counts(self):
        graph = Graph([("a", "b", 3), ("a", "b", 2), ("b", "a", 5)])
        self.assertEqual(graph.edges(), [("a", "b", 2)])
        self.assertEqual((graph.path("a", "b")[0], graph.path("b", "a")[0]), (2, 2))

    def test_directed_edges_are_apart(self):
        graph = Graph([("a", "b", 3), ("b", "a", 5), ("a", "b", 4)], directed=True)
        self.assertEqual(graph.edges(), [("a", "b", 3), ("b", "a", 5)])

    def test_undirected_edges_once(self):
        self.assertEqual(Graph([("b", "a", 2), ("c", "b", 1)]).edges(), [("a", "b", 2), ("b", "c", 1)])
        self.assertEqual(Graph([("a", "a", 2)]).edges(), [("a", "a", 2)])

    def test_nodes_of_directed_graph(self):
        self.assertEqual(Graph([("b", "c"), ("b", "a")], directed=True).nodes(), ["a", "b", "c"])

    def test_negative_weight(self):
        graph = Graph()
        with self.assertRaises(ValueError) as caught:
            graph.add("a", "b", -1)
        self.assertEqual(str(caught.exception), "negative weight: -1")
        self.assertEqual(graph.nodes(), [])
        graph.add("a", "b", 0)
        self.assertEqual(graph.edges(), [("a", "b", 0)])


class TestDistances(unittest.TestCase):
    def test_all_in_reach(self):
        self.assertEqual(Graph(ROADS).distances("d"), {"d": 0, "b": 5, "c": 7, "a": 8})
        self.assertEqual(Graph(ROADS).distances("x"), {"x": 0, "y": 1})

    def test_directed(self):
        graph = Graph(ROADS, directed=True)
        self.assertEqual(graph.distances("c"), {"c": 0, "b": 2, "d": 7})
        self.assertEqual(graph.distances("d"), {"d": 0})

    def test_within_is_inclusive(self):
        self.assertEqual(Graph(ROADS).distances("a", within=3), {"a": 0, "c": 1, "b": 3})
        self.assertEqual(Graph(ROADS).distances("a", within=2.9), {"a": 0, "c": 1})
        self.assertEqual(Graph(ROADS).distances("a", within=0), {"a": 0})

    def test_weights_of_zero(self):
        self.assertEqual(Graph([(1, 2, 0), (2, 3, 0)]).distances(1), {1: 0, 2: 0, 3: 0})

    def test_unknown_start(self):
        with self.assertRaises(KeyError):
            Graph(ROADS).distances("q")


class TestPath(unittest.TestCase):
    def test_way_round_is_shorter(self):
        self.assertEqual(Graph(ROADS).path("a", "b"), (3, ["a", "c", "b"]))
        self.assertEqual(Graph([(1, 2, 0.5), (2, 3, 0.25), (1, 3, 1)]).path(1, 3), (0.75, [1, 2, 3]))

    def test_both_ways(self):
        self.assertEqual(Graph(ROADS).path("d", "a"), (8, ["d", "b", "c", "a"]))

    def test_start_is_goal(self):
        self.assertEqual(Graph(ROADS).path("a", "a"), (0, ["a"]))

    def test_fewer_edges_win_ties(self):
        self.assertEqual(Graph(TIES).path("a", "d"), (2, ["a", "d"]))
        self.assertEqual(Graph([("x", "b"), ("b", "d"), ("x", "d", 2)]).path("x", "d"), (2, ["x", "d"]))
        self.assertEqual(Graph([(0, 1), (1, 9), (0, 9, 2)]).path(0, 9), (2, [0, 9]))

    def test_smaller_node_wins_ties(self):
        self.assertEqual(Graph(TIES[:2] + TIES[3:]).path("a", "d"), (2, ["a", "b", "d"]))
        self.assertEqual(Graph(reversed(TIES[:2] + TIES[3:])).path("d", "a"), (2, ["d", "b", "a"]))

    def test_no_way(self):
        with self.assertRaises(NoPath) as caught:
            Graph(ROADS).path("a", "x")
        self.assertEqual(caught.exception.args, ("no way from 'a' to 'x'",))
        self.assertIsInstance(caught.exception, LookupError)

    def test_unknown_nodes(self):
        for ends in (("q", "a"), ("a", "q"), ("q", "q")):
            with self.assertRaises(KeyError):
                Graph(ROADS).path(*ends)

    def test_avoid(self):
        self.assertEqual(Graph(ROADS).path("a", "d", avoid=["c"]), (9, ["a", "b", "d"]))
        with self.assertRaises(NoPath):
            Graph(ROADS).path("a", "d", avoid=["b"])

    def test_avoid_ends(self):
        for ends in (("a", "b"), ("b", "a"), ("a", "a")):
            with self.assertRaises(NoPath):
                Graph(ROADS).path(*ends, avoid=["a"])

    def test_avoid_may_be_a_generator(self):
        graph = Graph([(1, 2), (2, 3), (1, 4, 5), (4, 3, 5)])
        self.assertEqual(graph.path(1, 3, avoid=(n for n in [2])), (10, [1, 4, 3]))

    def test_falsy_nodes(self):
        self.assertEqual(Graph([(0, 1), (1, 2)]).path(2, 0), (2, [2, 1, 0]))
        self.assertEqual(Graph([(1, 0), (0, 2)]).path(1, 2), (2, [1, 0, 2]))


class TestRouteAndCenter(unittest.TestCase):
    def test_stops_appear_once(self):
        self.assertEqual(Graph(ROADS).route("c", "d", "b"), (12, ["c", "b", "d", "b"]))

    def test_single_stop(self):
        self.assertEqual(Graph(ROADS).route("a"), (0, ["a"]))
        self.assertEqual(Graph(ROADS).route("a", "a"), (0, ["a"]))

    def test_without_stops(self):
        with self.assertRaises(ValueError):
            Graph(ROADS).route()

    def test_route_avoids_on_every_leg(self):
        self.assertEqual(Graph(ROADS).route("b", "a", "d", avoid=["c"]), (13, ["b", "a", "b", "d"]))
        with self.assertRaises(NoPath):
            Graph(ROADS).route("a", "c", "x")

    def test_center_by_weight(self):
        self.assertEqual(Graph([("a", "b", 10), ("b", "c", 1), ("c", "d", 1)]).center(), "b")

    def test_center_of_equals(self):
        self.assertEqual(Graph([("c", "b"), ("b", "a"), ("a", "d")]).center(), "a")
        self.assertEqual(Graph([("b", "a")]).center(), "a")

    def test_center_must_reach_all(self):
        self.assertIsNone(Graph(ROADS).center())
        self.assertIsNone(Graph().center())
        self.assertEqual(Graph([("b", "a"), ("b", "c")], directed=True).center(), "b")


class TestGrid(unittest.TestCase):
    def test_around_a_wall(self):
        cost, cells = grid_path(["...", "##.", "..."], (0, 0), (2, 0))
        self.assertEqual((cost, cells), (6, [(0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0)]))

    def test_costs_of_entering(self):
        self.assertEqual(grid_path(["123"], (0, 0), (0, 2)), (5, [(0, 0), (0, 1), (0, 2)]))
        self.assertEqual(grid_path([".9.", "..."], (0, 0), (0, 2))[0], 4)
        self.assertEqual(grid_path([".0."], (0, 2), (0, 0))[0], 1)

    def test_all_directions(self):
        for goal in ((0, 1), (2, 1), (1, 0), (1, 2)):
            self.assertEqual(grid_path(["...", "...", "..."], (1, 1), goal), (1, [(1, 1), goal]))

    def test_no_way_over_a_corner(self):
        with self.assertRaises(NoPath):
            grid_path([".#", "#."], (0, 0), (1, 1))

    def test_ends_on_a_wall_or_off(self):
        for start, goal in (((0, 1), (0, 0)), ((0, 0), (0, 1)), ((0, 0), (5, 0)), ((-1, 0), (0, 0))):
            with self.assertRaises(NoPath):
                grid_path([".#", ".."], start, goal)

    def test_single_cell_and_other_wall(self):
        self.assertEqual(grid_path(["5"], (0, 0), (0, 0)), (0, [(0, 0)]))
        self.assertEqual(grid_path([".#."], (0, 0), (0, 2), wall="x")[0], 2)


if __name__ == "__main__":
    unittest.main()
