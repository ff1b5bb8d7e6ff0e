"""Shortest ways through graphs and grids with weights."""

import heapq

__all__ = ["Graph", "NoPath", "grid_path"]


class NoPath(LookupError):
    """There is no way from one node to the other."""


class Graph:
    """A graph with weights of zero or more; edges lead both ways unless it is `directed`."""

    def __init__(self, edges=(), directed=False):
        self.directed = directed
        self._links = {}
        for edge in edges:
            self.add(*edge)

    def add(self, start, end, weight=1):
        """Add an edge. Of several edges between two nodes, the lightest counts.

        A negative weight is a ValueError.
        """
        if weight < 0:
            raise ValueError(f"negative weight: {weight}")
        self._link(start, end, weight)
        if self.directed:
            self._links.setdefault(end, {})
        else:
            self._link(end, start, weight)

    def _link(self, start, end, weight):
        links = self._links.setdefault(start, {})
        links[end] = min(weight, links.get(end, weight))

    def nodes(self):
        """Return the nodes, sorted."""
        return sorted(self._links)

    def edges(self):
        """Return sorted (start, end, weight); an edge of both ways once, smaller end first."""
        found = []
        for start, links in self._links.items():
            for end, weight in links.items():
                if self.directed or start <= end:
                    found.append((start, end, weight))
        return sorted(found)

    def _search(self, start, avoid=()):
        """Return node -> (distance, list of nodes from the start), best ways only."""
        settled = {}
        queue = [(0, 1, (start,))]
        while queue:
            distance, count, nodes = heapq.heappop(queue)
            node = nodes[-1]
            if node in settled or node in avoid:
                continue
            settled[node] = (distance, list(nodes))
            for target, weight in self._links[node].items():
                if target not in settled:
                    heapq.heappush(queue, (distance + weight, count + 1, (*nodes, target)))
        return settled

    def distances(self, start, within=None):
        """Return node -> distance for all nodes in reach, start included.

        With `within`, only nodes at most so far away. An unknown start is a KeyError.
        """
        found = {node: distance for node, (distance, _) in self._search(start).items()}
        return {node: d for node, d in found.items() if within is None or d <= within}

    def path(self, start, goal, avoid=()):
        """Return (distance, nodes from start to goal), never through nodes of `avoid`.

        Of equally long ways the one with fewer edges wins, then the one whose list of nodes
        is smaller. Raises NoPath; an unknown node is a KeyError.
        """
        for node in (start, goal):
            if node not in self._links:
                raise KeyError(node)
        settled = self._search(start, set(avoid))
        if goal not in settled:
            raise NoPath(f"no way from {start!r} to {goal!r}")
        return settled[goal]

    def route(self, *stops, avoid=()):
        """Return (distance, nodes) of the way through all stops in order."""
        if not stops:
            raise ValueError("a route needs a stop")
        total, nodes = 0, [stops[0]]
        for start, goal in zip(stops, stops[1:]):
            distance, part = self.path(start, goal, avoid)
            total += distance
            nodes += part[1:]
        return total, nodes

    def center(self):
        """Return the node whose farthest node is nearest, the smallest of equals.

        Nodes that do not reach all others do not count; None if there is no other.
        """
        best = None
        for node in self.nodes():
            reach = self.distances(node)
            if len(reach) == len(self._links) and (best is None or max(reach.values()) < best[0]):
                best = (max(reach.values()), node)
        return best[1] if best else None


def grid_path(rows, start, goal, wall="#"):
    """Return (cost, cells) of the cheapest way over a grid of characters, in four directions.

    Cells are (row, column). Entering a digit costs its value, any other cell 1; walls cannot
    be entered. Raises NoPath, also if an end is a wall or off the grid.
    """
    costs = {}
    for r, row in enumerate(rows):
        for c, char in enumerate(row):
            if char != wall:
                costs[r, c] = int(char) if char.isdecimal() else 1
    if start not in costs or goal not in costs:
        raise NoPath(f"no way from {start!r} to {goal!r}")
    graph = Graph(directed=True)
    for r, c in costs:
        for near in ((r, c), (r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)):
            if near in costs:
                graph.add((r, c), near, costs[near])
    return graph.path(start, goal)
