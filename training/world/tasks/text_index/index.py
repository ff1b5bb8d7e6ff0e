"""A small inverted index over short texts."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field

__all__ = ["Hit", "TextIndex", "split_words"]

_WORD = re.compile(r"[a-z0-9]+")


def split_words(text: str, min_length: int = 1) -> list[str]:
    """Return the lower-cased words of a text in order, those shorter than min_length left out."""
    return [word for word in _WORD.findall(text.lower()) if len(word) >= min_length]


@dataclass(frozen=True)
class Hit:
    """A document found, with the number of times the query's words occur in it."""

    doc_id: int
    score: int


@dataclass
class TextIndex:
    """Documents under integer ids, searchable by word, prefix and phrase."""

    stop_words: frozenset[str] = frozenset()
    min_length: int = 1
    _docs: dict[int, list[str]] = field(default_factory=dict)
    _postings: dict[str, Counter] = field(default_factory=lambda: defaultdict(Counter))

    def __len__(self) -> int:
        """Return the number of documents."""
        return len(self._docs)

    def _words(self, text: str) -> list[str]:
        """Return the indexed words of a text: long enough and not stop words."""
        words = split_words(text, self.min_length)
        return [word for word in words if word not in self.stop_words]

    def add(self, doc_id: int, text: str) -> int:
        """Index a document, replacing one with the same id; return its number of indexed words."""
        if doc_id in self._docs:
            self.remove(doc_id)
        words = self._words(text)
        self._docs[doc_id] = words
        for word in words:
            self._postings[word][doc_id] += 1
        return len(words)

    def remove(self, doc_id: int) -> None:
        """Forget a document; KeyError if it is unknown."""
        for word in set(self._docs.pop(doc_id)):
            del self._postings[word][doc_id]
            if not self._postings[word]:
                del self._postings[word]

    def frequency(self, word: str) -> int:
        """Return in how many documents a word occurs, its case ignored."""
        return len(self._postings.get(word.lower(), ()))

    def search(self, query: str, mode: str = "all", limit: int | None = None) -> list[Hit]:
        """Return hits by falling score, then rising id; ids of documents with all or any words.

        A query without indexed words finds nothing. ValueError on a mode other than all or any.
        """
        if mode not in ("all", "any"):
            raise ValueError(f"unknown mode: {mode}")
        words = sorted(set(self._words(query)))
        scores: Counter = Counter()
        matched: Counter = Counter()
        for word in words:
            for doc_id, count in self._postings.get(word, {}).items():
                scores[doc_id] += count
                matched[doc_id] += 1
        needed = len(words) if mode == "all" else 1
        hits = [Hit(doc_id, scores[doc_id]) for doc_id in scores if matched[doc_id] >= needed]
        hits.sort(key=lambda hit: (-hit.score, hit.doc_id))
        return hits[:limit]

    def phrase(self, text: str) -> list[int]:
        """Return the rising ids of documents where the words follow each other directly."""
        wanted = self._words(text)
        if not wanted:
            return []
        size = len(wanted)
        found = []
        for doc_id, words in self._docs.items():
            starts = range(len(words) - size + 1)
            if any(words[start : start + size] == wanted for start in starts):
                found.append(doc_id)
        return sorted(found)

    def words_with_prefix(self, prefix: str) -> list[str]:
        """Return the indexed words with a prefix: in most documents first, then alphabetical."""
        words = [word for word in self._postings if word.startswith(prefix.lower())]
        return sorted(words, key=lambda word: (-len(self._postings[word]), word))
