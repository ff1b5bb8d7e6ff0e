"""A plain binary search tree that maps comparable keys to values."""

__all__ = ["SearchTree"]


class SearchTree:
    """A sorted mapping; keys must be comparable with each other."""

    def __init__(self, pairs=()):
        """Build the tree from (key, value) pairs; the last value of a key wins."""
        self._root = None
        self._size = 0
        for key, value in pairs:
            self.insert(key, value)

    def __len__(self):
        """Return the number of keys."""
        return self._size

    def insert(self, key, value=None):
        """Set the value of a key; return True if the key was not there before."""
        if self._root is None:
            self._root = [key, value, None, None]
            self._size = 1
            return True
        node = self._root
        while node[0] != key:
            side = 2 if key < node[0] else 3
            if node[side] is None:
                node[side] = [key, value, None, None]
                self._size += 1
                return True
            node = node[side]
        node[1] = value
        return False

    def get(self, key, default=None):
        """Return the value of a key, or the default if it is missing."""
        node = self._root
        while node is not None:
            if key == node[0]:
                return node[1]
            node = node[2] if key < node[0] else node[3]
        return default

    def delete(self, key):
        """Remove a key and return its value; KeyError if it is missing."""
        parent, side, node = None, 2, self._root
        while node is not None and node[0] != key:
            parent, side = node, (2 if key < node[0] else 3)
            node = node[side]
        if node is None:
            raise KeyError(key)
        value = node[1]
        if node[2] is not None and node[3] is not None:
            parent, side, successor = node, 3, node[3]
            while successor[2] is not None:
                parent, side, successor = successor, 2, successor[2]
            node[0], node[1] = successor[0], successor[1]
            node = successor
        child = node[2] if node[2] is not None else node[3]
        if parent is None:
            self._root = child
        else:
            parent[side] = child
        self._size -= 1
        return value

    def items(self, low=None, high=None):
        """Yield (key, value) in key order for low <= key < high; None leaves a side open."""
        stack, node = [], self._root
        while stack or node is not None:
            if node is not None:
                stack.append(node)
                node = node[2]
                continue
            node = stack.pop()
            if high is not None and node[0] >= high:
                return
            if low is None or node[0] >= low:
                yield node[0], node[1]
            node = node[3]

    def floor(self, key):
        """Return the largest key that is <= the given one, or None."""
        best, node = None, self._root
        while node is not None:
            if node[0] == key:
                return key
            if node[0] < key:
                best, node = node[0], node[3]
            else:
                node = node[2]
        return best

    def ceiling(self, key):
        """Return the smallest key that is >= the given one, or None."""
        for found, _ in self.items(low=key):
            return found
        return None

    def rank(self, key):
        """Return how many keys are smaller than the given one, itself held or not."""
        return sum(1 for _ in self.items(high=key))

    def height(self):
        """Return the number of levels: 0 for an empty tree, 1 for a single key."""
        level, depth = [self._root] if self._root is not None else [], 0
        while level:
            depth += 1
            level = [child for node in level for child in node[2:] if child is not None]
        return depth
