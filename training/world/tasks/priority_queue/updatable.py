"""A priority queue whose entries can be changed and removed; smallest priority first."""

__all__ = ["PriorityQueue", "Empty", "merge"]


class Empty(IndexError):
    """The queue has no entries."""


class PriorityQueue:
    """A binary heap with an index by item.

    Entries of equal priority come out in the order in which they were added. Each item can be
    queued only once. `limit` is the most entries; None is no limit.
    """

    def __init__(self, items=(), limit=None):
        if limit is not None and limit < 1:
            raise ValueError("limit must be at least 1")
        self.limit = limit
        self._heap = []
        self._where = {}
        self._serial = 0
        for item, priority in items:
            self.push(item, priority)

    def __len__(self):
        return len(self._heap)

    def __contains__(self, item):
        return item in self._where

    def push(self, item, priority):
        """Add an item; raises KeyError when it is queued already.

        Over the limit the entry that would come out last is thrown out and its item returned.
        """
        if item in self._where:
            raise KeyError(f"already queued: {item!r}")
        self._heap.append((priority, self._serial, item))
        self._serial += 1
        self._where[item] = len(self._heap) - 1
        self._up(len(self._heap) - 1)
        if self.limit is not None and len(self._heap) > self.limit:
            last = max(self._heap, key=lambda entry: entry[:2])[2]
            self.remove(last)
            return last
        return None

    def peek(self):
        """Return (item, priority) of the first entry without removing it."""
        if not self._heap:
            raise Empty("queue is empty")
        return self._heap[0][2], self._heap[0][0]

    def pop(self):
        """Remove the first entry and return its item; raises Empty."""
        item = self.peek()[0]
        self.remove(item)
        return item

    def update(self, item, priority):
        """Give a queued item another priority; it keeps its place in time among equals."""
        index = self._where[item]
        old, serial, _ = self._heap[index]
        self._heap[index] = (priority, serial, item)
        if priority < old:
            self._up(index)
        else:
            self._down(index)

    def remove(self, item):
        """Take an item out and return its priority; raises KeyError when it is not queued."""
        index = self._where.pop(item)
        priority = self._heap[index][0]
        last = self._heap.pop()
        if index < len(self._heap):
            self._heap[index] = last
            self._where[last[2]] = index
            self._up(index)
            self._down(index)
        return priority

    def priority(self, item, default=None):
        """Return the priority of an item, or `default` when it is not queued."""
        return self._heap[self._where[item]][0] if item in self._where else default

    def pop_until(self, priority):
        """Pop all items whose priority is at most the given one, in order."""
        due = [item for item, value in self.ordered() if value <= priority]
        return [self.pop() for _ in due]

    def ordered(self):
        """List (item, priority) in the order in which entries would come out."""
        return [(item, priority) for priority, _, item in sorted(self._heap, key=lambda e: e[:2])]

    def _swap(self, i, j):
        self._heap[i], self._heap[j] = self._heap[j], self._heap[i]
        self._where[self._heap[i][2]] = i
        self._where[self._heap[j][2]] = j

    def _up(self, index):
        for _ in range(len(self._heap)):
            parent = (index - 1) // 2
            if index == 0 or self._heap[parent][:2] <= self._heap[index][:2]:
                break
            self._swap(index, parent)
            index = parent

    def _down(self, index):
        for _ in range(len(self._heap)):
            children = [c for c in (2 * index + 1, 2 * index + 2) if c < len(self._heap)]
            best = min([index, *children], key=lambda c: self._heap[c][:2])
            if best == index:
                break
            self._swap(index, best)
            index = best


def merge(first, second):
    """Return a queue without limit of both queues' entries; the lower priority wins for doubles."""
    merged = PriorityQueue(first.ordered())
    for item, priority in second.ordered():
        if item not in merged:
            merged.push(item, priority)
        elif priority < merged.priority(item):
            merged.update(item, priority)
    return merged
