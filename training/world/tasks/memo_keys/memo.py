"""Remember the results of functions under a normal form of their arguments."""

import functools
import inspect

__all__ = ["Memo", "freeze", "memoize", "normalize"]


def freeze(value):
    """Turn lists, tuples, sets and dicts into a hashable form, at any depth.

    Equal containers of one kind freeze alike, whatever the order of a set's or dict's items;
    a list never equals a tuple or a set. Other values stay as they are; an unhashable one
    raises TypeError.
    """
    if isinstance(value, dict):
        return ("dict", frozenset((key, freeze(item)) for key, item in value.items()))
    if isinstance(value, (set, frozenset)):
        return ("set", frozenset(freeze(item) for item in value))
    if isinstance(value, (list, tuple)):
        return (type(value).__name__, tuple(freeze(item) for item in value))
    hash(value)
    return value


def normalize(function, args, kwargs, ignore=()):
    """Return the arguments of a call as a tuple of (name, value), in the signature's order.

    Defaults are filled in and positions resolved, so that f(1), f(a=1) and f(1, b=2) are one
    call if b is 2 by default. Extra keywords are sorted by name. Parameters in `ignore` are
    left out. Raises TypeError for arguments that do not fit.
    """
    bound = inspect.signature(function).bind(*args, **kwargs)
    bound.apply_defaults()
    pairs = []
    for name, value in bound.arguments.items():
        if name in ignore:
            continue
        if bound.signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
            value = sorted(item for item in value.items() if item[0] not in ignore)
        pairs.append((name, value))
    return tuple(pairs)


class Memo:
    """A function that remembers its results.

    At most `limit` results are kept (None: all), the oldest is forgotten first; being asked
    for again does not make a result younger. With `typed`, 1, 1.0 and True are different.
    `keep(result)` false keeps a result from being remembered. Errors are not remembered.
    """

    def __init__(self, function, limit=None, typed=False, ignore=(), keep=None):
        if limit is not None and limit < 1:
            raise ValueError("limit must be at least 1")
        unknown = [name for name in ignore if name not in inspect.signature(function).parameters]
        if unknown:
            raise ValueError(f"no parameter named {unknown[0]!r}")
        functools.update_wrapper(self, function)
        self.function = function
        self.limit = limit
        self.typed = typed
        self.ignore = tuple(ignore)
        self.keep = keep
        self.hits = 0
        self.misses = 0
        self._results = {}

    def key(self, *args, **kwargs):
        """Return the key under which the call's result is remembered."""
        pairs = normalize(self.function, args, kwargs, self.ignore)
        frozen = tuple((name, freeze(value)) for name, value in pairs)
        if not self.typed:
            return frozen
        return (frozen, tuple(type(value).__name__ for _, value in pairs))

    def __call__(self, *args, **kwargs):
        key = self.key(*args, **kwargs)
        if key in self._results:
            self.hits += 1
            return self._results[key]
        self.misses += 1
        result = self.function(*args, **kwargs)
        if self.keep is None or self.keep(result):
            self._results[key] = result
            if self.limit is not None and len(self._results) > self.limit:
                del self._results[next(iter(self._results))]
        return result

    def __len__(self):
        return len(self._results)

    def knows(self, *args, **kwargs):
        """True if the call's result is remembered; counts nothing."""
        return self.key(*args, **kwargs) in self._results

    def forget(self, *args, **kwargs):
        """Forget one call's result; return True if there was one."""
        key = self.key(*args, **kwargs)
        found = key in self._results
        self._results.pop(key, None)
        return found

    def clear(self):
        """Forget all results and set the counts to zero."""
        self._results.clear()
        self.hits = self.misses = 0


def memoize(function=None, **options):
    """Decorate a function with a Memo, with or without options in parentheses."""
    if function is None:
        return functools.partial(memoize, **options)
    return Memo(function, **options)
