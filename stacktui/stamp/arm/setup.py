"""The Resource Manager of a new stamp: its subscriptions, groups, locks and role assignments."""

from __future__ import annotations

from stacktui.stamp.arm.bearer_auth import BearerAuth
from stacktui.stamp.arm.locks import lock_document
from stacktui.stamp.arm.machine_identity import add_machine
from stacktui.stamp.arm.manager import ResourceManager, SubscriptionContents
from stacktui.stamp.arm.operator import OperatorApi
from stacktui.stamp.arm.providers import initially_registered, lists_identities
from stacktui.stamp.arm.stores.groups import GroupStore
from stacktui.stamp.arm.stores.resources import ResourceStore
from stacktui.stamp.arm.stores.roles import AssignmentStore
from stacktui.stamp.directory import Directory, Subscription
from stacktui.stamp.options import StampOptions

GROUPS_OF_OTHERS = 5
"""Groups at most in each subscription but the first."""

LOCKED_GROUPS = "rg-backup-prod-"
"""Start of the names of groups that nobody may delete."""


def make_manager(
    options: StampOptions,
    directory: Directory,
    operator: OperatorApi,
    bearer_auth: BearerAuth,
    denied_actions: frozenset[str],
) -> ResourceManager:
    """Return the Resource Manager over the directory's subscriptions."""
    hosts = operator.hosts
    found = {
        each.id: _contents(options, each, hosts.locations, each.id == directory.subscription)
        for each in directory.subscriptions
    }
    assignments = AssignmentStore({directory.group.object_id: directory.group.members})
    for contents in found.values():
        for object_id, (kind, role) in directory.principals().items():
            if role is not None:
                assignments.grant(contents.path, object_id, role, kind)
    manager = ResourceManager(
        options,
        hosts,
        directory,
        operator.build,
        operator,
        bearer_auth,
        found,
        assignments,
        denied_actions,
    )
    first = found.get(directory.subscription)
    if first and lists_identities(manager):
        add_machine(manager, first)
    return manager


def _contents(
    options: StampOptions, subscription: Subscription, locations: tuple[str, ...], first: bool
) -> SubscriptionContents:
    count = options.groups if first else min(options.groups, GROUPS_OF_OTHERS)
    groups = GroupStore(subscription.id, locations, count)
    if options.hostile:
        groups.add_hostile()
    contents = SubscriptionContents(
        subscription,
        groups,
        ResourceStore(groups),
        initially_registered(options.unregistered),
    )
    for group in groups.all():
        if group.name.startswith(LOCKED_GROUPS):
            scope = f"{contents.path}/resourceGroups/{group.name}"
            lock = lock_document(scope, "keep-backups", "CanNotDelete", "Ask before you delete it.")
            contents.locks[scope.lower()] = {"keep-backups": lock}
    return contents
