"""Semantic versions: parsing, ordering, bumping and ranges."""

from dataclasses import dataclass
from functools import total_ordering

__all__ = ["Version", "VersionError", "latest", "satisfies"]


class VersionError(ValueError):
    """Text that is no semantic version or no range."""


def _number(text):
    if not (text.isascii() and text.isdigit()):
        raise VersionError(f"not a number: {text!r}")
    if len(text) > 1 and text[0] == "0":
        raise VersionError(f"leading zero: {text!r}")
    return int(text)


def _identifiers(text):
    parts = tuple(text.split("."))
    for part in parts:
        if not part or not all(char.isalnum() or char == "-" for char in part):
            raise VersionError(f"bad identifier: {part!r}")
    return parts


@total_ordering
@dataclass(frozen=True, eq=False)
class Version:
    """A version `major.minor.patch[-pre][+build]`; order and equality ignore the build."""

    major: int
    minor: int = 0
    patch: int = 0
    pre: tuple = ()
    build: tuple = ()

    @classmethod
    def parse(cls, text):
        """Read "1.2.3-rc.1+b5"; white space around it and a leading "v" are allowed."""
        text = text.strip().removeprefix("v")
        text, plus, build = text.partition("+")
        text, dash, pre = text.partition("-")
        numbers = text.split(".")
        if len(numbers) != 3:
            raise VersionError(f"expected three numbers: {text!r}")
        pre = _identifiers(pre) if dash else ()
        build = _identifiers(build) if plus else ()
        return cls(*map(_number, numbers), pre, build)

    def __str__(self):
        text = f"{self.major}.{self.minor}.{self.patch}"
        text += "-" + ".".join(self.pre) if self.pre else ""
        return text + ("+" + ".".join(self.build) if self.build else "")

    def key(self):
        """Return what versions are ordered by: a pre-release comes before its release,
        numeric identifiers come before words, fewer identifiers before more."""
        ranks = tuple((0, int(p), "") if p.isdigit() else (1, 0, p) for p in self.pre)
        return (self.major, self.minor, self.patch, not self.pre, ranks)

    def __eq__(self, other):
        return self.key() == other.key() if isinstance(other, Version) else NotImplemented

    def __lt__(self, other):
        return self.key() < other.key() if isinstance(other, Version) else NotImplemented

    def __hash__(self):
        return hash(self.key())

    def bump(self, part):
        """Return the next "major", "minor" or "patch" release, without pre and build.

        A pre-release goes to its own release if that is such a step: 2.0.0-rc.1 bumps
        to 2.0.0 for every part, 1.2.0-rc.1 to 1.2.0 for "minor" and "patch".
        """
        if part == "major":
            held = self.pre and self.minor == 0 and self.patch == 0
            return Version(self.major if held else self.major + 1)
        if part == "minor":
            held = self.pre and self.patch == 0
            return Version(self.major, self.minor if held else self.minor + 1)
        if part == "patch":
            return Version(self.major, self.minor, self.patch if self.pre else self.patch + 1)
        raise VersionError(f"unknown part: {part!r}")


def _matches(version, clause):
    for sign in (">=", "<=", ">", "<", "=", "^", "~"):
        if clause.startswith(sign):
            bound = Version.parse(clause[len(sign) :])
            break
    else:
        sign, bound = "=", Version.parse(clause)
    if sign == "^":
        ceiling = bound.bump("major") if bound.major else bound.bump("minor")
        return bound <= version < ceiling
    if sign == "~":
        return bound <= version and version.key()[:2] == bound.key()[:2]
    tests = {">": version > bound, "<": version < bound, "=": version == bound}
    return any(tests[char] for char in sign)


def satisfies(version, spec):
    """True if a version (or its text) fits a range like ">=1.2.0 <2.0.0 || ^3.0.0".

    Clauses side by side must all hold, "||" separates alternatives. "^" allows what keeps
    the major number (below 1.0.0: the minor number), "~" what keeps major and minor.
    """
    version = Version.parse(version) if isinstance(version, str) else version
    groups = [group.split() for group in spec.split("||")]
    if not all(groups):
        raise VersionError("empty range")
    return any(all([_matches(version, clause) for clause in group]) for group in groups)


def latest(versions, spec=None, allow_pre=False):
    """Return the highest of the version texts that fits the range, or None.

    Pre-releases count only with `allow_pre`. Of equal versions the first one wins.
    """
    parsed = [(Version.parse(text), text) for text in versions]
    fitting = [pair for pair in parsed if spec is None or satisfies(pair[0], spec)]
    fitting = [pair for pair in fitting if allow_pre or not pair[0].pre]
    return max(fitting, key=lambda pair: pair[0])[1] if fitting else None
