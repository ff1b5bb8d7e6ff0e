"""A ring buffer of fixed size, a window statistic on top of it, and a line history."""

__all__ = ["RingBuffer", "Window", "History"]


class RingBuffer:
    """Holds the newest `size` values; once full it overwrites the oldest or refuses more."""

    def __init__(self, size, values=(), overwrite=True):
        if size < 1:
            raise ValueError("size must be at least 1")
        self.overwrite = overwrite
        self._slots = [None] * size
        self._start = 0
        self._count = 0
        self.extend(values)

    @property
    def size(self):
        """The most values the buffer can hold."""
        return len(self._slots)

    @property
    def full(self):
        """Whether no slot is free."""
        return self._count == self.size

    def __len__(self):
        return self._count

    def __iter__(self):
        """Yield the values from the oldest to the newest."""
        for offset in range(self._count):
            yield self._slots[(self._start + offset) % self.size]

    def __getitem__(self, index):
        """Return a value by age: 0 is the oldest, -1 the newest; slices give lists."""
        if isinstance(index, slice):
            return list(self)[index]
        if not -self._count <= index < self._count:
            raise IndexError("ring buffer index out of range")
        return self._slots[(self._start + index % self._count) % self.size]

    def append(self, value):
        """Add a value, return the one it overwrote or None; raises OverflowError on refusal."""
        if not self.full:
            self._slots[(self._start + self._count) % self.size] = value
            self._count += 1
            return None
        if not self.overwrite:
            raise OverflowError("ring buffer is full")
        lost = self._slots[self._start]
        self._slots[self._start] = value
        self._start = (self._start + 1) % self.size
        return lost

    def extend(self, values):
        """Append several values and return how many were overwritten."""
        lost = 0
        for value in values:
            lost += self.full
            self.append(value)
        return lost

    def popleft(self):
        """Remove and return the oldest value; raises IndexError when empty."""
        if not self._count:
            raise IndexError("pop from an empty ring buffer")
        value = self._slots[self._start]
        self._slots[self._start] = None
        self._start = (self._start + 1) % self.size
        self._count -= 1
        return value

    def rotate(self, steps=1):
        """Turn the order so that the newest `steps` values become the oldest; negative turns back."""
        values = list(self)
        if values:
            cut = -steps % len(values)
            self._slots[: len(values)] = values[cut:] + values[:cut]
            self._slots[len(values) :] = [None] * (self.size - len(values))
            self._start = 0

    def resize(self, size):
        """Change the size, keeping the newest values; returns the values that were lost."""
        values = list(self)
        kept = values[-size:] if size > 0 else []
        self.__init__(size, kept, self.overwrite)
        return values[: len(values) - len(kept)]


class Window:
    """The sum and mean of the newest `size` numbers."""

    def __init__(self, size):
        self._ring = RingBuffer(size)
        self.total = 0

    def add(self, number):
        """Take a number in and return the mean of the window."""
        self.total += number - (self._ring.append(number) or 0)
        return self.mean()

    def mean(self):
        """Return the mean, or None before the first number."""
        return self.total / len(self._ring) if len(self._ring) else None


class History:
    """A line history as in a shell: repeats of the last line and blank lines are not kept."""

    def __init__(self, size=100):
        self._ring = RingBuffer(size)

    def add(self, line):
        """Remember a line without outer spaces; returns whether it was kept."""
        line = line.strip()
        if not line or (len(self._ring) and self._ring[-1] == line):
            return False
        self._ring.append(line)
        return True

    def search(self, prefix, nth=1):
        """Return the nth newest different line that starts with `prefix`, or None."""
        seen = []
        for line in reversed(self._ring[:]):
            if line.startswith(prefix) and line not in seen:
                seen.append(line)
        return seen[nth - 1] if 1 <= nth <= len(seen) else None
