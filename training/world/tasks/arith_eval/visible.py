import unittest

from calcline.evaluator import EvalError, evaluate, names_in, tokenize


class TestEvaluate(unittest.TestCase):
    def test_tokens(self):
        self.assertEqual(tokenize("2 * (x + 1.5)"), [2, "*", "(", "x", "+", 1.5, ")"])

    def test_names(self):
        self.assertEqual(names_in("x + y"), ["x", "y"])

    def test_sum_and_product(self):
        self.assertEqual(evaluate("1 + 2 * 3"), 7)
        self.assertEqual(evaluate("8 / 4 - 1"), 1)

    def test_parentheses(self):
        self.assertEqual(evaluate("(1 + 2) * 3"), 9)

    def test_power(self):
        self.assertEqual(evaluate("2 ** 3"), 8)

    def test_variables(self):
        self.assertEqual(evaluate("x * y", {"x": 2, "y": 5}), 10)

    def test_functions(self):
        self.assertEqual(evaluate("max(1, 5)"), 5)
        self.assertEqual(evaluate("abs(-3)"), 3)

    def test_bad_expression_raises(self):
        with self.assertRaises(EvalError):
            evaluate("1 +")
