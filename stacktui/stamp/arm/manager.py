"""The Resource Manager itself: its state, and the authorization of every request."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from stacktui.stamp.arm.bearer_auth import BearerAuth, Caller
from stacktui.stamp.arm.errors import CloudError, Code
from stacktui.stamp.arm.operator import OperatorApi
from stacktui.stamp.arm.stores.groups import GroupStore
from stacktui.stamp.arm.stores.operations import OperationStore
from stacktui.stamp.arm.stores.resources import ResourceStore
from stacktui.stamp.arm.stores.roles import AssignmentStore, within
from stacktui.stamp.directory import Directory, Subscription, SubscriptionState
from stacktui.stamp.hosts import Hosts
from stacktui.stamp.messages import Request
from stacktui.stamp.options import StampOptions

READ_SUBSCRIPTION = "Microsoft.Resources/subscriptions/read"
"""The only action that a disabled subscription allows."""

READ_GROUPS = "Microsoft.Resources/subscriptions/resourceGroups/read"

Parts = Mapping[str, str]


@dataclass(slots=True)
class SubscriptionContents:
    """What one subscription holds. Scopes in lower case are the keys of `locks`."""

    subscription: Subscription
    groups: GroupStore
    resources: ResourceStore
    registered_at: dict[str, float] = field(default_factory=dict)
    """Monotonic time at which a registration ends, by namespace; a provider without one is none."""
    locks: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"/subscriptions/{self.subscription.id}"

    def purge(self, assignments: AssignmentStore) -> None:
        """End the deletions that are due; with a group go its locks and role assignments."""
        for name in self.groups.purge():
            group = f"{self.path}/resourceGroups/{name}"
            assignments.remove_within(group)
            for scope in [each for each in self.locks if within(each, group)]:
                del self.locks[scope]


@dataclass(frozen=True, slots=True)
class ArmRequest:
    """One request after authorization, with the named parts of its path."""

    request: Request
    parts: Parts
    caller: Caller
    found: SubscriptionContents | None
    """Contents of the subscription in the path; None where the path has none."""

    @property
    def contents(self) -> SubscriptionContents:
        """Contents of the subscription in the path; KeyError where the path has none."""
        if self.found is None:
            raise KeyError("subscription")
        return self.found

    @property
    def scope(self) -> str:
        """The scope in the path: a resource, a group, or the subscription."""
        group = f"/resourceGroups/{self.parts['group']}" if self.parts.get("group") else ""
        return f"{self.contents.path}{group}{self.parts.get('resource') or ''}"

    def resource(self) -> dict[str, Any]:
        """Return the resource in the path; CloudError 404 when there is none."""
        _, _, namespace, kind, name = self.parts["resource"].split("/", 4)
        return self.contents.resources.get(self.parts["group"], f"{namespace}/{kind}", name)

    def require_scope(self) -> None:
        """CloudError 404 when the group or the resource of the scope does not exist."""
        if self.parts.get("resource"):
            self.resource()
        elif self.parts.get("group"):
            self.contents.groups.get(self.parts["group"])

    def body(self) -> Any:
        """Return the JSON body; CloudError 400 when it is none."""
        try:
            return json.loads(self.request.body)
        except (ValueError, RecursionError):
            raise CloudError(Code.CONTENT, reason="The body is not JSON") from None


@dataclass(slots=True)
class ResourceManager:
    """ARM for all subscriptions of a directory."""

    options: StampOptions
    hosts: Hosts
    directory: Directory
    build: str
    operator: OperatorApi
    bearer_auth: BearerAuth
    subscriptions: dict[str, SubscriptionContents]
    """By id; without those that do not exist."""
    assignments: AssignmentStore
    denied_actions: frozenset[str] = frozenset()
    operations: OperationStore = field(default_factory=OperationStore)
    principals: dict[str, float] = field(default_factory=dict)
    """Monotonic time at which a principal made here is known everywhere, by object id."""

    def contents(self, subscription: str) -> SubscriptionContents:
        """Return the contents of a subscription of our tenant; CloudError for any other."""
        try:
            UUID(subscription)
        except ValueError:
            raise CloudError(Code.SUBSCRIPTION_ID, id=subscription) from None
        found = self.subscriptions.get(subscription.lower())
        if found is None:
            raise CloudError(Code.SUBSCRIPTION_NOT_FOUND, id=subscription)
        if found.subscription.tenant != self.directory.tenant:
            raise self.bearer_auth.wrong_tenant(self.directory.tenant, found.subscription.tenant)
        found.purge(self.assignments)
        return found

    def authorize(self, asked: ArmRequest, action: str) -> None:
        """Check that the subscription is enabled, and that the caller has the right.

        Groups can be listed by whoever has a role below the subscription: the list is theirs.
        """
        subscription = asked.contents.subscription
        if subscription.state is SubscriptionState.DISABLED and action != READ_SUBSCRIPTION:
            raise CloudError(Code.SUBSCRIPTION_DISABLED, id=asked.parts["subscription"])
        caller = asked.caller
        if action in self.denied_actions or not (
            self.assignments.allows(caller.object_id, action, asked.scope)
            or (action in (READ_GROUPS, READ_SUBSCRIPTION) and self.has_role_in(asked))
        ):
            raise CloudError(
                Code.AUTHORIZATION_FAILED,
                client=caller.name,
                object_id=caller.object_id,
                action=action,
                scope=asked.scope,
            )

    def has_role_in(self, asked: ArmRequest) -> bool:
        """Whether the caller has a role on the subscription, or on anything in it, by a list."""
        if asked.parts.get("group"):
            return False
        return self.sees(asked.caller, asked.contents)

    def sees(self, caller: Caller, contents: SubscriptionContents) -> bool:
        """Whether the caller has a role on the subscription or on anything in it."""
        held = self.assignments.of(caller.object_id)
        return any(within(found.scope, contents.path) for found in held)

    def knows_principal(self, object_id: str) -> bool:
        """Whether the directory knows a principal by now."""
        known_at = self.principals.get(object_id)
        if known_at is not None:
            return time.monotonic() >= known_at
        return object_id in self.directory.principals()
