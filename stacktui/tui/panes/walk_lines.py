"""The lines of a managed identity's walk: how it stands, its steps, and their requests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stacktui.check.fault_text import fault_lines
from stacktui.errors import FaultError
from stacktui.resources.identity_steps import WalkOutcome, WalkStepName, WalkStepResult
from stacktui.resources.managed_identities import ManagedIdentityError
from stacktui.resources.model import is_forbidden
from stacktui.tui.check_state import CheckState
from stacktui.tui.formatting import outcome_span, under_way_line
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, dotted, label_value, line
from stacktui.tui.live_walk import LiveWalk

_NAME = max(map(len, WalkStepName)) + 2
_STATE = max(map(len, WalkOutcome)) + 2
_STYLES = {
    WalkOutcome.OK: TextStyle.OK,
    WalkOutcome.ALREADY: TextStyle.OK,
    WalkOutcome.FAILED: TextStyle.ERROR,
    WalkOutcome.SKIPPED: TextStyle.DIM,
}
_WHO_MAY = "An Owner or User Access Administrator may do this: M on the row of such an identity."
_AGAIN = "looks first, and makes nothing twice."


def walk_lines(live: LiveWalk, now: float, glyphs: Glyphs) -> list[Line]:
    """Return how the walk stands, then each step, then for whom it is; `now` is monotonic.

    While it asks, its question is how it stands, and not among these lines.
    """
    place, identity = live.place, live.target.identity
    lines = [] if live.question else [*_head(live, now, glyphs), BLANK]
    if not live.results and live.step is None:
        lines += _requests(live, None, glyphs)
    done = {each.name: each for each in live.results}
    for name in WalkStepName:
        result = done.get(name)
        lines += _result(result, glyphs) if result else [_pending(live, name, glyphs)]
        lines += _requests(live, name, glyphs)
        lines += _facts(result) if result else ()
    return [
        *lines,
        BLANK,
        label_value("identity", place.name),
        label_value("group", place.group),
        label_value("VM", place.machine),
        label_value("subscription", place.subscription),
        label_value("as", f"{identity.name} ({identity.kind.words})" if identity else ""),
    ]


def _head(live: LiveWalk, now: float, glyphs: Glyphs) -> Iterator[Line]:
    failed = live.ended(WalkOutcome.FAILED)
    match live.state:
        case CheckState.RUNNING:
            step = Span(f"  {live.step or 'looks what is there'}", TextStyle.ACCENT)
            spent = Span(f"{now - live.began:.0f} s", TextStyle.ACCENT)
            yield under_way_line([spent, step], glyphs)
            if live.wait is not None:
                left = f"waits {live.seconds_to_wait} s: {live.wait.what} ({live.wait.status})"
                yield line("  ", Span(left, TextStyle.WARNING), indent=2)
        case CheckState.CANCELLED:
            if live.unknown:
                said = f"{glyphs.warning} Cancelled: whether {live.unknown} was done is unknown."
                yield line(Span(said, TextStyle.WARNING), indent=2)
            else:
                kept = "what is done stays" if live.ended(WalkOutcome.OK) else "nothing was changed"
                yield line(f"{glyphs.skipped} Cancelled: {kept}.", indent=2)
            yield line("  ", Span("r", TextStyle.KEY), f" runs it again: it {_AGAIN}", indent=2)
        case CheckState.BROKEN:
            yield line(Span(f"{glyphs.failed} {live.error}", TextStyle.ERROR), indent=2)
        case _ if failed:
            said = f"{glyphs.failed} {failed[0].name} failed: {failed[0].words}"
            yield line(Span(said, TextStyle.ERROR), indent=2)
            for each in _help(failed[0]):
                yield line("  ", Span(each, TextStyle.WARNING), indent=2)
        case _ if live.ended(WalkOutcome.SKIPPED):
            said = f"{glyphs.skipped} All is done but the proof: these lines, on the VM."
            yield line(Span(said, TextStyle.WARNING), indent=2)
        case _:
            yield line(Span(f"{glyphs.ok} The identity works.", TextStyle.OK))


def _pending(live: LiveWalk, name: WalkStepName, glyphs: Glyphs) -> Line:
    if name is not live.step:
        return line(Span(f"{glyphs.pending} {name}", TextStyle.DIM))
    if live.running:
        state = "asks" if live.question else "running"
        return _row(glyphs.running, name, state, TextStyle.ACCENT)
    if live.unknown:
        return _row(glyphs.warning, name, "unknown", TextStyle.WARNING)
    return _row(glyphs.skipped, name, "cancelled", TextStyle.DIM)


def _row(sign: str, name: WalkStepName, state: str, style: TextStyle, words: str = "") -> Line:
    head = (Span(f"{sign} ", style), Span(name.ljust(_NAME)), Span(state.ljust(_STATE), style))
    return line(*head, words, indent=4)


def _result(result: WalkStepResult, glyphs: Glyphs) -> Iterator[Line]:
    signs = {WalkOutcome.FAILED: glyphs.failed, WalkOutcome.SKIPPED: glyphs.skipped}
    sign, outcome = signs.get(result.outcome, glyphs.ok), result.outcome
    # Why it failed is how the walk stands.
    words = "" if outcome is WalkOutcome.FAILED else result.words
    yield _row(sign, result.name, outcome.value, _STYLES[outcome], words)
    for each in result.lines:
        yield line("  ", each, indent=4)
    for each in result.commands:
        yield line("  ", Span(each, TextStyle.ACCENT), indent=4)


def _requests(live: LiveWalk, name: WalkStepName | None, glyphs: Glyphs) -> Iterator[Line]:
    """Yield the requests of a step, each with its status or what broke it."""
    made = [exchange for step, exchange in live.requests if step is name]
    if made:
        spans = []
        for each in made:
            outcome = outcome_span(each)
            spans.append(Span(f"{each.method} {outcome.text}", outcome.style))
        yield line(Span("  requests  ", TextStyle.DIM), *dotted(spans, glyphs), indent=4)


def _help(result: WalkStepResult) -> Iterator[str]:
    """Yield what to do about a step that failed."""
    error, cause = result.error, _cause(result)
    if cause and is_forbidden(cause) and result.name is not WalkStepName.PROVE:
        yield _WHO_MAY
    if isinstance(error, ManagedIdentityError) and error.help:
        yield error.help


def _cause(result: WalkStepResult) -> FaultError[Any] | None:
    error = result.error
    return error.cause if isinstance(error, ManagedIdentityError) else error


def _facts(result: WalkStepResult) -> Iterator[Line]:
    """Yield every fact of why a step failed."""
    if cause := _cause(result):
        for each in fault_lines(cause.fault):
            yield line("  ", Span(each, TextStyle.DIM), indent=4)
