"""What ARM tells of subscriptions and resource groups, and how it says no."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from stacktui.errors import FaultError
from stacktui.transport.limits import LimitName


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription; `state` is ARM's word (`Enabled`, `Disabled`, …)."""

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
    """All resource groups of one subscription, in the order that ARM gave them."""

    subscription: str
    groups: tuple[ResourceGroup, ...]
    pages: int


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


@dataclass(frozen=True, slots=True)
class ArmFault:
    """ARM answered, but not with what was asked.

    `code` is ARM's (`{"error": {"code", "message"}}`), and so is `message` of a refusal; else it
    tells what was seen. Both are cleaned. `what` is what was asked for, in words; `status` is 0
    where ARM was not asked at all. `request_id` and `correlation_id` are what support asks for
    first. `seen` are the subscriptions that can be seen, where one was refused and they could be
    asked for. `limit` is the count that was hit, `setting` its name.
    """

    problem: ArmProblem
    what: str
    status: int
    code: str = ""
    message: str = ""
    request_id: str = ""
    correlation_id: str = ""
    seen: tuple[Subscription, ...] | None = None
    limit: int | None = None
    setting: LimitName | None = None

    def __str__(self) -> str:
        return f"{self.what}: {self.status} {self.code or self.problem}"


class ArmError(FaultError[ArmFault]):
    """ARM did not give what it was asked for."""
