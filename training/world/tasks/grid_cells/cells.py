"""Grids of characters: the game of life, flood fill, regions and shortest paths."""

__all__ = ["Grid", "life", "flood_fill", "regions", "shortest_path"]

SIDES = [(-1, 0), (0, -1), (0, 1), (1, 0)]
CORNERS = [(-1, -1), (-1, 1), (1, -1), (1, 1)]


class Grid:
    """A rectangle of characters made from lines of equal length; cells are (row, column)."""

    def __init__(self, lines, wrap=False):
        """Take an iterable of lines or one text; with `wrap` opposite edges touch.

        Raises ValueError when there is no cell or lines differ in length.
        """
        if isinstance(lines, str):
            lines = lines.split()
        self.cells = [list(line) for line in lines]
        self.wrap = wrap
        if not self.cells or not self.cells[0]:
            raise ValueError("a grid needs at least one cell")
        if any(len(row) != len(self.cells[0]) for row in self.cells):
            raise ValueError("lines differ in length")

    @property
    def height(self):
        """Number of rows."""
        return len(self.cells)

    @property
    def width(self):
        """Number of columns."""
        return len(self.cells[0])

    def __str__(self):
        return "\n".join("".join(row) for row in self.cells)

    def __contains__(self, cell):
        row, col = cell
        return 0 <= row < self.height and 0 <= col < self.width

    def __getitem__(self, cell):
        """Return the character of a cell; IndexError outside, negative places included."""
        if cell not in self:
            raise IndexError(f"no such cell: {cell}")
        return self.cells[cell[0]][cell[1]]

    def neighbours(self, cell, diagonal=False):
        """List the different cells next to one, by row and column; never the cell itself."""
        found = set()
        for d_row, d_col in SIDES + CORNERS if diagonal else SIDES:
            row, col = cell[0] + d_row, cell[1] + d_col
            if self.wrap:
                row, col = row % self.height, col % self.width
            if (row, col) in self and (row, col) != tuple(cell):
                found.add((row, col))
        return sorted(found)

    def find(self, char):
        """List the cells that hold a character, by row and column."""
        return [
            (r, c) for r in range(self.height) for c in range(self.width) if self.cells[r][c] == char
        ]


def life(grid):
    """Return the next generation of a game of life in which "#" lives and all else is dead.

    A living cell stays alive with two or three living neighbours, a dead one comes to life with
    exactly three; corners count. Dead cells are written as ".".
    """
    rows = []
    for r in range(grid.height):
        line = ""
        for c in range(grid.width):
            near = sum(grid[cell] == "#" for cell in grid.neighbours((r, c), diagonal=True))
            alive = near == 3 or (near == 2 and grid[r, c] == "#")
            line += "#" if alive else "."
        rows.append(line)
    return Grid(rows, grid.wrap)


def _reach(grid, start, diagonal=False):
    """Return the set of cells connected to `start` that hold the same character."""
    area = edge = {start}
    for _ in range(grid.height * grid.width):
        near = {other for cell in edge for other in grid.neighbours(cell, diagonal)}
        edge = {cell for cell in near - area if grid[cell] == grid[start]}
        area = area | edge
    return area


def flood_fill(grid, start, char, diagonal=False):
    """Fill the area around `start` with a character, in place; returns how many cells changed."""
    if grid[start] == char:
        return 0
    area = _reach(grid, start, diagonal)
    for row, col in area:
        grid.cells[row][col] = char
    return len(area)


def regions(grid, char, diagonal=False):
    """List the sizes of the connected areas of a character, largest first."""
    left = set(grid.find(char))
    sizes = []
    for cell in grid.find(char):
        if cell in left:
            area = _reach(grid, cell, diagonal)
            left.difference_update(area)
            sizes.append(len(area))
    return sorted(sizes, reverse=True)


def shortest_path(grid, start, goal, wall="#"):
    """Return the number of steps between two cells around walls; None when there is no way.

    Steps go to the four sides. No way leads from or to a wall.
    """
    if grid[start] == wall or grid[goal] == wall:
        return None
    seen = edge = {start}
    for steps in range(grid.height * grid.width):
        if goal in edge:
            return steps
        near = {other for cell in edge for other in grid.neighbours(cell)}
        edge = {cell for cell in near - seen if grid[cell] != wall}
        seen = seen | edge
    return None
