"""What a screen has changed in the config, for the dashboard to show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stacktui.tui.live_check import LiveCheck


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """`done` says it in words.

    What was known of the `environments` is no longer true: their settings are others. `shown` is
    the environment to show then, and `check` what has read its metadata as it was saved; where
    `checks_again`, it is checked in full.
    """

    done: str
    environments: tuple[str, ...] = ()
    shown: str | None = None
    check: LiveCheck | None = None
    checks_again: bool = False
