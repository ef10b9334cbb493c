"""What ARM lists, as values whose texts are sanitised, and why it did not list it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from stacktui.errors import FaultError
from stacktui.transport.limits import LimitName


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription; `state` is ARM's (`Enabled`, `Disabled`, …).

    `tenant` and `offer`, its plan's, are empty where ARM does not give them.
    """

    id: str
    name: str
    state: str
    tenant: str = ""
    offer: str = ""

    @property
    def enabled(self) -> bool:
        return self.state.lower() == "enabled"


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer that a user may take, which gives a subscription."""

    name: str
    title: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class ResourceGroup:
    """One resource group; `state` is its provisioning state, `id` its path."""

    name: str
    location: str
    state: str
    id: str = ""
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def is_deleting(self) -> bool:
        return self.state.casefold() in ("deleting", "deprovisioning")


@dataclass(frozen=True, slots=True)
class ResourceGroupList:
    """Resource groups of one subscription, in ARM's order.

    All of them, unless `cut` names the limit at which reading ended.
    """

    subscription: str
    groups: tuple[ResourceGroup, ...]
    pages: int
    cut: LimitName | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of any type (`Microsoft.Compute/virtualMachines`)."""

    name: str
    type: str
    location: str
    id: str


@dataclass(frozen=True, slots=True)
class ResourceDetails:
    """One resource with what its own provider says; texts are empty where that says nothing.

    `sku` is its name. `document` is ARM's object as JSON, in ASCII only.
    """

    resource: Resource
    tags: Mapping[str, str] = field(hash=False)
    kind: str
    sku: str
    state: str
    document: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock on a group, on its subscription or on what is in it; `scope` is the path of that.

    `level` is ARM's: `CanNotDelete` or `ReadOnly`.
    """

    name: str
    level: str
    notes: str
    scope: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment; `time` is ARM's text (ISO 8601), `error` the code of its failure."""

    name: str
    state: str
    time: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class Permission:
    """Actions that are allowed, without `not_actions`; `*` in one matches any text."""

    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RoleDefinition:
    """A role; `id` is a GUID, the same at every scope: the last segment of ARM's path."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class RoleAssignment:
    """A role that a principal has at a scope and below it; `id` is ARM's path.

    `role` is the id of the RoleDefinition. `principal_type` (`User`, `Group`, `ServicePrincipal`)
    is empty where ARM does not say it, as no stamp does.
    """

    id: str
    scope: str
    role: str
    principal: str
    principal_type: str = ""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who may have a role. `object_id` is as ARM takes it: a GUID or, with AD FS, perhaps a SID.

    `is_application` says that it is an application or a managed identity: False for a user or a
    group, or where that is not known. `identity` is its name in the config, if it has one.
    """

    object_id: str
    is_application: bool = False
    identity: str = ""

    def __str__(self) -> str:
        return f"{self.object_id} (identity {self.identity})" if self.identity else self.object_id


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A type of a provider, with the api-versions and locations that ARM lists, in its order."""

    name: str
    api_versions: tuple[str, ...]
    locations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Provider:
    """A resource provider; `state` is ARM's: `Registered`, `NotRegistered`, `Registering`, …

    `needed` marks those that the samples of the vendor's documents use.
    """

    namespace: str
    state: str
    types: tuple[ResourceType, ...]
    needed: bool

    @property
    def registered(self) -> bool:
        return self.state.lower() == "registered"

    @property
    def registering(self) -> bool:
        return self.state.lower() == "registering"


class ArmProblem(StrEnum):
    """At which point reading from ARM failed."""

    REFUSED = "refused"
    NOT_JSON = "not-json"
    SHAPE = "shape"
    NO_SUBSCRIPTIONS = "no-subscriptions"
    NO_ENABLED_SUBSCRIPTION = "no-enabled-subscription"
    PAGING_LOOP = "paging-loop"
    PAGING_FOREIGN_HOST = "paging-foreign-host"
    PAGING_LIMIT = "paging-limit"
    TOO_LARGE = "too-large"
    NO_API_VERSION = "no-api-version"
    OPERATION_FAILED = "operation-failed"
    OPERATION_FOREIGN_HOST = "operation-foreign-host"
    OPERATION_TIMEOUT = "operation-timeout"


@dataclass(frozen=True, slots=True)
class ArmRefusal:
    """ARM's refusal of one request, in its own words; texts are sanitised."""

    status: int
    code: str = ""
    message: str = ""
    request_id: str = ""
    correlation_id: str = ""


@dataclass(frozen=True, slots=True)
class ArmFault:
    """ARM responded, but not with what was asked for.

    `code` and, for REFUSED and OPERATION_FAILED, `message` are ARM's (`{"error": {"code",
    "message"}}`); else `message` says what came. Both are sanitised. `what` is what was asked for,
    in words; `status` is 0 where no request was sent. `request_id` and `correlation_id` are what
    support needs first. `seen` are the visible subscriptions, where one was refused and they could
    be listed. `page_title` is that of an HTML page that came instead. `next_refusal` is that
    of the same request with an api-version that ARM names, where this one's was refused.
    """

    problem: ArmProblem
    what: str
    status: int
    code: str = ""
    message: str = ""
    request_id: str = ""
    correlation_id: str = ""
    seen: tuple[Subscription, ...] | None = None
    page_title: str = ""
    next_refusal: ArmRefusal | None = None

    def __str__(self) -> str:
        return f"{self.what}: {self.status} {self.code or self.problem}"


class ArmError(FaultError[ArmFault]):
    """ARM did not give what it was asked for."""

    @property
    def refused(self) -> bool:
        """Whether the request was not carried out: a 4xx, but not 408 (RFC 9110 section 15.5.9),
        which something on the way may send while ARM goes on."""
        return 400 <= self.fault.status < 500 and self.fault.status != 408


class OperationError(ArmError):
    """A long-running operation failed, did not end in time, or cannot be followed."""


def is_forbidden(error: FaultError[Any]) -> bool:
    """Return whether ARM says that the caller has no right to do this."""
    return isinstance(error.fault, ArmFault) and error.fault.code == "AuthorizationFailed"
