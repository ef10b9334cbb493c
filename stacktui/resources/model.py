"""Subscriptions and resource groups as ARM lists them, and why it did not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from stacktui.errors import FaultError
from stacktui.transport.limits import LimitName


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription; `state` is ARM's (`Enabled`, `Disabled`, …)."""

    id: str
    name: str
    state: str

    @property
    def enabled(self) -> bool:
        return self.state.lower() == "enabled"


@dataclass(frozen=True, slots=True)
class ResourceGroup:
    """One resource group; `state` is its provisioning state."""

    name: str
    location: str
    state: str


@dataclass(frozen=True, slots=True)
class ResourceGroupList:
    """Resource groups of one subscription, in ARM's order.

    All of them, unless `cut` names the limit at which reading ended.
    """

    subscription: str
    groups: tuple[ResourceGroup, ...]
    pages: int
    cut: LimitName | None = None


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
class ArmFault:
    """ARM responded, but not with what was asked for.

    `code` and, for REFUSED and OPERATION_FAILED, `message` are ARM's (`{"error": {"code",
    "message"}}`); else `message` says what came. Both are sanitised. `what` is what was asked for,
    in words; `status` is 0 where no request was sent. `request_id` and `correlation_id` are what
    support needs first. `seen` are the visible subscriptions, where one was refused and they could
    be listed.
    """

    problem: ArmProblem
    what: str
    status: int
    code: str = ""
    message: str = ""
    request_id: str = ""
    correlation_id: str = ""
    seen: tuple[Subscription, ...] | None = None

    def __str__(self) -> str:
        return f"{self.what}: {self.status} {self.code or self.problem}"


class ArmError(FaultError[ArmFault]):
    """ARM did not give what it was asked for."""


class OperationError(ArmError):
    """A long-running operation failed, did not end in time, or cannot be followed."""
