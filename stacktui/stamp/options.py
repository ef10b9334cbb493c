"""Options of the embedded stamp. Cheap to import: no TLS, no cryptography."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from stacktui.stamp.identity_provider import IdentityProvider

MAX_GROUPS = 980
"""Resource groups a subscription can hold (PROTOCOL.md section 4)."""

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
    seconds, before each answer. `adfs_default_scope` False refuses `/.default` on client
    credentials with MSIS9605, as some AD FS do. `device_interval` is in seconds;
    `device_approve_after` N approves a device code without a user at the Nth poll. With
    `operators` False nobody may read what only operators read.
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

    def __post_init__(self) -> None:
        object.__setattr__(self, "idp", IdentityProvider(self.idp))
        if not re.fullmatch(r"[0-9]{2}(0[1-9]|1[0-2])", self.build):
            raise ValueError(f"build must be year and month such as 2102, not {self.build!r}")
        if not 0 <= self.groups <= MAX_GROUPS:
            raise ValueError(f"groups must be 0 to {MAX_GROUPS}, not {self.groups}")
        if self.page_size < 1:
            raise ValueError(f"page_size must be at least 1, not {self.page_size}")
        if self.latency < 0:
            raise ValueError(f"latency must not be negative, not {self.latency}")
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
