"""Order things by what they depend on."""

from heapq import heappop, heappush

__all__ = ["CycleError", "critical_path", "find_cycle", "layers", "needed_by", "needs", "reduce", "toposort"]


class CycleError(ValueError):
    """The graph has a cycle; `cycle` lists its nodes, first one repeated at the end."""

    def __init__(self, cycle):
        super().__init__("cycle: " + " -> ".join(map(str, cycle)))
        self.cycle = cycle


def _complete(graph):
    """Copy a dict from node to what it depends on, adding nodes that are only named there."""
    full = {node: set(targets) for node, targets in graph.items()}
    for targets in graph.values():
        for target in targets:
            full.setdefault(target, set())
    return full


def _reverse(graph):
    return {node: {user for user in graph if node in graph[user]} for node in graph}


def find_cycle(graph):
    """Return a cycle as a list of nodes, each depending on the next, or None.

    The smallest node of a cycle comes first and is repeated at the end. Nodes are searched
    from small to large.
    """
    full = _complete(graph)
    done = set()

    def visit(node, path):
        if node in path:
            return path[path.index(node) :]
        if node in done:
            return None
        for target in sorted(full[node]):
            found = visit(target, path + [node])
            if found:
                return found
        done.add(node)
        return None

    for start in sorted(full):
        cycle = visit(start, [])
        if cycle:
            first = cycle.index(min(cycle))
            return cycle[first:] + cycle[:first] + [cycle[first]]
    return None


def toposort(graph, reverse=False):
    """Return all nodes, each after what it depends on; among the free ones the smallest first.

    With `reverse` the list is turned round. Raises CycleError, also for a node on itself.
    """
    full = _complete(graph)
    users = _reverse(full)
    missing = {node: len(targets) for node, targets in full.items()}
    ready = sorted(node for node, count in missing.items() if count == 0)
    order = []
    for _ in full:
        if not ready:
            raise CycleError(find_cycle(graph))
        node = heappop(ready)
        order.append(node)
        for user in users[node]:
            missing[user] -= 1
            if missing[user] == 0:
                heappush(ready, user)
    return order[::-1] if reverse else order


def layers(graph):
    """Return sorted lists of nodes: each node in the first layer after all it depends on."""
    full = _complete(graph)
    level = {}
    for node in toposort(full):
        level[node] = max([level[target] + 1 for target in full[node]], default=0)
    result = [[] for _ in range(max(level.values(), default=-1) + 1)]
    for node in sorted(level):
        result[level[node]].append(node)
    return result


def needs(graph, *nodes):
    """Return the set of all that the nodes depend on, at any distance, without themselves
    unless they depend on each other. An unknown node is a KeyError. Cycles do no harm."""
    full = _complete(graph)
    found = set()
    pending = [target for node in nodes for target in full[node]]
    for node in pending:
        if node not in found:
            found.add(node)
            pending.extend(full[node])
    return found


def needed_by(graph, *nodes):
    """Return the set of all that depend on the nodes, at any distance."""
    return needs(_reverse(_complete(graph)), *nodes)


def reduce(graph):
    """Return the sorted graph without dependencies that follow from others."""
    full = _complete(graph)
    toposort(full)
    return {node: sorted(full[node] - needs(full, *full[node])) for node in sorted(full)}


def critical_path(graph, costs, default=1):
    """Return (total, path): the chain of dependencies with the highest sum of costs.

    Nodes without a cost count `default`. Of equal chains, the one through smaller nodes,
    compared from its end, wins. An empty graph gives (0, []).
    """
    full = _complete(graph)
    best = {}
    for node in toposort(full):
        before = [best[target] for target in sorted(full[node])]
        total, path = max(before, key=lambda pair: pair[0], default=(0, []))
        best[node] = (total + costs.get(node, default), path + [node])
    return max((best[node] for node in sorted(best)), key=lambda pair: pair[0], default=(0, []))
