"""Roles with inheritance, wildcard permissions and deny rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

__all__ = ["Decision", "PolicyError", "Role", "Resolver", "matches", "specificity"]


class PolicyError(ValueError):
    """Roles that are unknown, defined twice or inherit from themselves."""


def matches(pattern: str, permission: str) -> bool:
    """Return whether a pattern covers a permission, both being parts joined by colons.

    A "*" covers one part, and as the last part one or more.
    """
    wanted = pattern.split(":")
    parts = permission.split(":")
    if wanted[-1] == "*" and len(parts) > len(wanted):
        parts = parts[: len(wanted)]
    if len(wanted) != len(parts):
        return False
    return all(one in ("*", other) for one, other in zip(wanted, parts, strict=True))


def specificity(pattern: str) -> tuple[int, int]:
    """Return a sort key that is higher for a narrower pattern: more named parts, more parts."""
    parts = pattern.split(":")
    return sum(part != "*" for part in parts), len(parts)


@dataclass(frozen=True)
class Role:
    """A role: what it allows, what it denies, the roles it inherits from."""

    name: str
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decision:
    """Whether something is allowed, with the role and the pattern that decided, if any."""

    allowed: bool
    role: str | None = None
    pattern: str | None = None


@dataclass
class Resolver:
    """Decides what users may do from their roles."""

    roles: dict[str, Role] = field(default_factory=dict)
    grants: dict[str, list[tuple[str, int | None]]] = field(default_factory=dict)

    def define(self, role: Role) -> None:
        """Add a role, its parents first; PolicyError on a known name or an unknown parent."""
        if role.name in self.roles:
            raise PolicyError(f"role {role.name} is already defined")
        for parent in role.parents:
            self._known(parent)
        self.roles[role.name] = role

    def _known(self, name: str) -> Role:
        """Return a role by name; PolicyError if it is unknown."""
        if name not in self.roles:
            raise PolicyError(f"unknown role: {name}")
        return self.roles[name]

    def grant(self, user: str, role: str, until: int | None = None) -> None:
        """Give a role to a user, up to but not including the time `until`; None means always.

        Granting a role again replaces its time.
        """
        self._known(role)
        held = [pair for pair in self.grants.get(user, []) if pair[0] != role]
        self.grants[user] = [*held, (role, until)]

    def revoke(self, user: str, role: str) -> bool:
        """Take a role from a user; return whether the user had it."""
        held = self.grants.get(user, [])
        kept = [pair for pair in held if pair[0] != role]
        if kept:
            self.grants[user] = kept
        else:
            self.grants.pop(user, None)
        return len(kept) < len(held)

    def lineage(self, names: Iterable[str]) -> list[str]:
        """Return the names and all they inherit from, nearest first, each once."""
        found: list[str] = []
        level = list(names)
        for _ in range(len(self.roles)):
            level = [name for name in dict.fromkeys(level) if name not in found]
            found += level
            level = [parent for name in level for parent in self._known(name).parents]
        return found

    def roles_of(self, user: str, now: int = 0) -> list[str]:
        """Return the roles that a user holds at a time, in order of granting, then inherited."""
        held = [role for role, until in self.grants.get(user, []) if until is None or now < until]
        return self.lineage(held)

    def decide(self, user: str, permission: str, now: int = 0) -> Decision:
        """Return the decision of the narrowest pattern that covers the permission.

        Among equally narrow ones deny wins, then the nearer role. Nothing found is a refusal.
        """
        best: tuple | None = None
        decision = Decision(allowed=False)
        for name in self.roles_of(user, now):
            role = self.roles[name]
            rules = [(p, False) for p in role.deny] + [(p, True) for p in role.allow]
            for pattern, allowed in rules:
                rank = (specificity(pattern), not allowed)
                if matches(pattern, permission) and (best is None or rank > best):
                    best, decision = rank, Decision(allowed, name, pattern)
        return decision

    def who_can(self, permission: str, now: int = 0) -> list[str]:
        """Return the sorted users who are allowed something at a time."""
        return sorted(user for user in self.grants if self.decide(user, permission, now).allowed)
