import unittest

from gridkit.cells import Grid, flood_fill, life, regions, shortest_path


class GridTest(unittest.TestCase):
    def test_takes_lists_and_texts(self):
        self.assertEqual(str(Grid(["a b", "c d"])), "a b\nc d")
        self.assertEqual(str(Grid("ab\ncd")), "ab\ncd")

    def test_empty_is_refused(self):
        for lines in ("", [], [""]):
            with self.assertRaises(ValueError):
                Grid(lines)

    def test_ragged_is_refused(self):
        with self.assertRaises(ValueError):
            Grid("ab c")

    def test_height_and_width(self):
        grid = Grid("abc def")
        self.assertEqual((grid.height, grid.width), (2, 3))

    def test_contains(self):
        grid = Grid("abc def")
        inside = [cell for cell in ((0, 0), (1, 2), (2, 0), (0, 3), (-1, 0), (0, -1)) if cell in grid]
        self.assertEqual(inside, [(0, 0), (1, 2)])

    def test_getitem(self):
        grid = Grid("abc def")
        self.assertEqual([grid[0, 2], grid[1, 0]], ["c", "d"])
        for cell in ((-1, 0), (0, -1), (2, 0), (0, 3)):
            with self.assertRaises(IndexError):
                grid[cell]

    def test_find(self):
        self.assertEqual(Grid(".x. x.x").find("x"), [(0, 1), (1, 0), (1, 2)])
        self.assertEqual(Grid(".").find("x"), [])


class NeighboursTest(unittest.TestCase):
    def test_corner(self):
        grid = Grid("... ... ...")
        self.assertEqual(grid.neighbours((0, 0)), [(0, 1), (1, 0)])
        self.assertEqual(grid.neighbours((2, 2), diagonal=True), [(1, 1), (1, 2), (2, 1)])

    def test_diagonal_order(self):
        self.assertEqual(
            Grid("... ... ...").neighbours((1, 1), diagonal=True),
            [(0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1), (2, 2)],
        )

    def test_neighbours_wrap(self):
        grid = Grid("... ... ...", wrap=True)
        self.assertEqual(grid.neighbours((0, 0)), [(0, 1), (0, 2), (1, 0), (2, 0)])
        self.assertEqual(len(grid.neighbours((0, 0), diagonal=True)), 8)

    def test_wrap_of_a_small_grid(self):
        self.assertEqual(Grid("..", wrap=True).neighbours((0, 0), diagonal=True), [(0, 1)])
        self.assertEqual(Grid(".", wrap=True).neighbours((0, 0)), [])

    def test_wrap_of_an_oblong(self):
        grid = Grid(".... ....", wrap=True)
        self.assertEqual(grid.neighbours((1, 3)), [(0, 3), (1, 0), (1, 2)])

    def test_cell_can_be_a_list(self):
        self.assertEqual(Grid("..", wrap=True).neighbours([0, 0]), [(0, 1)])


class LifeTest(unittest.TestCase):
    def test_block_stands_still(self):
        block = ".... .##. .##. ...."
        self.assertEqual(str(life(Grid(block))).split(), block.split())

    def test_lonely_cell_dies(self):
        self.assertEqual(str(life(Grid("... .#. ..."))), "...\n...\n...")
        self.assertEqual(str(life(Grid("##. ... ..."))), "...\n...\n...")

    def test_crowded_cell_dies(self):
        self.assertEqual(str(life(Grid("### ### ###"))), "#.#\n...\n#.#")
        self.assertEqual(str(life(Grid(".#. ### .#."))), "###\n#.#\n###")

    def test_other_characters_are_dead(self):
        self.assertEqual(str(life(Grid("x# ##"))), "##\n##")
        self.assertEqual(str(life(Grid("xx xx"))), "..\n..")

    def test_source_is_kept(self):
        grid = Grid("... ### ...")
        life(grid)
        self.assertEqual(str(grid), "...\n###\n...")

    def test_wrap_is_kept(self):
        grid = Grid("#.... #.... #.... ..... .....", wrap=True)
        following = life(grid)
        self.assertIs(following.wrap, True)
        self.assertEqual(str(following), ".....\n##..#\n.....\n.....\n.....")


class FloodTest(unittest.TestCase):
    def test_fills_only_what_is_connected(self):
        grid = Grid("a.a ... aaa")
        self.assertEqual(flood_fill(grid, (2, 1), "x"), 3)
        self.assertEqual(str(grid), "a.a\n...\nxxx")

    def test_corners_do_not_connect(self):
        grid = Grid("a. .a")
        self.assertEqual(flood_fill(grid, (0, 0), "x"), 1)

    def test_flood_diagonal(self):
        grid = Grid("a. .a")
        self.assertEqual(flood_fill(grid, (0, 0), "x", diagonal=True), 2)
        self.assertEqual(str(grid), "x.\n.x")

    def test_same_character(self):
        grid = Grid("aa")
        self.assertEqual(flood_fill(grid, (0, 0), "a"), 0)
        self.assertEqual(str(grid), "aa")

    def test_flood_wrap(self):
        self.assertEqual(flood_fill(Grid("a.a", wrap=True), (0, 0), "x"), 2)
        self.assertEqual(flood_fill(Grid("a.a"), (0, 0), "x"), 1)

    def test_outside(self):
        with self.assertRaises(IndexError):
            flood_fill(Grid("aa"), (0, 2), "x")


class RegionsTest(unittest.TestCase):
    def test_largest_first(self):
        self.assertEqual(regions(Grid("#.### ..... ##..."), "#"), [3, 2, 1])

    def test_regions_diagonal(self):
        grid = Grid("#.. .#. ..#")
        self.assertEqual(regions(grid, "#"), [1, 1, 1])
        self.assertEqual(regions(grid, "#", diagonal=True), [3])

    def test_none_and_all(self):
        self.assertEqual(regions(Grid(".."), "#"), [])
        self.assertEqual(regions(Grid("## ##"), "#"), [4])


class PathTest(unittest.TestCase):
    def test_straight_and_same_cell(self):
        self.assertEqual(shortest_path(Grid("...."), (0, 0), (0, 3)), 3)
        self.assertEqual(shortest_path(Grid("...."), (0, 1), (0, 1)), 0)

    def test_shorter_of_two_ways(self):
        grid = Grid("..... .###. .#... .....")
        self.assertEqual(shortest_path(grid, (0, 0), (2, 2)), 6)

    def test_no_way(self):
        self.assertIsNone(shortest_path(Grid(".#."), (0, 0), (0, 2)))
        self.assertIsNone(shortest_path(Grid(".# #."), (0, 0), (1, 1)))

    def test_walls_at_the_ends(self):
        self.assertIsNone(shortest_path(Grid("#."), (0, 0), (0, 1)))
        self.assertIsNone(shortest_path(Grid(".#"), (0, 0), (0, 1)))
        self.assertIsNone(shortest_path(Grid("#"), (0, 0), (0, 0)))

    def test_wrap_and_other_wall(self):
        self.assertEqual(shortest_path(Grid(".x..", wrap=True), (0, 0), (0, 2), wall="x"), 2)
        self.assertEqual(shortest_path(Grid("#.#"), (0, 0), (0, 2), wall="x"), 2)
