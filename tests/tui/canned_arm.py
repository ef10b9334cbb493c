"""What ARM lists, canned: nothing is asked."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from stacktui.check.pinning import RecordDiff
from stacktui.check.registration import Discovery
from stacktui.check.target import CheckTarget
from stacktui.environments.alias_document import (
    SAMPLE,
    AliasDocument,
    AliasProblem,
    ImageAlias,
)
from stacktui.environments.cloud import cloud_of
from stacktui.environments.naming import other_audience
from stacktui.environments.record import StampRecord
from stacktui.identities.token_source import TokenSource
from stacktui.resources.group_changes import GroupWrite
from stacktui.resources.group_deletion import OperationResult, PlannedDeletion
from stacktui.resources.group_details import GroupDetails
from stacktui.resources.images import ImageLevel, ImageMatch
from stacktui.resources.listing import Rows
from stacktui.resources.model import (
    ArmError,
    ArmFault,
    ArmProblem,
    Deployment,
    Lock,
    Permission,
    Provider,
    Resource,
    ResourceDetails,
    ResourceGroup,
    ResourceType,
    RoleAssignment,
    RoleDefinition,
    Subscription,
)
from stacktui.resources.operations import Operation, OperationState
from stacktui.resources.retry import Wait
from stacktui.resources.role_paths import READER
from stacktui.resources.roles import Access
from stacktui.text.times import utc_text
from stacktui.tui.arm_engine import ArmEngine
from stacktui.tui.arm_reader import UnreadError
from stacktui.tui.check_state import CheckState
from stacktui.tui.deletions import LiveDeletion
from stacktui.tui.group_list import GroupPage, text_of

SUBSCRIPTION = "3f6d8b52-6a0c-4f5b-8f16-7f7c0d1f2a90"
_OTHER = "b0a7c9de-1f4e-4c55-9d5b-4a0d8c6f7e11"
_VERSION = "2019-10-01"
_TENANT = "2e1a19d5-0000-4000-8000-000000000001"


def group(name: str, state: str = "Succeeded", **tags: str) -> ResourceGroup:
    path = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{name}"
    return ResourceGroup(name, "local", state, path, tags)


GROUPS = (
    group("backup-vault-prod", env="prod", owner="backup team"),
    group("network-hub", env="prod", owner="network"),
    group("sql-always-on", env="test"),
    group("web-frontend", "Deleting"),
    *(group(f"team-{number:02}", env="dev") for number in range(1, 15)),
)
_NETWORK, _STORAGE = "Microsoft.Network/virtualNetworks", "Microsoft.Storage/storageAccounts"
_INSIDE = f"{GROUPS[1].id}/providers"
DETAILS = GroupDetails(
    Rows(
        (
            Resource("vnet-hub", _NETWORK, "local", f"{_INSIDE}/{_NETWORK}/vnet-hub"),
            Resource("st0hub", _STORAGE, "local", f"{_INSIDE}/{_STORAGE}/st0hub"),
        )
    ),
    Rows((Lock("keep", "CanNotDelete", "Ask the network team.", GROUPS[0].id),)),
    Rows(
        (
            Deployment("hub-2", "Failed", "2026-05-03T10:11:12Z", "QuotaExceeded"),
            Deployment("hub-1", "Succeeded", "2026-05-01T08:00:00Z"),
        )
    ),
    Rows((Permission(("*/read", "Microsoft.Resources/*")),)),
)
SUBSCRIPTIONS = (
    Subscription(SUBSCRIPTION, "Contoso Production", "Enabled", _TENANT),
    Subscription(_OTHER, "Contoso Test", "Disabled", _TENANT),
)
PROVIDERS = (
    Provider(
        "Microsoft.Compute",
        "Registered",
        (
            ResourceType("virtualMachines", ("2020-06-01", "2017-12-01"), ("local",)),
            ResourceType("disks", ("2019-07-01",), ("local",)),
        ),
        needed=True,
    ),
    Provider("Microsoft.KeyVault", "NotRegistered", (), needed=True),
    Provider(
        "Microsoft.Web",
        "NotRegistered",
        (
            ResourceType("sites", ("2018-02-01", "2016-08-01"), ("east", "west")),
            ResourceType("serverFarms", ("2018-02-01",), ("east",)),
            ResourceType("operations", ("2018-02-01",), ()),
        ),
        needed=False,
    ),
)


OBJECT_ID = "71c0fb3a-5b1c-4e62-9d3f-8f2f6c1c0d11"
DEFINITIONS = (READER, RoleDefinition("b24988ac-6180-42a0-ab88-20f7382dd24c", "Contributor"))
ASSIGNMENTS = tuple(
    RoleAssignment(f"{scope}/assignment", scope, role.id, principal)
    for scope, role, principal in (
        (f"/subscriptions/{SUBSCRIPTION}", READER, OBJECT_ID),
        (GROUPS[1].id, DEFINITIONS[1], OBJECT_ID),
        ("", READER, "2f1f6c1c-9d3f-4e62-5b1c-71c0fb3a0d11"),
    )
)


class CannedArm(ArmEngine):
    """Answers at once, and asks nothing."""

    def __init__(
        self,
        groups: tuple[ResourceGroup, ...] = GROUPS,
        fails: str = "",
        breaks: str = "",
        tokens: TokenSource | None = None,
    ) -> None:
        super().__init__(tokens or TokenSource())
        self._groups = groups
        self._fails = fails
        self._breaks = breaks

    async def groups(
        self, target: CheckTarget, wanted: str, on_wait: Callable[[Wait], None], start: str = ""
    ) -> AsyncGenerator[GroupPage, None]:
        if self._fails:
            raise UnreadError(self._fails)
        found = {each.id: each for each in self._groups}
        texts = {key: text_of(each) for key, each in found.items()}
        yield GroupPage(wanted or SUBSCRIPTION, found, texts)

    async def counts(
        self, target: CheckTarget, subscriptions: Iterable[str], on_wait: Callable[[Wait], None]
    ) -> AsyncGenerator[Mapping[str, int], None]:
        yield {each.id.lower(): len(each.name) for each in self._groups[:3]}
        if self._breaks:
            raise UnreadError(self._breaks)

    async def access(
        self, target: CheckTarget, on_wait: Callable[[Wait], None]
    ) -> AsyncGenerator[Access, None]:
        if self._fails:
            raise UnreadError(self._fails)
        refused = ArmError(
            ArmFault(ArmProblem.REFUSED, "the role assignments", 403, "AuthorizationFailed")
        )
        yield Access(
            f"/subscriptions/{SUBSCRIPTION}",
            OBJECT_ID,
            Rows((Permission(("*/read",)),)),
            Rows(DEFINITIONS),
            Rows(error=refused) if self._breaks else Rows(ASSIGNMENTS),
        )

    async def subscriptions(self, target: CheckTarget) -> tuple[Rows[Subscription], str | None]:
        return Rows(SUBSCRIPTIONS), _TENANT

    async def details(self, target: CheckTarget, path: str) -> GroupDetails:
        return DETAILS

    async def resource(self, target: CheckTarget, path: str) -> ResourceDetails:
        found = next(each for each in DETAILS.resources.rows if each.id == path)
        properties = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}
        text = json.dumps({"id": path, "properties": properties}, indent=2)
        return ResourceDetails(found, {"env": "prod"}, "", "Standard", "Succeeded", text)

    async def image_aliases(self, target: CheckTarget, url: str) -> AliasDocument:
        if self._fails:
            raise UnreadError(self._fails)
        *first, last = SAMPLE
        problem = AliasProblem(f"{last.system}, {last.name}", "architecture is missing")
        return AliasDocument((*first, replace(last, architecture="")), (problem,))

    async def images(
        self, target: CheckTarget, aliases: Sequence[ImageAlias]
    ) -> tuple[ImageMatch, ...]:
        if self._breaks:
            raise UnreadError(self._breaks)
        there = ("Canonical", "MicrosoftWindowsServer")
        return tuple(
            ImageMatch(each, each.urn.replace("latest", "18.04.202204190"))
            if each.publisher in there
            else ImageMatch(each, missing=ImageLevel.PUBLISHER, instead=there)
            for each in aliases
        )

    async def discover(self, target: CheckTarget) -> Discovery:
        environment = target.environment
        tenant = {"tenant": _TENANT}
        login = "https://adfs.west.contoso.example/adfs"
        now = datetime(2026, 5, 3, tzinfo=UTC)
        record = StampRecord(environment.arm, login, "https://arm.west/1", now, more=tenant)
        cloud = cloud_of(environment, record.metadata)
        return Discovery(target, cloud, RecordDiff(None, record), other_audience(environment.arm))

    async def providers(self, target: CheckTarget, wanted: str) -> tuple[str, Rows[Provider]]:
        return SUBSCRIPTION, Rows(PROVIDERS)

    async def locations(self, target: CheckTarget, wanted: str) -> tuple[str, tuple[str, ...]]:
        return SUBSCRIPTION, ("local", "north")

    async def plan_creation(
        self,
        target: CheckTarget,
        subscription: str,
        name: str,
        location: str,
        tags: Mapping[str, str],
    ) -> GroupWrite:
        body = {"location": location, "tags": dict(tags)}
        path = group(name).id
        return GroupWrite(name, "PUT", path, _VERSION, body, None, None, tags, location)

    async def plan_deletion(
        self, target: CheckTarget, subscription: str, name: str
    ) -> PlannedDeletion | None:
        found = next(each for each in self._groups if each.name == name)
        inside, locks = DETAILS.resources, DETAILS.locks
        return PlannedDeletion(subscription, found, found.id, _VERSION, inside, locks, {})


def deletions(target: CheckTarget, at: datetime) -> list[LiveDeletion]:
    """One that runs, one that ended, one that ARM refused, and one that nobody can look at."""

    def operation(of: ResourceGroup, seconds: int) -> Operation:
        began = utc_text(at - timedelta(seconds=seconds))
        name, arm = target.environment.name, target.environment.arm
        return Operation("", name, arm, SUBSCRIPTION, of.name, of.id, began)

    waited, gone, refused, unknown = (
        operation(each, 40 * number) for number, each in enumerate(GROUPS[:4], 1)
    )
    ended = OperationResult(gone, OperationState.SUCCEEDED, "the group is gone", gone=True)
    fault = ArmFault(
        ArmProblem.REFUSED, f"the deletion of the resource group {refused.group}", 409,
        code="ScopeLocked", message="The scope cannot perform delete operation.",
    )  # fmt: skip
    return [
        LiveDeletion(target, at, operation=waited, accepted=True),
        LiveDeletion(target, at, CheckState.FINISHED, operation=gone, accepted=True, result=ended),
        LiveDeletion(target, at, CheckState.BROKEN, "409", ArmError(fault), operation=refused),
        LiveDeletion(
            target, at, CheckState.CANCELLED, "not looked at yet: ops needs a person to sign in, "
            "with a check", operation=unknown, accepted=True,
        ),
    ]  # fmt: skip
