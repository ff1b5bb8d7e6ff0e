"""Evaluate arithmetic expressions with variables and a few functions."""

import operator
import re

__all__ = ["EvalError", "evaluate", "names_in", "tokenize"]

MAX_EXPONENT = 64
TOKEN = re.compile(r"(\d+\.\d+|\d+)|([A-Za-z_]\w*)|(\*\*|//|[-+*/%(),])|(\S)")
SUMS = {"+": operator.add, "-": operator.sub}
PRODUCTS = {"*": operator.mul, "/": operator.truediv, "//": operator.floordiv, "%": operator.mod}
FUNCTIONS = {
    "abs": (1, 1, abs),
    "max": (1, 8, lambda *values: max(values)),
    "min": (1, 8, lambda *values: min(values)),
    "hypot": (2, 2, lambda a, b: (a * a + b * b) ** 0.5),
}


class EvalError(ValueError):
    """An expression that cannot be read or computed."""


def tokenize(text):
    """Split into numbers, names and signs; an EvalError names a bad character's place, from 0."""
    tokens = []
    for match in TOKEN.finditer(text):
        number, name, sign, bad = match.groups()
        if bad:
            raise EvalError(f"unexpected {bad!r} at {match.start()}")
        if number:
            tokens.append(float(number) if "." in number else int(number))
        else:
            tokens.append(name or sign)
    return tokens


def names_in(text):
    """Return the sorted names of the variables in an expression, functions left out."""
    words = {str(token) for token in tokenize(text)}
    return sorted(word for word in words if word.isidentifier() and word not in FUNCTIONS)


class _Parser:
    def __init__(self, text, variables):
        self.tokens = tokenize(text)[::-1]
        self.variables = variables

    def peek(self):
        return self.tokens[-1] if self.tokens else None

    def take(self, *wanted):
        if not self.tokens:
            raise EvalError("unexpected end")
        token = self.tokens.pop()
        if wanted and token not in wanted:
            raise EvalError(f"expected {wanted[0]!r}, got {token!r}")
        return token

    def sum(self):
        value = self.product()
        while self.peek() in SUMS:
            value = SUMS[self.take()](value, self.product())
        return value

    def product(self):
        value = self.signed()
        while self.peek() in PRODUCTS:
            sign, right = self.take(), self.signed()
            if right == 0 and sign != "*":
                raise EvalError("division by zero")
            value = PRODUCTS[sign](value, right)
        return value

    def signed(self):
        if self.peek() not in SUMS:
            return self.power()
        return -self.signed() if self.take() == "-" else self.signed()

    def power(self):
        base = self.atom()
        if self.peek() != "**":
            return base
        self.take()
        exponent = self.signed()
        if abs(exponent) > MAX_EXPONENT:
            raise EvalError("exponent is too large")
        if (base == 0 and exponent < 0) or (base < 0 and exponent != int(exponent)):
            raise EvalError("power is not defined")
        return base**exponent

    def atom(self):
        token = self.take()
        if isinstance(token, (int, float)):
            return token
        if token == "(":
            value = self.sum()
            self.take(")")
            return value
        if token in FUNCTIONS:
            least, most, function = FUNCTIONS[token]
            arguments = self.arguments()
            if not least <= len(arguments) <= most:
                raise EvalError(f"{token} does not take {len(arguments)} arguments")
            return function(*arguments)
        if token not in self.variables:
            raise EvalError(f"unexpected {token!r}")
        return self.variables[token]

    def arguments(self):
        self.take("(")
        values = [self.sum()]
        while self.take(",", ")") == ",":
            values.append(self.sum())
        return values


def evaluate(text, variables=None):
    """Return the value of an expression such as "2 * (x + 1)".

    + and - bind least, then * / // %, then a sign, then ** (from right to left, with
    exponents up to 64 either way). Raises EvalError for what is no whole expression,
    unknown names, division by zero and powers that are no real number.
    """
    parser = _Parser(text, variables or {})
    value = parser.sum()
    if parser.peek() is not None:
        raise EvalError(f"unexpected {parser.peek()!r}")
    return value
