import unittest
from fractions import Fraction

from matlite.matrix import Matrix, ShapeError, SingularError, identity, solve


class ConstructionTest(unittest.TestCase):
    def test_empty_is_refused(self):
        for rows in ([], [[]], [[], []]):
            with self.assertRaises(ShapeError):
                Matrix(rows)

    def test_ragged_is_refused(self):
        with self.assertRaises(ShapeError):
            Matrix([[1, 2], [3]])

    def test_source_is_copied(self):
        rows = [[1, 2], [3, 4]]
        m = Matrix(rows)
        rows[0][0] = 9
        self.assertEqual(m[0, 0], 1)

    def test_generators_are_taken(self):
        m = Matrix((i + j for j in range(3)) for i in range(2))
        self.assertEqual(m.rows, ((0, 1, 2), (1, 2, 3)))

    def test_shape_is_rows_then_columns(self):
        self.assertEqual(Matrix([[1, 2, 3], [4, 5, 6]]).shape, (2, 3))
        self.assertEqual(Matrix([[7]]).shape, (1, 1))

    def test_repr(self):
        self.assertEqual(repr(Matrix([[1, Fraction(1, 2)]])), "Matrix([[1, '1/2']])")

    def test_equality(self):
        self.assertEqual(Matrix([[1]]), Matrix([[1.0]]))
        self.assertNotEqual(Matrix([[1]]), Matrix([[2]]))
        self.assertNotEqual(Matrix([[1]]), ((1,),))


class AccessTest(unittest.TestCase):
    def setUp(self):
        self.m = Matrix([[1, 2, 3], [4, 5, 6]])

    def test_row_and_entry(self):
        self.assertEqual(self.m[0], (1, 2, 3))
        self.assertEqual(self.m[0, 2], 3)
        self.assertEqual(self.m[-1, -2], 5)

    def test_index_out_of_range(self):
        for index in (2, (0, 3)):
            with self.assertRaises(IndexError):
                self.m[index]

    def test_transpose_of_a_wide_matrix(self):
        self.assertEqual(self.m.transpose(), Matrix([[1, 4], [2, 5], [3, 6]]))


class ArithmeticTest(unittest.TestCase):
    def test_add_and_subtract(self):
        a, b = Matrix([[1, 2]]), Matrix([[10, 20]])
        self.assertEqual(a + b, Matrix([[11, 22]]))
        self.assertEqual(a - b, Matrix([[-9, -18]]))

    def test_add_needs_equal_shapes(self):
        for other in (Matrix([[1], [2]]), Matrix([[1, 2, 3]]), Matrix([[1, 2], [3, 4]])):
            with self.assertRaises(ShapeError):
                Matrix([[1, 2]]) + other
            with self.assertRaises(ShapeError):
                Matrix([[1, 2]]) - other

    def test_scale(self):
        self.assertEqual(Matrix([[1, -2]]).scale(-3), Matrix([[-3, 6]]))
        self.assertEqual(Matrix([[1, -2]]).scale(0), Matrix([[0, 0]]))

    def test_product_of_different_shapes(self):
        a = Matrix([[1, 2, 3], [4, 5, 6]])
        b = Matrix([[1, 0], [0, 1], [2, 2]])
        self.assertEqual(a @ b, Matrix([[7, 8], [16, 17]]))
        self.assertEqual((b @ a).shape, (3, 3))

    def test_product_is_not_commutative(self):
        a, b = Matrix([[1, 1], [0, 1]]), Matrix([[1, 0], [1, 1]])
        self.assertEqual(a @ b, Matrix([[2, 1], [1, 1]]))
        self.assertEqual(b @ a, Matrix([[1, 1], [1, 2]]))

    def test_product_needs_fitting_shapes(self):
        with self.assertRaises(ShapeError):
            Matrix([[1, 2]]) @ Matrix([[1, 2]])
        self.assertEqual(Matrix([[1, 2]]) @ Matrix([[1], [2]]), Matrix([[5]]))


class PowerTest(unittest.TestCase):
    def test_power_zero_and_one(self):
        m = Matrix([[2, 1], [1, 1]])
        self.assertEqual(m**0, identity(2))
        self.assertEqual(m**1, m)

    def test_power(self):
        self.assertEqual(Matrix([[1, 1], [1, 0]]) ** 10, Matrix([[89, 55], [55, 34]]))

    def test_negative_power(self):
        self.assertEqual(Matrix([[2]]) ** -3, Matrix([[Fraction(1, 8)]]))

    def test_singular_to_the_zero(self):
        self.assertEqual(Matrix([[0]]) ** 0, identity(1))

    def test_power_needs_a_square(self):
        with self.assertRaises(ShapeError):
            Matrix([[1, 2]]) ** 0


class EliminationTest(unittest.TestCase):
    def test_determinant_after_a_row_swap(self):
        self.assertEqual(Matrix([[0, 1], [1, 0]]).determinant(), -1)
        self.assertEqual(Matrix([[0, 2, 0], [0, 0, 3], [4, 0, 0]]).determinant(), 24)

    def test_determinant_of_singular(self):
        self.assertEqual(Matrix([[1, 2], [2, 4]]).determinant(), 0)
        self.assertEqual(Matrix([[0, 0], [0, 5]]).determinant(), 0)

    def test_determinant_of_three(self):
        self.assertEqual(Matrix([[2, 0, 1], [1, 3, 2], [1, 1, 4]]).determinant(), 18)

    def test_determinant_needs_a_square(self):
        with self.assertRaises(ShapeError):
            Matrix([[1, 2]]).determinant()

    def test_rank(self):
        self.assertEqual(Matrix([[1, 2, 3], [2, 4, 6]]).rank(), 1)
        self.assertEqual(Matrix([[0, 0, 1], [0, 0, 2], [0, 1, 0]]).rank(), 2)
        self.assertEqual(Matrix([[0, 0]]).rank(), 0)

    def test_rank_with_leading_zeros(self):
        self.assertEqual(Matrix([[0, 1]]).rank(), 1)
        self.assertEqual(Matrix([[0, 2, 1], [0, 0, 3]]).rank(), 2)

    def test_inverse_is_exact(self):
        inverse = Matrix([[3, 0], [0, 7]]).inverse()
        self.assertEqual(inverse, Matrix([[Fraction(1, 3), 0], [0, Fraction(1, 7)]]))

    def test_inverse_with_row_swap(self):
        m = Matrix([[0, 1, 2], [1, 0, 3], [4, -3, 8]])
        self.assertEqual(m @ m.inverse(), identity(3))
        self.assertEqual(m.inverse() @ m, identity(3))

    def test_inverse_errors(self):
        with self.assertRaises(SingularError):
            Matrix([[1, 2], [2, 4]]).inverse()
        with self.assertRaises(ShapeError):
            Matrix([[1, 2]]).inverse()


class SolveTest(unittest.TestCase):
    def test_identity(self):
        self.assertEqual(identity(3).rows, ((1, 0, 0), (0, 1, 0), (0, 0, 1)))

    def test_several_right_sides(self):
        found = solve(Matrix([[2, 0], [0, 4]]), Matrix([[2, 4], [4, 8]]))
        self.assertEqual(found, Matrix([[1, 2], [1, 2]]))

    def test_more_rows_than_unknowns(self):
        left = Matrix([[1, 0], [0, 1], [1, 1]])
        self.assertEqual(solve(left, Matrix([[1], [2], [3]])), Matrix([[1], [2]]))
        with self.assertRaises(SingularError):
            solve(left, Matrix([[1], [2], [4]]))

    def test_too_few_rows(self):
        with self.assertRaises(SingularError):
            solve(Matrix([[1, 1]]), Matrix([[1]]))
        with self.assertRaises(ShapeError):
            solve(Matrix([[1, 1]]), Matrix([[1], [2]]))
