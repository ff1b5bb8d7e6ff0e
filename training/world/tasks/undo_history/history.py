"""An undo and redo history with groups, merging and a size limit."""

from dataclasses import dataclass, replace
from typing import Any

__all__ = ["Change", "History", "Document"]


@dataclass(frozen=True)
class Change:
    """A key that went from one value to another; None stands for a missing key."""

    key: str
    before: Any
    after: Any

    def inverse(self) -> "Change":
        """Return the change that takes this one back."""
        return replace(self, before=self.after, after=self.before)

    def follows(self, other: "Change") -> bool:
        """Return whether this change goes on where the other one of the same key ended."""
        return self.key == other.key and self.before == other.after


class History:
    """Steps that can be undone and redone; a step is a list of changes."""

    def __init__(self, limit: int = 100) -> None:
        """Keep at most `limit` steps to undo; ValueError if limit is below 1."""
        if limit < 1:
            raise ValueError("limit must be at least 1")
        self.limit = limit
        self._done: list[list[Change]] = []
        self._undone: list[list[Change]] = []
        self._group: list[Change] = []
        self._depth = 0

    def __len__(self) -> int:
        """Return the number of steps that can be undone."""
        return len(self._done)

    def record(self, change: Change, merge: bool = False) -> None:
        """Note a change, with merge joined to the last one if it follows; redo is forgotten."""
        self._undone.clear()
        if self._depth > 0:
            self._group.append(change)
            return
        if merge and self._done and change.follows(self._done[-1][-1]):
            last = self._done[-1].pop()
            self._done[-1].append(replace(last, after=change.after))
            return
        self._push([change])

    def _push(self, step: list[Change]) -> None:
        """Add a step, dropping the oldest one beyond the limit."""
        self._done.append(step)
        if len(self._done) > self.limit:
            del self._done[0]

    def begin(self) -> None:
        """Open a group: changes up to its end are one step; groups may be nested."""
        self._depth += 1

    def end(self) -> int:
        """Close a group and return its changes so far; an empty outer group leaves no step."""
        if self._depth == 0:
            raise RuntimeError("no group is open")
        self._depth -= 1
        changes = self._group
        if self._depth == 0:
            self._group = []
            if changes:
                self._push(changes)
        return len(changes)

    def undo(self) -> list[Change]:
        """Return the changes that take the last step back, latest first; [] if there is none."""
        if self._depth > 0:
            raise RuntimeError("a group is open")
        if not self._done:
            return []
        step = self._done.pop()
        self._undone.append(step)
        return [change.inverse() for change in reversed(step)]

    def redo(self) -> list[Change]:
        """Return the changes of the step undone last, in their order; [] if there is none."""
        if self._depth > 0:
            raise RuntimeError("a group is open")
        if not self._undone:
            return []
        step = self._undone.pop()
        self._push(step)
        return list(step)


class Document:
    """A mapping from keys to values with undo and redo."""

    def __init__(self, limit: int = 100) -> None:
        """Start empty, with room for `limit` steps."""
        self.values: dict[str, Any] = {}
        self.history = History(limit)

    def set(self, key: str, value: Any, merge: bool = False) -> bool:
        """Set a key, or delete it with None; return False if nothing changes."""
        before = self.values.get(key)
        if before == value:
            return False
        change = Change(key, before, value)
        self._apply([change])
        self.history.record(change, merge)
        return True

    def _apply(self, changes: list[Change]) -> bool:
        """Carry changes out and return whether there were any."""
        for change in changes:
            self.values[change.key] = change.after
            if change.after is None:
                del self.values[change.key]
        return bool(changes)

    def undo(self) -> bool:
        """Take the last step back; False if there is none."""
        return self._apply(self.history.undo())

    def redo(self) -> bool:
        """Carry the step undone last out again; False if there is none."""
        return self._apply(self.history.redo())
