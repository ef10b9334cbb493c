"""Format durations, times and check states, the same on every screen."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from stacktui.check.step_names import step_label
from stacktui.check.summary import METADATA_ONLY
from stacktui.tui.check_state import CheckState
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import Line, Span, TextStyle, line

if TYPE_CHECKING:
    from stacktui.diagnosis.finding import Diagnosis, Remedy
    from stacktui.transport.records import Exchange
    from stacktui.tui.live_check import LiveCheck

# By the value of `environments.metadata.IdentityProvider`, which is imported with a first check.
PROVIDERS: Mapping[str, str] = {"AAD": "Entra ID", "ADFS": "AD FS"}


def duration(seconds: float) -> str:
    """Return `87 ms`, `1.24 s` or `15 s`."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.0f} s"


def milliseconds(seconds: float) -> str:
    """Return milliseconds without the unit: `87`, `<1`."""
    return f"{seconds * 1000:.0f}" if seconds >= 0.0005 else "<1"


def elapsed_line(elapsed: float, left: float | None, glyphs: Glyphs) -> Line:
    """Return `› 3 s  gives up in 12 s`, and the key that cancels; `left` None gives nothing up."""
    said = [Span(f"{max(0.0, elapsed):.0f} s", TextStyle.ACCENT)]
    if left is not None:
        said.append(Span(f"  gives up in {max(0.0, left):.0f} s", TextStyle.DIM))
    return under_way_line(said, glyphs)


def under_way_line(said: Sequence[Span], glyphs: Glyphs, does: str = "cancels") -> Line:
    """Return what is said of something that runs, and what esc does."""
    cancel = (Span("esc", TextStyle.KEY), Span(f" {does}", TextStyle.DIM))
    return line(Span(f"{glyphs.running} ", TextStyle.ACCENT), *said, right=cancel)


def outcome_span(exchange: Exchange) -> Span:
    """Return the status of a request, or what broke it."""
    bad = exchange.response is None or exchange.response.status >= 400 or exchange.fault
    return Span(exchange.outcome, TextStyle.ERROR if bad else TextStyle.OK)


def clock(moment: datetime) -> str:
    """Return the local time of day. Absolute, so that it needs no repaint as time passes."""
    return moment.astimezone().strftime("%H:%M:%S")


def day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d")


def word_of(check: LiveCheck | None) -> str:
    """Return a check's state in words."""
    if check is None:
        return "not checked"
    match check.state:
        case CheckState.RUNNING if check.queued:
            return "queued"
        case CheckState.RUNNING | CheckState.CANCELLED:
            return check.state.value
        case CheckState.BROKEN:
            return "internal error"
    if check.undecided:
        return "undecided"
    if check.healthy:
        return METADATA_ONLY if check.metadata_only else "ok"
    return check.verdict.id if check.verdict else "fault"


def state_spans(check: LiveCheck | None, glyphs: Glyphs) -> tuple[Span, ...]:
    """Return a check's state as a symbol and words."""
    word = word_of(check)
    if check is None:
        return (Span(f"{glyphs.skipped} {word}", TextStyle.DIM),)
    match check.state:
        case CheckState.RUNNING if check.queued:
            return (Span(f"{glyphs.pending} {word}", TextStyle.DIM),)
        case CheckState.RUNNING:
            step = step_label(check.step_under_way)
            return (Span(f"{glyphs.running} {step or word}", TextStyle.ACCENT),)
        case CheckState.CANCELLED:
            return (Span(f"{glyphs.skipped} {word}", TextStyle.DIM),)
        case CheckState.BROKEN:
            return (Span(f"{glyphs.failed} {word}", TextStyle.ERROR),)
    if check.undecided:
        return (Span(f"{glyphs.skipped} {word}", TextStyle.WARNING),)
    if check.healthy:
        return (Span(f"{glyphs.ok} {word}", TextStyle.OK),)
    return (Span(f"{glyphs.failed} {word}", TextStyle.ERROR),)


def command_of(remedy: Remedy) -> str:
    """Return the remedy's command for this platform's shell; empty if it has none."""
    return remedy.powershell if sys.platform == "win32" else remedy.bash


def with_commands(diagnosis: Diagnosis | None) -> tuple[Remedy, ...]:
    """Return the remedies whose commands `y` copies: those of the verdict that have one.

    Without a verdict they are those of what was also seen, and of what the first az would fail at.
    """
    if diagnosis is None:
        return ()
    of_az = [each for _, found in diagnosis.of_az_alone[:1] for each in found]
    seen = (*diagnosis.also_seen_distinct, *of_az)
    findings = (diagnosis.verdict,) if diagnosis.verdict else seen
    return tuple(
        remedy for finding in findings for remedy in finding.remedies if command_of(remedy)
    )


def copied_of(diagnosis: Diagnosis | None) -> Remedy | None:
    """Return the first remedy whose command `y` copies."""
    return next(iter(with_commands(diagnosis)), None)
