"""A counting prefix tree with completion and longest-prefix lookup."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["PrefixTrie", "common_prefix"]


class _Node:
    __slots__ = ("children", "count", "passing")

    def __init__(self) -> None:
        """Create a node without children that ends no word."""
        self.children: dict[str, _Node] = {}
        self.count = 0
        self.passing = 0


class PrefixTrie:
    """A multiset of words that answers questions about prefixes."""

    def __init__(self, words: tuple[str, ...] | list[str] = ()) -> None:
        """Hold the given words; a word given twice counts twice."""
        self._root = _Node()
        for word in words:
            self.add(word)

    def __len__(self) -> int:
        """Return the number of words held, repeats included."""
        return self._root.passing

    def __contains__(self, word: str) -> bool:
        """Return whether the whole word is held (a mere prefix is not)."""
        return self.count(word) > 0

    def add(self, word: str, times: int = 1) -> int:
        """Add a word `times` times and return its count; ValueError unless times >= 1."""
        if times < 1:
            raise ValueError("times must be at least 1")
        node = self._root
        node.passing += times
        for letter in word:
            node = node.children.setdefault(letter, _Node())
            node.passing += times
        node.count += times
        return node.count

    def remove(self, word: str) -> int:
        """Take one occurrence away and return how many are left; KeyError if there is none."""
        if word not in self:
            raise KeyError(word)
        node = self._root
        node.passing -= 1
        for letter in word:
            child = node.children[letter]
            child.passing -= 1
            if child.passing == 0:
                del node.children[letter]
            node = child
        node.count -= 1
        return node.count

    def count(self, word: str) -> int:
        """Return how often the word is held, 0 if never."""
        node = self._find(word)
        return node.count if node is not None else 0

    def count_prefix(self, prefix: str) -> int:
        """Return how many words, repeats included, start with the prefix."""
        node = self._find(prefix)
        return node.passing if node is not None else 0

    def complete(self, prefix: str, limit: int | None = None) -> list[str]:
        """Return distinct words with the prefix: most frequent first, ties in alphabetical order.

        At most `limit` words are returned; None means all. ValueError on a negative limit.
        """
        if limit is not None and limit < 0:
            raise ValueError("limit must not be negative")
        node = self._find(prefix)
        if node is None:
            return []
        found = sorted(self._walk(node, prefix), key=lambda pair: (-pair[1], pair[0]))
        return [word for word, _ in found[:limit]]

    def longest_prefix(self, text: str) -> str | None:
        """Return the longest held word that starts the text, or None."""
        node = self._root
        best = "" if node.count > 0 else None
        for position, letter in enumerate(text):
            if letter not in node.children:
                break
            node = node.children[letter]
            if node.count > 0:
                best = text[: position + 1]
        return best

    def _find(self, prefix: str) -> _Node | None:
        """Return the node that the prefix leads to, or None."""
        node = self._root
        for letter in prefix:
            if letter not in node.children:
                return None
            node = node.children[letter]
        return node

    def _walk(self, node: _Node, path: str) -> Iterator[tuple[str, int]]:
        """Yield every word below the node with its count."""
        if node.count > 0:
            yield path, node.count
        for letter, child in node.children.items():
            yield from self._walk(child, path + letter)


def common_prefix(words: list[str]) -> str:
    """Return the longest prefix that all words share; "" for no words at all."""
    if not words:
        return ""
    low, high = min(words), max(words)
    for position, letter in enumerate(low):
        if letter != high[position]:
            return low[:position]
    return low
