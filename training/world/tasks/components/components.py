"""Groups of connected things."""

__all__ = ["DisjointSet", "bridges", "clusters", "components", "islands", "strong_components"]


class DisjointSet:
    """Groups that can only be joined; items are added as they are named."""

    def __init__(self, items=()):
        self._parent = {}
        self._size = {}
        self.groups = 0
        for item in items:
            self.add(item)

    def __len__(self):
        return len(self._parent)

    def add(self, item):
        """Add an item as a group of its own; return False if it was there."""
        if item in self._parent:
            return False
        self._parent[item] = item
        self._size[item] = 1
        self.groups += 1
        return True

    def find(self, item):
        """Return the item that stands for the group; an unknown item is a KeyError."""
        parent = self._parent[item]
        if parent != item:
            self._parent[item] = self.find(parent)
        return self._parent[item]

    def join(self, a, b):
        """Join two groups, adding unknown items; return False if they were one already.

        The larger group's item goes on to stand for it, of equal ones that of `a`.
        """
        self.add(a)
        self.add(b)
        a, b = self.find(a), self.find(b)
        if a == b:
            return False
        if self._size[a] < self._size[b]:
            a, b = b, a
        self._parent[b] = a
        self._size[a] += self._size[b]
        self.groups -= 1
        return True

    def same(self, a, b):
        """True if both are known and in one group."""
        return a in self._parent and b in self._parent and self.find(a) == self.find(b)

    def size(self, item):
        """Return the number of items in the item's group, 0 for an unknown item."""
        return self._size[self.find(item)] if item in self._parent else 0

    def sets(self):
        """Return the groups as sorted lists, largest first, equal ones by their first item."""
        members = {}
        for item in sorted(self._parent):
            members.setdefault(self.find(item), []).append(item)
        return sorted(members.values(), key=lambda group: (-len(group), group))


def components(edges, nodes=()):
    """Return the connected groups like `DisjointSet.sets`; `nodes` may name lone nodes."""
    joined = DisjointSet(nodes)
    for a, b in edges:
        joined.join(a, b)
    return joined.sets()


def bridges(edges):
    """Return the edges without which their ends are no longer connected.

    Each as a sorted pair, all sorted. Edges given twice or from a node to itself are none.
    """
    pairs = [tuple(sorted(edge)) for edge in edges]
    found = []
    for place, (a, b) in enumerate(pairs):
        rest = DisjointSet([a, b])
        for other in pairs[:place] + pairs[place + 1 :]:
            rest.join(*other)
        if not rest.same(a, b):
            found.append((a, b))
    return sorted(found)


def strong_components(graph):
    """Return the groups of nodes that reach each other, in a dict from node to targets.

    Sorted lists; a group comes before those it leads to, otherwise by its first node.
    """
    nodes = sorted(set(graph).union(*graph.values()))
    reach = {node: {node} for node in nodes}
    for _ in nodes:
        for node in nodes:
            targets = graph.get(node, ())
            reach[node] = reach[node].union(*[reach[target] for target in targets])
    groups = {min(a for a in reach[node] if node in reach[a]) for node in nodes}
    order = []
    for _ in range(len(groups)):
        free = [n for n in groups if not any(n in reach[o] for o in groups if o != n)]
        first = min(free)
        groups.remove(first)
        order.append(sorted(n for n in reach[first] if first in reach[n]))
    return order


def islands(rows, land="#", diagonal=False):
    """Return the sizes of the connected areas of land in a grid, largest first."""
    cells = {(r, c) for r, row in enumerate(rows) for c, char in enumerate(row) if char in land}
    steps = [(0, 1), (1, 0)] + ([(1, 1), (1, -1)] if diagonal else [])
    near = [((r, c), (r + y, c + x)) for r, c in cells for y, x in steps if (r + y, c + x) in cells]
    return [len(group) for group in components(near, cells)]


def clusters(values, gap):
    """Group numbers: sorted neighbours at most `gap` apart belong together."""
    groups = []
    for value in sorted(values):
        if groups and value - groups[-1][-1] <= gap:
            groups[-1].append(value)
        else:
            groups.append([value])
    return groups
