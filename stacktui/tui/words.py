"""How the screen says things: durations, times, states. The same words everywhere."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from stacktui.tui.check_state import CheckState
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import Role, Span

if TYPE_CHECKING:
    from stacktui.diagnosis.finding import Remedy
    from stacktui.tui.live import LiveCheck

# The steps of a check as a reader knows them, in their order.
STEP_WORDS = ("metadata", "token", "resource groups")
# By the value of `environments.metadata.IdentityProvider`, which comes with the first metadata.
PROVIDERS: Mapping[str, str] = {"AAD": "Entra ID", "ADFS": "AD FS"}


def duration(seconds: float) -> str:
    """`87 ms`, `1.24 s`, `15 s`."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.0f} s"


def milliseconds(seconds: float) -> str:
    """A phase's time as a bare number."""
    return f"{seconds * 1000:.0f}" if seconds >= 0.0005 else "<1"


def clock(moment: datetime) -> str:
    """The time of day where the user is: it stays true while the screen rests."""
    return moment.astimezone().strftime("%H:%M:%S")


def day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d")


def state_spans(
    check: LiveCheck | None, glyphs: Glyphs, *, brief: bool = False
) -> tuple[Span, ...]:
    """How a check stands: a symbol and a word; `brief` uses one short word."""
    if check is None:
        return (Span(f"{glyphs.skipped} {'idle' if brief else 'not checked'}", Role.DIM),)
    match check.state:
        case CheckState.RUNNING:
            return (Span(f"{glyphs.running} running", Role.ACCENT),)
        case CheckState.CANCELLED:
            return (Span(f"{glyphs.skipped} cancelled", Role.DIM),)
        case CheckState.BROKEN:
            return (Span(f"{glyphs.failed} our error", Role.ERROR),)
    if check.healthy:
        return (Span(f"{glyphs.ok} ok", Role.OK),)
    verdict = check.verdict
    word = "fault" if brief or verdict is None else verdict.id
    return (Span(f"{glyphs.failed} {word}", Role.ERROR),)


def command_of(remedy: Remedy) -> str:
    """The command of a remedy for the shell of the machine that we run on; empty if none."""
    return remedy.powershell if sys.platform == "win32" else remedy.bash
