"""What the screens show that change something in ARM: the request, a wait, and why it failed."""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic

from stacktui.check.fault_text import fault_lines
from stacktui.errors import FaultError
from stacktui.resources.model import ArmFault, is_forbidden
from stacktui.resources.written import ChangeError
from stacktui.tui.check_state import CheckState
from stacktui.tui.formatting import under_way_line
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import Line, Span, TextStyle, label_value, line
from stacktui.tui.task_state import TaskState

_WHO_MAY = "A Contributor or an Owner may do this."
_LOCKED = "A lock forbids it: enter on the group shows its locks."


def request_text(lines: Iterable[str]) -> list[Line]:
    """Return a request as it is sent, of its lines as `request_lines` returns them."""
    return [label_value("" if at else "sends", text) for at, text in enumerate(lines)]


def running_lines(
    what: str, live: TaskState, began: float, glyphs: Glyphs, does: str = "cancels"
) -> list[Line]:
    """Return what is under way, since `began`, a `time.monotonic()`; and how long ARM is waited
    for. `does` is what esc does."""
    said = Span(f"{what}, {monotonic() - began:.0f} s", TextStyle.ACCENT)
    lines = [under_way_line([said], glyphs, does)]
    if wait := live.seconds_to_wait:
        lines.append(line(Span(f"  ARM is asked again in {wait} s", TextStyle.DIM)))
    return lines


def failure_lines(
    what: str, live: TaskState, glyphs: Glyphs, *, key: str = "r", unknown: bool = False
) -> list[Line]:
    """Return why something was not done, or is not known to be, and the `key` that looks again.

    It is unknown where the error says so, or the caller, who knows what had been sent.
    """
    error, cancelled = live.caught, live.state is CheckState.CANCELLED
    unknown |= error is None or (isinstance(error, ChangeError) and error.unknown)
    looks = line(Span(key, TextStyle.KEY), " looks first, and makes nothing twice.")
    if not unknown:
        head = Span(f"{glyphs.failed} not done: {what}", TextStyle.ERROR)
        return [line(head), *error_lines(error, live.error), line("Nothing was changed.")]
    words = f"{'cancelled: ' if cancelled else ''}whether {what} is done is unknown"
    why = [] if cancelled else error_lines(error, live.error)
    return [line(Span(f"{glyphs.warning} {words}", TextStyle.WARNING)), *why, looks]


def error_lines(error: object, words: str) -> list[Line]:
    """Return every fact of an error, and who or what can help; `words` are those of any other."""
    said: list[str] = []
    if isinstance(error, ChangeError):
        said += filter(None, (str(error), error.help))
        error = error.cause
    if isinstance(error, FaultError):
        said += fault_lines(error.fault)
        if is_forbidden(error):
            said.append(_WHO_MAY)
        if isinstance(error.fault, ArmFault) and error.fault.code == "ScopeLocked":
            said.append(_LOCKED)
    return [label_value("" if at else "why", text) for at, text in enumerate(said or [words])]
