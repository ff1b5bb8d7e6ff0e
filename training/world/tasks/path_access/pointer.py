"""Access to nested lists and dicts by slash-separated pointers such as ``/users/0/name``."""

from collections.abc import Iterator
from typing import Any

__all__ = [
    "Pointer", "PointerError", "copy_at", "delete", "get", "has", "parent_and_key", "put", "walk",
]  # fmt: skip

_NONE = object()


class PointerError(LookupError):
    """A pointer that is malformed or leads nowhere."""


class Pointer(tuple):
    """The parts of a pointer; in text, ~1 stands for a slash in a part and ~0 for a tilde."""

    @classmethod
    def parse(cls, text: str) -> "Pointer":
        """Return the pointer of a text: "" is the root, all others start with a slash."""
        if text == "":
            return cls()
        if not text.startswith("/"):
            raise PointerError(f"pointer must start with a slash: {text}")
        return cls(part.replace("~1", "/").replace("~0", "~") for part in text[1:].split("/"))

    def __str__(self) -> str:
        """Return the text of the pointer."""
        return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in self)

    def is_under(self, other: "Pointer") -> bool:
        """Return whether the other pointer leads to a true parent of this one's place."""
        return len(self) > len(other) and self[: len(other)] == other


def _index(node: list, part: str, extra: int = 0) -> int:
    """Return a list index: digits without leading zeros, below the length plus extra."""
    if part == "-" and extra:
        return len(node)
    if not (part.isascii() and part.isdigit()) or (part[0] == "0" and part != "0"):
        raise PointerError(f"not an index: {part}")
    index = int(part)
    if index >= len(node) + extra:
        raise PointerError(f"index out of range: {part}")
    return index


def _step(node: Any, part: str) -> Any:
    """Return what a part leads to from a node."""
    if isinstance(node, dict):
        if part not in node:
            raise PointerError(f"no such key: {part}")
        return node[part]
    if isinstance(node, list):
        return node[_index(node, part)]
    raise PointerError(f"cannot descend into {type(node).__name__} with {part}")


def get(data: Any, text: str, default: Any = _NONE) -> Any:
    """Return the value at a pointer, else the default; PointerError without one or if malformed."""
    pointer = Pointer.parse(text)
    try:
        for part in pointer:
            data = _step(data, part)
    except PointerError:
        if default is _NONE:
            raise
        return default
    return data


def has(data: Any, text: str) -> bool:
    """Return whether a pointer leads to a value, be it None."""
    missing = object()
    return get(data, text, missing) is not missing


def parent_and_key(data: Any, text: str) -> tuple[Any, str]:
    """Return the container that holds a pointer's place, and the last part."""
    pointer = Pointer.parse(text)
    if not pointer:
        raise PointerError("the root has no parent")
    return get(data, str(Pointer(pointer[:-1]))), pointer[-1]


def put(data: Any, text: str, value: Any, insert: bool = False) -> None:
    """Set the value at a pointer in place.

    In a list, "-" or the length appends; with insert, an index moves the later items on.
    """
    parent, key = parent_and_key(data, text)
    if isinstance(parent, dict):
        parent[key] = value
    elif isinstance(parent, list):
        index = _index(parent, key, extra=1)
        parent[index : index if insert else index + 1] = [value]
    else:
        raise PointerError(f"cannot set {key} in {type(parent).__name__}")


def delete(data: Any, text: str) -> Any:
    """Remove the value at a pointer in place and return it."""
    parent, key = parent_and_key(data, text)
    value = _step(parent, key)
    del parent[_index(parent, key) if isinstance(parent, list) else key]
    return value


def copy_at(data: Any, source: str, target: str, move: bool = False) -> None:
    """Put the value at source also at target, or move it; it cannot move under itself."""
    if move and Pointer.parse(target).is_under(Pointer.parse(source)):
        raise PointerError("cannot move a value under itself")
    value = delete(data, source) if move else get(data, source)
    put(data, target, value, insert=True)


def walk(data: Any, leaves_only: bool = True) -> Iterator[tuple[str, Any]]:
    """Yield (pointer, value) depth first; an empty dict or list is a leaf."""
    stack = [(Pointer(), data)]
    while stack:
        pointer, node = stack.pop()
        below = list(node.items()) if isinstance(node, dict) else []
        if isinstance(node, list):
            below = list(enumerate(node))
        if not below or not leaves_only:
            yield str(pointer), node
        stack += [(Pointer((*pointer, str(key))), value) for key, value in reversed(below)]
