import unittest

from waygraph.paths import Graph, NoPath, grid_path

ROADS = [("a", "b", 4), ("a", "c", 1), ("c", "b", 2), ("b", "d", 5)]


class TestPaths(unittest.TestCase):
    def test_nodes_and_edges(self):
        graph = Graph([("b", "a", 3)])
        self.assertEqual(graph.nodes(), ["a", "b"])
        self.assertEqual(graph.edges(), [("a", "b", 3)])

    def test_distances(self):
        self.assertEqual(Graph(ROADS).distances("a"), {"a": 0, "c": 1, "b": 3, "d": 8})

    def test_path(self):
        self.assertEqual(Graph(ROADS).path("a", "d"), (8, ["a", "c", "b", "d"]))

    def test_directed(self):
        with self.assertRaises(NoPath):
            Graph(ROADS, directed=True).path("d", "a")

    def test_avoid(self):
        self.assertEqual(Graph(ROADS).path("a", "b", avoid=["c"]), (4, ["a", "b"]))

    def test_route(self):
        self.assertEqual(Graph(ROADS).route("a", "b", "d"), (8, ["a", "c", "b", "d"]))

    def test_center(self):
        self.assertEqual(Graph([("a", "b"), ("b", "c")]).center(), "b")

    def test_grid(self):
        self.assertEqual(grid_path(["..", "#."], (0, 0), (1, 1)), (2, [(0, 0), (0, 1), (1, 1)]))
