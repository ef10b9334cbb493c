"""Role definitions and assignments, and what they allow (Azure RBAC)."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from functools import cache
from uuid import uuid4

from stacktui.stamp.directory import BuiltInRole


@dataclass(frozen=True, slots=True)
class Assignment:
    """One role assignment; `scope` is the id of a subscription, a group or a resource."""

    name: str
    scope: str
    principal: str
    role: BuiltInRole
    principal_type: str = "ServicePrincipal"
    counts_at: float = 0.0
    """Monotonic time from which it allows anything."""

    def covers(self, scope: str) -> bool:
        """Whether the assignment is at a scope or above it: its scope is a prefix."""
        return within(scope, self.scope)


@dataclass(slots=True)
class AssignmentStore:
    """Role assignments of all subscriptions, by name. `groups` holds the members of each group."""

    members: dict[str, frozenset[str]] = field(default_factory=dict)
    _assignments: dict[str, Assignment] = field(default_factory=dict)

    def all(self) -> list[Assignment]:
        return list(self._assignments.values())

    def get(self, name: str, scope: str) -> Assignment | None:
        """Return the assignment with a name at exactly this scope."""
        found = self._assignments.get(name.lower())
        return found if found and found.scope.lower() == scope.lower() else None

    def named(self, name: str) -> Assignment | None:
        return self._assignments.get(name.lower())

    def add(self, assignment: Assignment) -> None:
        self._assignments[assignment.name.lower()] = assignment

    def remove(self, assignment: Assignment) -> None:
        del self._assignments[assignment.name.lower()]

    def remove_within(self, scope: str) -> None:
        """Remove the assignments at a scope and below it."""
        self._assignments = {
            name: found
            for name, found in self._assignments.items()
            if not within(found.scope, scope)
        }

    def grant(self, scope: str, principal: str, role: BuiltInRole, kind: str) -> None:
        """Add an assignment of the stamp's own, under a new name."""
        self.add(Assignment(str(uuid4()), scope, principal, role, kind))

    def same(self, wanted: Assignment) -> Assignment | None:
        """Return another assignment of the same role to the same principal at the same scope."""
        for known in self._assignments.values():
            if (known.scope.lower(), known.principal, known.role) == (
                wanted.scope.lower(),
                wanted.principal,
                wanted.role,
            ):
                return known
        return None

    def principals(self, object_id: str) -> frozenset[str]:
        """Return a principal's object id and those of its groups."""
        groups = (group for group, members in self.members.items() if object_id in members)
        return frozenset({object_id, *groups})

    def of(self, object_id: str) -> list[Assignment]:
        """Return the assignments of a principal and of its groups that count by now."""
        principals, now = self.principals(object_id), time.monotonic()
        return [
            found
            for found in self._assignments.values()
            if found.principal in principals and found.counts_at <= now
        ]

    def allows(self, object_id: str, action: str, scope: str) -> bool:
        """Whether a role of the principal at the scope or above it allows an action."""
        return any(
            role_allows(found.role, action) for found in self.of(object_id) if found.covers(scope)
        )


def within(scope: str, outer: str) -> bool:
    """Whether a scope is `outer` or below it; ids are compared without case."""
    return f"{scope}/".lower().startswith(f"{outer.rstrip('/')}/".lower())


def role_allows(role: BuiltInRole, action: str) -> bool:
    """Whether a role's actions hold an action, and its notActions do not."""
    return any(_pattern(each).fullmatch(action) for each in role.actions) and not any(
        _pattern(each).fullmatch(action) for each in role.not_actions
    )


@cache
def _pattern(action: str) -> re.Pattern[str]:
    return re.compile(re.escape(action).replace(r"\*", ".*"), re.IGNORECASE)
