"""Limits on what the network can make us wait for or keep in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from stacktui.text.json_fields import number

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds, bytes and counts; a body's bytes count after decompression (DESIGN.md, Transport).

    `device_code` is how long a user may take to sign in with a code, unless it expires sooner
    (Entra's expire after 15 minutes). The step's own limit starts anew after that wait. `probe` is
    how long the end of a deletion is waited for that a write probe has asked for. `rows`
    counts all pages of one ARM listing: a subscription holds at most 980 groups (PROTOCOL.md
    section 4), but an operator sees many subscriptions.
    """

    dns: float = 5.0
    connect: float = 5.0
    tls: float = 5.0
    first_byte: float = 15.0
    step: float = 20.0
    probe: float = 180.0
    device_code: float = 900.0
    metadata: int = 1 * MIB
    page: int = 16 * MIB
    pages: int = 100
    rows: int = 5000
    excerpt: int = 400

    def with_settings(self, settings: Mapping[str, float]) -> Limits:
        """Return these limits with some replaced; the values are from `read_limit`."""
        changed: dict[str, Any] = dict(settings)
        return replace(self, **changed)


@dataclass(frozen=True, slots=True)
class LimitRange:
    """The range of a setting: seconds, or whole counts of `unit`."""

    least: float
    most: float
    unit: str = "s"

    @property
    def counts(self) -> bool:
        return self.unit != "s"

    def __str__(self) -> str:
        if self.counts:
            return f"a whole number of {self.unit} from {self.least:,} to {self.most:,}"
        return f"a number of seconds from {self.least:g} to {self.most:g}"


class LimitName(StrEnum):
    """The limits that a user can set, as named in the config and after `--limit`."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    FIRST_BYTE = "first_byte"
    STEP = "step"
    PROBE = "probe"
    PAGES = "pages"
    ROWS = "rows"


LIMIT_SETTINGS: Mapping[str, LimitRange] = {
    LimitName.DNS: LimitRange(0.05, 600),
    LimitName.CONNECT: LimitRange(0.05, 600),
    LimitName.TLS: LimitRange(0.05, 600),
    LimitName.FIRST_BYTE: LimitRange(0.05, 600),
    LimitName.STEP: LimitRange(0.05, 3600),
    LimitName.PROBE: LimitRange(0.05, 3600),
    LimitName.PAGES: LimitRange(1, 10_000, "pages"),
    LimitName.ROWS: LimitRange(1, 100_000, "rows"),
}


def read_limit(name: str, value: object) -> float:
    """Return `value` as the limit `name`. Raises ValueError, which gives the range."""
    allowed = LIMIT_SETTINGS[name]
    found = number(value)
    if found is not None and allowed.least <= found <= allowed.most:
        if not allowed.counts:
            return found
        if found.is_integer():
            return int(found)
    raise ValueError(f"must be {allowed}")
