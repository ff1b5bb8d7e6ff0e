import unittest

from matlite.matrix import Matrix, ShapeError, SingularError, identity, solve


class MatrixTest(unittest.TestCase):
    def setUp(self):
        self.m = Matrix([[1, 2], [3, 4]])

    def test_shape_and_items(self):
        self.assertEqual(self.m.shape, (2, 2))
        self.assertEqual(self.m[1, 0], 3)

    def test_transpose(self):
        self.assertEqual(self.m.transpose(), Matrix([[1, 3], [2, 4]]))

    def test_add_subtract_scale(self):
        self.assertEqual(self.m + self.m, self.m.scale(2))
        self.assertEqual(self.m - self.m, Matrix([[0, 0], [0, 0]]))

    def test_product(self):
        self.assertEqual(self.m @ identity(2), self.m)
        with self.assertRaises(ShapeError):
            self.m @ Matrix([[1, 2]])

    def test_power(self):
        self.assertEqual(self.m**2, Matrix([[7, 10], [15, 22]]))

    def test_determinant(self):
        self.assertEqual(self.m.determinant(), -2)
        self.assertEqual(self.m.rank(), 2)

    def test_inverse(self):
        self.assertEqual(self.m @ self.m.inverse(), identity(2))
        with self.assertRaises(SingularError):
            Matrix([[1, 2], [2, 4]]).inverse()

    def test_solve(self):
        self.assertEqual(solve(self.m, Matrix([[5], [11]])), Matrix([[1], [2]]))
