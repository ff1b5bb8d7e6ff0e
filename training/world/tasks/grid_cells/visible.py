import unittest

from gridkit.cells import Grid, flood_fill, life, regions, shortest_path


class GridTest(unittest.TestCase):
    def test_grid(self):
        grid = Grid("ab cd ef")
        self.assertEqual((grid.height, grid.width), (3, 2))
        self.assertEqual(grid[1, 0], "c")
        self.assertEqual(str(grid), "ab\ncd\nef")

    def test_neighbours(self):
        grid = Grid("... ... ...")
        self.assertEqual(grid.neighbours((1, 1)), [(0, 1), (1, 0), (1, 2), (2, 1)])
        self.assertEqual(len(grid.neighbours((1, 1), diagonal=True)), 8)

    def test_find(self):
        self.assertEqual(Grid("a. .a").find("a"), [(0, 0), (1, 1)])

    def test_life_blinker(self):
        self.assertEqual(str(life(Grid("... ### ..."))), ".#.\n.#.\n.#.")

    def test_flood_fill(self):
        grid = Grid("aab aab bbb")
        self.assertEqual(flood_fill(grid, (0, 0), "x"), 4)
        self.assertEqual(str(grid), "xxb\nxxb\nbbb")

    def test_regions(self):
        self.assertEqual(regions(Grid("##. ... ..#"), "#"), [2, 1])

    def test_shortest_path(self):
        self.assertEqual(shortest_path(Grid("... ##. ..."), (0, 0), (2, 0)), 6)
