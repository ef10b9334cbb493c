"""Options of the embedded stamp. Cheap to import: no TLS, no cryptography."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from stacktui.stamp.cloud import Cloud
from stacktui.stamp.identity_provider import IdentityProvider
from stacktui.stamp.request_faults import RequestFault

GROUP_QUOTA = 980
"""Resource groups a subscription can hold (PROTOCOL.md section 4)."""

MAX_GROUPS = 20_000
"""Resource groups that a stamp serves for benchmarks."""

ROLES = ("owner", "contributor", "reader", "user-access-administrator")
OTHER_TENANT = "other-tenant"
MORE_SUBSCRIPTIONS = ("enabled", "warned", "past-due", "disabled", OTHER_TENANT)
METADATA_FORMS = ("usual", "newer-only", "byte-order-mark", "list", "no-graph")
"""The metadata document as usual; refused by its oldest api-version; with a byte-order mark; a list
of clouds by every api-version; without `graphEndpoint`."""
OPERATION_ENDS = (200, 204, 404, 409)
"""Status of the last poll: done, done, done and forgotten, failed."""

_DOMAIN = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))+")


class UnknownFaultError(ValueError):
    """The fault id is not in the table; `nearest` holds similar ids."""

    def __init__(self, fault: str, nearest: tuple[str, ...]) -> None:
        self.fault = fault
        self.nearest = nearest
        hint = f"; nearest: {', '.join(nearest)}" if nearest else ""
        super().__init__(f"unknown fault {fault!r}{hint}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StampOptions:
    """Settings of one stamp. A value out of range raises ValueError.

    `build` is the stamp's release as the vendor writes it: year and month in four digits.
    `domain` None puts every role on `localhost:<port>`; a domain such as
    "local.azurestack.external" gives realistic names without a port, which a client reaches by
    pinning (`RunningStamp.resolve`). `port` and `imds_port` 0 take any free one. `latency` is in
    seconds, before each answer. `metadata_form` is one of METADATA_FORMS. With `san` False the
    server's certificate has its name in the CN alone. `adfs_default_scope` False refuses
    `/.default` on client credentials with MSIS9605, as some AD FS do. `device_interval` is in
    seconds; `device_approve_after` N approves a device code without a user at the Nth poll. With
    `operators` False nobody may read what only operators read.

    `cloud` PUBLIC serves public Azure under its own names. `role` is one of ROLES, or None, and is
    the application's on each subscription; `more_subscriptions` are kinds of MORE_SUBSCRIPTIONS,
    with five groups at most. Deletions take `delete_seconds`, polls come after `retry_after`
    seconds, and the last one answers `operation_end`, one of OPERATION_ENDS. A provider is
    Registering for `register_seconds`, a VM Updating for `update_seconds`, and a new identity
    unknown to role assignments for `replication_seconds`; a new assignment counts after
    `grant_seconds`. `managed_identity` lists Microsoft.ManagedIdentity, which public Azure always
    does. `hostile` adds names and tags as no
    honest stamp sends them. `fault_at` are request faults (`stacktui.stamp.request_faults`).
    """

    idp: IdentityProvider = IdentityProvider.AAD
    build: str = "2102"
    groups: int = 18
    page_size: int = 100
    latency: float = 0.0
    fault: str | None = None
    domain: str | None = None
    port: int = 0
    imds_port: int = 0
    adfs_default_scope: bool = True
    device_interval: int = 5
    device_approve_after: int | None = None
    operators: bool = True
    cloud: Cloud = Cloud.STAMP
    role: str | None = "owner"
    more_subscriptions: tuple[str, ...] = ()
    offers: int = 2
    unregistered: tuple[str, ...] = ("Microsoft.Web",)
    managed_identity: bool = False
    delete_seconds: float = 1.5
    operation_end: int = 200
    retry_after: int = 1
    register_seconds: float = 0.0
    update_seconds: float = 0.0
    replication_seconds: float = 0.0
    grant_seconds: float = 0.0
    hostile: bool = False
    metadata_form: str = "usual"
    san: bool = True
    fault_at: tuple[str, ...] = ()

    @property
    def deletions_fail(self) -> bool:
        return self.operation_end == 409

    def __post_init__(self) -> None:
        object.__setattr__(self, "idp", IdentityProvider(self.idp))
        object.__setattr__(self, "cloud", Cloud(self.cloud))
        if not re.fullmatch(r"[0-9]{2}(0[1-9]|1[0-2])", self.build):
            raise ValueError(f"build must be year and month such as 2102, not {self.build!r}")
        if not 0 <= self.groups <= MAX_GROUPS:
            raise ValueError(f"groups must be 0 to {MAX_GROUPS}, not {self.groups}")
        if self.page_size < 1:
            raise ValueError(f"page_size must be at least 1, not {self.page_size}")
        for name in (
            "latency", "offers", "delete_seconds", "retry_after", "register_seconds",
            "update_seconds", "replication_seconds", "grant_seconds",
        ):  # fmt: skip
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, not {getattr(self, name)}")
        for name, allowed in (
            ("role", (*ROLES, None)),
            ("operation_end", OPERATION_ENDS),
            ("metadata_form", METADATA_FORMS),
        ):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be one of {allowed}, not {getattr(self, name)!r}")
        for kind in self.more_subscriptions:
            if kind not in MORE_SUBSCRIPTIONS:
                raise ValueError(f"more_subscriptions are of {MORE_SUBSCRIPTIONS}, not {kind!r}")
        if self.cloud is Cloud.PUBLIC and (self.idp is IdentityProvider.ADFS or self.domain):
            raise ValueError("public Azure has neither AD FS nor a domain of its own")
        for text in self.fault_at:
            RequestFault.parse(text)
        for name in ("port", "imds_port"):
            if not 0 <= getattr(self, name) <= 65535:
                raise ValueError(f"{name} must be 0 to 65535, not {getattr(self, name)}")
        if self.domain is not None and not _DOMAIN.fullmatch(self.domain):
            raise ValueError(f"domain must be lower-case labels with dots, not {self.domain!r}")
        if self.fault is not None:
            _require_known_fault(self.fault)


def _require_known_fault(fault: str) -> None:
    from stacktui.stamp.faults import FAULTS

    if fault not in FAULTS:
        raise UnknownFaultError(fault, tuple(difflib.get_close_matches(fault, FAULTS, 3, 0.4)))
