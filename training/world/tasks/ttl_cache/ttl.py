"""A mapping whose entries expire; every call is told the time, so that no clock is needed."""

__all__ = ["TTLMap", "parse_duration"]

UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_duration(text):
    """Return the seconds of a duration such as "90", "1h30m", "250ms" or "1d 12h".

    A number without a unit stands for seconds and must stand alone. Every unit may come
    once, from long to short. Raises ValueError for anything else.
    """
    text = text.strip()
    if text.isdecimal():
        return int(text)
    total = 0
    digits = unit = ""
    seen = []
    for char in text + " ":
        if unit and not char.isalpha():
            if not digits or unit not in UNITS or (seen and UNITS[unit] >= seen[-1]):
                raise ValueError(f"bad duration: {text!r}")
            seen.append(UNITS[unit])
            total += int(digits) * UNITS[unit]
            digits = unit = ""
        if char.isalpha():
            unit += char
        elif char.isdecimal():
            digits += char
        elif digits or not char.isspace():
            raise ValueError(f"bad duration: {text!r}")
    if not seen:
        raise ValueError(f"bad duration: {text!r}")
    return total


class TTLMap:
    """Entries live for `ttl` seconds and are gone when that time has just passed.

    With `sliding`, each successful `get` starts an entry's life anew. Over `capacity`, the
    entry that expires first is thrown out, of equal ones the one stored first.
    """

    def __init__(self, ttl, capacity=None, sliding=False):
        if ttl <= 0:
            raise ValueError("ttl must be positive")
        if capacity is not None and capacity < 1:
            raise ValueError("capacity must be at least 1")
        self.ttl = ttl
        self.capacity = capacity
        self.sliding = sliding
        self._entries = {}

    def set(self, key, value, now, ttl=None):
        """Store a value, with its own `ttl` if given; one of zero or less removes the key.

        Returns the keys thrown out to keep within the capacity; expired ones do not count.
        """
        self._entries.pop(key, None)
        ttl = self.ttl if ttl is None else ttl
        if ttl <= 0:
            return []
        self._entries[key] = (value, now + ttl, ttl)
        if self.capacity is None or len(self._entries) <= self.capacity:
            return []
        self.purge(now)
        surplus = max(len(self._entries) - self.capacity, 0)
        others = [other for other in self._entries if other != key]
        others.sort(key=lambda other: self._entries[other][1])
        for other in others[:surplus]:
            del self._entries[other]
        return others[:surplus]

    def get(self, key, now, default=None):
        """Return the value, or the default if the key is missing or expired."""
        if not self.alive(key, now):
            return default
        value, expires, ttl = self._entries[key]
        if self.sliding:
            self._entries[key] = (value, max(expires, now + ttl), ttl)
        return value

    def alive(self, key, now):
        """True if the key is there and not expired; never prolongs its life."""
        return key in self._entries and now < self._entries[key][1]

    def remaining(self, key, now):
        """Return the seconds the entry still has, 0 if it is missing or expired."""
        return self._entries[key][1] - now if self.alive(key, now) else 0

    def touch(self, key, now, ttl=None):
        """Start the entry's life anew, with another `ttl` if given; True if it is alive."""
        if not self.alive(key, now):
            return False
        value, _, old = self._entries[key]
        self.set(key, value, now, old if ttl is None else ttl)
        return True

    def purge(self, now):
        """Forget the expired entries and return how many there were."""
        expired = [key for key in self._entries if not self.alive(key, now)]
        for key in expired:
            del self._entries[key]
        return len(expired)

    def items(self, now):
        """Return the pairs that are alive, in the order of their expiry."""
        living = [key for key in self._entries if self.alive(key, now)]
        living.sort(key=lambda key: self._entries[key][1])
        return [(key, self._entries[key][0]) for key in living]

    def next_expiry(self, now):
        """Return the time at which the next entry that is alive expires, or None."""
        times = [expires for _, expires, _ in self._entries.values() if expires > now]
        return min(times, default=None)

    def add(self, key, amount, now):
        """Add to a number (0 if missing or expired) without changing its expiry; return it."""
        if not self.alive(key, now):
            self.set(key, amount, now)
            return amount
        value, expires, ttl = self._entries[key]
        self._entries[key] = (value + amount, expires, ttl)
        return value + amount
