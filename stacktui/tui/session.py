"""What the dashboard knows while it is open; nothing of it outlives the session."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from stacktui.check.settings import Settings
from stacktui.environments.model import Environment
from stacktui.identities.model import Identity

if TYPE_CHECKING:
    from stacktui.certificates.chain import Certificate
    from stacktui.check.target import Target
    from stacktui.tui.live import LiveCheck


class CheckState(StrEnum):
    """Where a check is. BROKEN is our own defect, not a fault that was found."""

    RUNNING = "running"
    CANCELLED = "cancelled"
    FINISHED = "finished"
    BROKEN = "broken"


@dataclass(slots=True)
class Session:
    """The config as read, the last check of each environment, and where the user is.

    `trouble` is why the config could not be read: one line with the mend. `current` names the
    environment that every pane speaks of. `certificates` are described ones, by their DER.
    """

    config: Path
    settings: Settings | None = None
    trouble: str = ""
    demo_on_offer: bool = False
    current: str | None = None
    checks: dict[str, LiveCheck] = field(default_factory=dict)
    certificates: dict[bytes, Certificate] = field(default_factory=dict)

    @property
    def environments(self) -> tuple[Environment, ...]:
        return tuple(self.settings.environments.values()) if self.settings else ()

    @property
    def identities(self) -> tuple[Identity, ...]:
        return tuple(self.settings.identities.values()) if self.settings else ()

    @property
    def environment(self) -> Environment | None:
        """The current environment."""
        return next((each for each in self.environments if each.name == self.current), None)

    @property
    def target(self) -> Target | None:
        """What a check would check."""
        if self.settings is None or self.environment is None:
            return None
        return self.settings.target(self.current)

    @property
    def check(self) -> LiveCheck | None:
        """The last check of the current environment, perhaps still running."""
        return self.checks.get(self.current) if self.current else None
