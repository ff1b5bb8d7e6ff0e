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

GRAPH = {"app": ["db", "log"], "db": ["log"], "log": []}


class TestOrder(unittest.TestCase):
    def test_toposort(self):
        self.assertEqual(toposort(GRAPH), ["log", "db", "app"])

    def test_cycle_raises(self):
        with self.assertRaises(CycleError):
            toposort({"a": ["b"], "b": ["a"]})

    def test_find_cycle(self):
        self.assertEqual(find_cycle({"a": ["b"], "b": ["a"]}), ["a", "b", "a"])
        self.assertIsNone(find_cycle(GRAPH))

    def test_layers(self):
        self.assertEqual(layers(GRAPH), [["log"], ["db"], ["app"]])

    def test_needs(self):
        self.assertEqual(needs(GRAPH, "app"), {"db", "log"})

    def test_needed_by(self):
        self.assertEqual(needed_by(GRAPH, "db"), {"app"})

    def test_reduce(self):
        self.assertEqual(reduce(GRAPH), {"app": ["db"], "db": ["log"], "log": []})

    def test_critical_path(self):
        self.assertEqual(critical_path(GRAPH, {"app": 5, "db": 2, "log": 1}), (8, ["log", "db", "app"]))
