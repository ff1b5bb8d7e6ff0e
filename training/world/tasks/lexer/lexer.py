"""A lexer for a small configuration language."""

from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["Token", "LexError", "Lexer", "tokenize", "unquote"]

KEYWORDS = {"let", "if", "else", "true", "false"}
TWO_CHARS = {"==", "!=", "<=", ">=", "&&", "||", ".."}
ONE_CHAR = set("+-*/<>=!(){}[],:;.")
ESCAPES = {"n": "\n", "t": "\t", "\\": "\\", '"': '"'}


class Token(NamedTuple):
    """A piece of source with the line and column (both from 1) of its first character."""

    kind: str
    text: str
    line: int
    column: int


class LexError(ValueError):
    """Source that no token matches."""


class Lexer:
    """Cuts source into tokens; kinds are name, keyword, number, string and op."""

    def __init__(self, source: str) -> None:
        """Start at the first character of the source."""
        self.source = source
        self.position, self.line, self.line_start = 0, 1, 0

    def _fail(self, message: str) -> LexError:
        """Return an error that names the place reached."""
        return LexError(f"{message} at {self.line}:{self.position - self.line_start + 1}")

    def _span(self, start: int, allowed: str) -> int:
        """Return the end of the run of letters, digits or allowed characters from start on."""
        for end in range(start, len(self.source)):
            if not (self.source[end].isalnum() or self.source[end] in allowed):
                return end
        return len(self.source)

    def _skip_blanks(self) -> None:
        """Pass over blanks, newlines and comments (from # to the end of the line)."""
        comment = False
        for index in range(self.position, len(self.source)):
            letter = self.source[index]
            if letter == "\n":
                self.line += 1
                self.line_start = index + 1
                comment = False
            elif letter == "#":
                comment = True
            elif not comment and not letter.isspace():
                self.position = index
                return
        self.position = len(self.source)

    def _string_end(self) -> int:
        """Return the position after the closing quote; strings do not run over lines."""
        escaped = False
        for end in range(self.position + 1, len(self.source)):
            letter = self.source[end]
            if letter == "\n":
                break
            if escaped:
                escaped = False
            elif letter == "\\":
                escaped = True
            elif letter == '"':
                return end + 1
        raise self._fail("unterminated string")

    def _number_end(self) -> int:
        """Return the end of a number: digits, and a fraction if a digit follows the point."""
        end = self._span(self.position, "_")
        if self.source[end : end + 1] == "." and self.source[end + 1 : end + 2].isdigit():
            end = self._span(end + 1, "_")
        text = self.source[self.position : end]
        if not text.replace("_", "").replace(".", "").isdigit() or text.endswith("_"):
            raise self._fail(f"bad number {text!r}")
        return end

    def _next(self) -> tuple[str, int]:
        """Return the kind and the end of the token at the position; LexError if there is none."""
        letter = self.source[self.position]
        if letter.isdigit():
            return "number", self._number_end()
        if letter.isalpha() or letter == "_":
            end = self._span(self.position, "_-")
            return ("keyword" if self.source[self.position : end] in KEYWORDS else "name"), end
        if letter == '"':
            return "string", self._string_end()
        if self.source[self.position : self.position + 2] in TWO_CHARS:
            return "op", self.position + 2
        if letter in ONE_CHAR:
            return "op", self.position + 1
        raise self._fail(f"unexpected {letter!r}")

    def tokens(self) -> Iterator[Token]:
        """Yield the tokens of the source in order."""
        for _ in range(len(self.source)):
            self._skip_blanks()
            if self.position >= len(self.source):
                return
            kind, end = self._next()
            text = self.source[self.position : end]
            yield Token(kind, text, self.line, self.position - self.line_start + 1)
            self.position = end


def tokenize(source: str) -> list[Token]:
    """Return all tokens of the source."""
    return list(Lexer(source).tokens())


def unquote(text: str) -> str:
    """Return the value of a string token; LexError on an escape other than n, t, \\ and quote."""
    parts = text[1:-1].split("\\\\")
    for index, part in enumerate(parts):
        head, *rest = part.split("\\")
        for piece in rest:
            if piece[:1] not in ESCAPES:
                raise LexError(f"unknown escape \\{piece[:1]}")
            head += ESCAPES[piece[0]] + piece[1:]
        parts[index] = head
    return "\\".join(parts)
