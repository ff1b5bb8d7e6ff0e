"""Deep merge, difference and patching of nested dicts."""

import copy

__all__ = ["MISSING", "MergeConflict", "apply_diff", "deep_merge", "diff", "flatten", "invert",
           "unflatten"]  # fmt: skip


class _Missing:
    """The mark for a key that is not there."""

    def __repr__(self):
        """Return the name of the mark."""
        return "MISSING"


MISSING = _Missing()
LIST_MODES = ("replace", "append", "unique")


class MergeConflict(ValueError):
    """Two values that cannot be merged; names the path."""


def deep_merge(base, *others, lists="replace", strict=False):
    """Return a deep copy of base with the others merged in, one after the other.

    Dicts merge key by key; lists replace, append, or append only what is not yet there (unique).
    None in an other removes the key. With strict, a dict meeting a non-dict is a MergeConflict.
    ValueError on an unknown list mode.
    """
    if lists not in LIST_MODES:
        raise ValueError(f"unknown list mode: {lists}")
    result = copy.deepcopy(base)
    for other in others:
        _merge_into(result, other, lists, strict, ())
    return result


def _merge_into(target, other, lists, strict, path):
    """Merge other into target in place."""
    for key, value in other.items():
        here = (*path, str(key))
        if value is None:
            target.pop(key, None)
            continue
        old = target.get(key)
        if strict and old is not None and isinstance(old, dict) != isinstance(value, dict):
            raise MergeConflict(".".join(here))
        if isinstance(value, dict):
            if not isinstance(old, dict):
                old = target[key] = {}
            _merge_into(old, value, lists, strict, here)
        elif isinstance(old, list) and isinstance(value, list) and lists != "replace":
            for item in value:
                if lists == "append" or item not in old:
                    old.append(copy.deepcopy(item))
        else:
            target[key] = copy.deepcopy(value)


def diff(old, new):
    """Return {path: (before, after)} for each leaf that differs, MISSING where there is none.

    Paths are tuples of keys. Dicts on both sides are compared key by key, anything else as a
    whole; 1, 1.0 and True are different values.
    """
    changes = {}
    for key in [*old, *(key for key in new if key not in old)]:
        before, after = old.get(key, MISSING), new.get(key, MISSING)
        if isinstance(before, dict) and isinstance(after, dict):
            for path, change in diff(before, after).items():
                changes[(key, *path)] = change
        elif type(before) is not type(after) or before != after:
            changes[(key,)] = (before, after)
    return changes


def apply_diff(data, changes):
    """Return a deep copy of data with a diff applied; MergeConflict where before is not found."""
    result = copy.deepcopy(data)
    for path, (before, after) in changes.items():
        parent = result
        for key in path[:-1]:
            parent = parent.setdefault(key, {})
        if parent.get(path[-1], MISSING) != before:
            raise MergeConflict(".".join(map(str, path)))
        if after is MISSING:
            del parent[path[-1]]
        else:
            parent[path[-1]] = copy.deepcopy(after)
    return result


def invert(changes):
    """Return the diff that takes the given one back."""
    return {path: (after, before) for path, (before, after) in changes.items()}


def flatten(data, separator=".", max_depth=None):
    """Return {joined path: leaf}; empty dicts are leaves, as are dicts below max_depth keys."""
    flat = {}
    for key, value in data.items():
        if isinstance(value, dict) and value and (max_depth is None or max_depth > 1):
            below = None if max_depth is None else max_depth - 1
            for path, leaf in flatten(value, separator, below).items():
                flat[f"{key}{separator}{path}"] = leaf
        else:
            flat[str(key)] = value
    return flat


def unflatten(flat, separator="."):
    """Return the nested dict of joined paths; MergeConflict if a path runs through a leaf."""
    data = {}
    for path, value in flat.items():
        *parents, last = path.split(separator)
        node = data
        for key in parents:
            node = node.setdefault(key, {})
            if not isinstance(node, dict):
                raise MergeConflict(path)
        if last in node:
            raise MergeConflict(path)
        node[last] = value
    return data
