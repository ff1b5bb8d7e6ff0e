"""A least-recently-used cache with a limit on the weight of its entries."""

from collections import OrderedDict

__all__ = ["CacheStats", "LRUCache"]


class CacheStats:
    """Counts of hits, misses and evictions."""

    def __init__(self):
        self.reset()

    def reset(self):
        """Set all counts to zero."""
        self.hits = 0
        self.misses = 0
        self.evictions = 0

    def ratio(self):
        """Return hits over lookups, 0.0 without any lookup."""
        lookups = self.hits + self.misses
        return self.hits / lookups if lookups else 0.0

    def __repr__(self):
        return f"CacheStats(hits={self.hits}, misses={self.misses}, evictions={self.evictions})"


class LRUCache:
    """A mapping that throws out the entries used longest ago once it weighs too much.

    `limit` is the highest total weight. `weigh(value)` gives an entry's weight (1 each by
    default, never negative). `on_evict(key, value)` is called for entries thrown out by the
    limit, not for those removed or replaced.
    """

    def __init__(self, limit, weigh=None, on_evict=None):
        if limit < 1:
            raise ValueError("limit must be at least 1")
        self.limit = limit
        self.stats = CacheStats()
        self.weight = 0
        self._weigh = weigh
        self._on_evict = on_evict
        self._entries = OrderedDict()

    def __len__(self):
        return len(self._entries)

    def __contains__(self, key):
        """Tell whether the key is there; this is no use of the entry."""
        return key in self._entries

    def __repr__(self):
        return f"LRUCache({dict(self.items())!r}, limit={self.limit})"

    def keys(self):
        """Return the keys, the one used longest ago first."""
        return list(self._entries)

    def items(self):
        """Return (key, value) pairs, the one used longest ago first."""
        return [(key, value) for key, (value, _) in self._entries.items()]

    def get(self, key, default=None):
        """Return the value and make the entry the last used, or return the default; count a
        hit or a miss."""
        if key not in self._entries:
            self.stats.misses += 1
            return default
        self.stats.hits += 1
        self._entries.move_to_end(key)
        return self._entries[key][0]

    def peek(self, key, default=None):
        """Return the value without counting anything or changing the order."""
        return self._entries[key][0] if key in self._entries else default

    def put(self, key, value):
        """Store a value as the entry just used; return True if it was stored.

        A value heavier than the whole limit is not stored, but the key's old entry goes all
        the same. A negative weight is a ValueError and changes nothing.
        """
        weight = 1 if self._weigh is None else self._weigh(value)
        if weight < 0:
            raise ValueError(f"negative weight: {weight}")
        self.remove(key)
        if weight > self.limit:
            return False
        self._entries[key] = (value, weight)
        self.weight += weight
        self._shrink()
        return True

    def _shrink(self):
        for key in list(self._entries):
            if self.weight <= self.limit:
                break
            value, weight = self._entries.pop(key)
            self.weight -= weight
            self.stats.evictions += 1
            if self._on_evict is not None:
                self._on_evict(key, value)

    def remove(self, key):
        """Drop an entry; return True if there was one."""
        if key not in self._entries:
            return False
        self.weight -= self._entries.pop(key)[1]
        return True

    def resize(self, limit):
        """Change the limit, throwing out entries if need be; return how many went."""
        if limit < 1:
            raise ValueError("limit must be at least 1")
        before = len(self)
        self.limit = limit
        self._shrink()
        return before - len(self)

    def get_or_make(self, key, make):
        """Return the value under the key, or store and return `make(key)` (even None)."""
        if key in self:
            return self.get(key)
        self.stats.misses += 1
        value = make(key)
        self.put(key, value)
        return value
