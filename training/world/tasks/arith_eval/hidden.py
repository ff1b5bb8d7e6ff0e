import unittest

from calcline.evaluator import EvalError, evaluate, names_in, tokenize


class Base(unittest.TestCase):
    def assert_value(self, text, expected, **variables):
        value = evaluate(text, variables)
        self.assertEqual((type(value), value), (type(expected), expected))

    def assert_error(self, text, message, **variables):
        with self.assertRaises(EvalError) as caught:
            evaluate(text, variables)
        self.assertEqual(str(caught.exception), message)


class TestTokens(Base):
    def test_tokenize_numbers(self):
        self.assertEqual(repr(tokenize("1 2.50 007")), "[1, 2.5, 7]")

    def test_tokenize_double_signs(self):
        self.assertEqual(tokenize("a**b//c*d/e%f"), list("a") + ["**", "b", "//", "c", "*", "d", "/", "e", "%", "f"])

    def test_tokenize_without_blanks(self):
        self.assertEqual(tokenize("(x1+_y,3)"), ["(", "x1", "+", "_y", ",", 3, ")"])

    def test_tokenize_nothing(self):
        self.assertEqual(tokenize("  "), [])

    def test_tokenize_names_the_bad_character(self):
        with self.assertRaises(EvalError) as caught:
            tokenize("1 + $x")
        self.assertEqual(str(caught.exception), "unexpected '$' at 4")
        with self.assertRaises(EvalError):
            tokenize("1.")

    def test_names_sorted_and_unique(self):
        self.assertEqual(names_in("b + a * b - _c"), ["_c", "a", "b"])

    def test_names_leave_out_functions_and_numbers(self):
        self.assertEqual(names_in("max(x, 2) + hypot(1, 2.5)"), ["x"])
        self.assertEqual(names_in(""), [])


class TestOperators(Base):
    def test_sums_from_left_to_right(self):
        self.assert_value("10 - 3 - 2", 5)
        self.assert_value("10 - 3 + 2", 9)

    def test_products_from_left_to_right(self):
        self.assert_value("24 / 4 / 2", 3.0)
        self.assert_value("7 // 2 * 2", 6)
        self.assert_value("2 * 7 % 4", 2)

    def test_products_bind_more_than_sums(self):
        self.assert_value("2 + 3 * 4 - 6 / 2", 11.0)

    def test_parentheses_bind_most(self):
        self.assert_value("2 * (3 + 4) * (5 - (1 + 1))", 42)
        self.assert_value("((7))", 7)

    def test_floor_division_and_modulo_of_negatives(self):
        self.assert_value("-7 // 2", -4)
        self.assert_value("-7 % 3", 2)

    def test_integers_and_floats(self):
        self.assert_value("4 / 2", 2.0)
        self.assert_value("2 * 1.5", 3.0)
        self.assert_value("9 // 2", 4)

    def test_signs(self):
        self.assert_value("-3 + +2", -1)
        self.assert_value("--3", 3)
        self.assert_value("2 * -3", -6)
        self.assert_value("+5", 5)

    def test_power_binds_more_than_sign(self):
        self.assert_value("-2 ** 2", -4)
        self.assert_value("(-2) ** 2", 4)

    def test_power_with_signed_exponent(self):
        self.assert_value("2 ** -1", 0.5)
        self.assert_value("2 ** -1 * 4", 2.0)

    def test_power_from_right_to_left(self):
        self.assert_value("2 ** 3 ** 2", 512)

    def test_power_of_zero(self):
        self.assert_value("0 ** 0", 1)
        self.assert_value("0 ** 2", 0)
        self.assert_error("0 ** -1", "power is not defined")

    def test_power_of_negative_base(self):
        self.assert_value("(-2) ** -1", -0.5)
        self.assert_value("4 ** 0.5", 2.0)
        self.assert_value("(-2) ** 2.0", 4.0)
        self.assert_error("(-4) ** 0.5", "power is not defined")

    def test_exponent_limit(self):
        self.assert_value("1 ** 64", 1)
        self.assert_value("2 ** -64", 2.0**-64)
        self.assert_error("1 ** 65", "exponent is too large")
        self.assert_error("1 ** -65", "exponent is too large")

    def test_division_by_zero(self):
        for text in ("1 / 0", "1 // 0", "1 % 0", "1 / (2 - 2)", "1 / 0.0"):
            self.assert_error(text, "division by zero")

    def test_product_with_zero(self):
        self.assert_value("5 * 0", 0)
        self.assert_value("0 / 5", 0.0)


class TestNames(Base):
    def test_variables(self):
        self.assert_value("2 * x + y1", 13, x=5, y1=3)
        self.assert_value("-x ** 2", -9, x=3)

    def test_variable_of_zero(self):
        self.assert_value("x", 0, x=0)
        self.assert_error("1 / x", "division by zero", x=0)

    def test_unknown_variable(self):
        self.assert_error("x + 1", "unexpected 'x'", X=1)

    def test_functions(self):
        self.assert_value("max(1, 7, 3) - min(4, 2)", 5)
        self.assert_value("abs(2 - 5) * 2", 6)
        self.assert_value("hypot(3, 4)", 5.0)

    def test_nested_calls(self):
        self.assert_value("max(min(5, 9), abs(-4))", 5)

    def test_single_argument(self):
        self.assert_value("max(3)", 3)
        self.assert_value("min(-3)", -3)

    def test_number_of_arguments(self):
        self.assert_error("abs(1, 2)", "abs does not take 2 arguments")
        self.assert_error("hypot(1)", "hypot does not take 1 arguments")
        self.assert_error("hypot(1, 2, 3)", "hypot does not take 3 arguments")

    def test_most_arguments(self):
        self.assert_value("max(1, 2, 3, 4, 5, 6, 7, 8)", 8)
        self.assert_value("min(1, 2, 3, 4, 5, 6, 7, 8)", 1)
        self.assert_error("max(1, 2, 3, 4, 5, 6, 7, 8, 9)", "max does not take 9 arguments")
        self.assert_error("min(1, 2, 3, 4, 5, 6, 7, 8, 9)", "min does not take 9 arguments")


class TestErrors(Base):
    def test_unexpected_end(self):
        for text in ("", "1 +", "2 *", "(1", "max(1", "-"):
            self.assert_error(text, "unexpected end")

    def test_left_over_tokens(self):
        self.assert_error("1 2", "unexpected 2")
        self.assert_error("(1))", "unexpected ')'")
        self.assert_error("1 0", "unexpected 0")

    def test_misplaced_signs(self):
        self.assert_error("* 2", "unexpected '*'")
        self.assert_error("(1, 2)", "expected ')', got ','")
        self.assert_error("max 1", "expected '(', got 1")
        self.assert_error("max(1 2)", "expected ',', got 2")
        self.assert_error("max()", "unexpected ')'")


if __name__ == "__main__":
    unittest.main()
