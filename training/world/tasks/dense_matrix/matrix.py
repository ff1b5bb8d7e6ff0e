"""Small dense matrices of exact numbers: arithmetic, determinant, inverse and row reduction."""

from fractions import Fraction

__all__ = ["Matrix", "ShapeError", "SingularError", "identity", "solve"]


class ShapeError(ValueError):
    """The shapes of matrices do not fit together."""


class SingularError(ArithmeticError):
    """A matrix has no inverse, or an equation not exactly one solution."""


class Matrix:
    """An immutable matrix; rows are given as an iterable of iterables of numbers."""

    def __init__(self, rows):
        self.rows = tuple(tuple(row) for row in rows)
        if not self.rows or not self.rows[0]:
            raise ShapeError("a matrix needs at least one row and one column")
        if len({len(row) for row in self.rows}) > 1:
            raise ShapeError("rows differ in length")

    @property
    def shape(self):
        """(number of rows, number of columns)."""
        return len(self.rows), len(self.rows[0])

    def __repr__(self):
        return f"Matrix({[[str(x) if isinstance(x, Fraction) else x for x in r] for r in self.rows]})"

    def __eq__(self, other):
        return isinstance(other, Matrix) and self.rows == other.rows

    def __getitem__(self, index):
        """`m[i]` is a row, `m[i, j]` one entry; negative indices count from the end."""
        return self.rows[index[0]][index[1]] if isinstance(index, tuple) else self.rows[index]

    def transpose(self):
        """Swap rows and columns."""
        return Matrix(zip(*self.rows))

    def _zip(self, other, operation):
        if self.shape != other.shape:
            raise ShapeError(f"{self.shape} and {other.shape}")
        pairs = zip(self.rows, other.rows)
        return Matrix([operation(a, b) for a, b in zip(left, right)] for left, right in pairs)

    def __add__(self, other):
        return self._zip(other, lambda a, b: a + b)

    def __sub__(self, other):
        return self._zip(other, lambda a, b: a - b)

    def scale(self, factor):
        """Multiply every entry by a number."""
        return Matrix([x * factor for x in row] for row in self.rows)

    def __matmul__(self, other):
        """Matrix product; the columns of the left must match the rows of the right."""
        if self.shape[1] != other.shape[0]:
            raise ShapeError(f"{self.shape} times {other.shape}")
        columns = list(zip(*other.rows))
        return Matrix([sum(a * b for a, b in zip(row, col)) for col in columns] for row in self.rows)

    def __pow__(self, exponent):
        """Power of a square matrix; zero gives the identity, negatives use the inverse."""
        base = self if exponent >= 0 else self.inverse()
        result = identity(self._side())
        for _ in range(abs(exponent)):
            result = result @ base
        return result

    def _side(self):
        if self.shape[0] != self.shape[1]:
            raise ShapeError(f"not square: {self.shape}")
        return self.shape[0]

    def _eliminate(self, width):
        """Reduce the first `width` columns; returns (rows, pivot columns, determinant factor)."""
        rows = [[Fraction(x) for x in row] for row in self.rows]
        pivots, factor = [], Fraction(1)
        for col in range(width):
            top = len(pivots)
            best = next((r for r in range(top, len(rows)) if rows[r][col] != 0), None)
            if best is None:
                continue
            if best != top:
                rows[top], rows[best] = rows[best], rows[top]
                factor = -factor
            factor *= rows[top][col]
            rows[top] = [x / rows[top][col] for x in rows[top]]
            for r in range(len(rows)):
                if r != top:
                    rows[r] = [x - rows[r][col] * y for x, y in zip(rows[r], rows[top])]
            pivots.append(col)
        return rows, pivots, factor

    def rank(self):
        """The number of independent rows."""
        return len(self._eliminate(self.shape[1])[1])

    def determinant(self):
        """Determinant of a square matrix; zero when it has no inverse."""
        _, pivots, factor = self._eliminate(self._side())
        return factor if len(pivots) == self.shape[0] else Fraction(0)

    def inverse(self):
        """Inverse of a square matrix; raises SingularError when there is none."""
        return solve(self, identity(self._side()))


def identity(side):
    """The square matrix with ones on the diagonal."""
    return Matrix([int(i == j) for j in range(side)] for i in range(side))


def solve(left, right):
    """Return the one X with left @ X == right; SingularError when there is none or several."""
    if left.shape[0] != right.shape[0]:
        raise ShapeError(f"{left.shape} and {right.shape}")
    width = left.shape[1]
    rows, pivots, _ = Matrix(a + b for a, b in zip(left.rows, right.rows))._eliminate(width)
    if len(pivots) < width or any(any(row[width:]) for row in rows[width:]):
        raise SingularError("not exactly one solution")
    return Matrix(row[width:] for row in rows[:width])
