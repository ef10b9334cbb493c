"""How a stamp itself is, as its operators see it. Light to import: the catalogue reads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from stacktui.check.report import OptionalFacts

# States of an update location (PROTOCOL.md section 8).
UPDATING, UPDATE_FAILED = "UpdateInProgress", "UpdateFailed"


@dataclass(frozen=True, slots=True)
class Alert(OptionalFacts):
    """An active alert of the stamp, as its operators see it."""

    title: str
    severity: str

    @property
    def is_critical(self) -> bool:
        return self.severity.lower() == "critical"


@dataclass(frozen=True, slots=True)
class OperatorHealth(OptionalFacts):
    """`state` is that of the update location: UpdateAvailable, UpdateInProgress, UpdateFailed,
    AppliedSuccessfully, …; `update_began` is set while an update runs, if it is known when."""

    version: str
    state: str
    update_began: datetime | None = None
    alerts: tuple[Alert, ...] = ()

    def __str__(self) -> str:
        began = f" since {self.update_began:%H:%M} UTC" if self.update_began else ""
        count = len(self.alerts)
        alerts = f"{count} active alert{'' if count == 1 else 's'}" if count else "no alerts"
        return f"build {self.version or '?'}, {self.state or 'state unknown'}{began}, {alerts}"
