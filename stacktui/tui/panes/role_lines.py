"""What an identity may do in the current environment, and by which roles, once it was asked for."""

from __future__ import annotations

from dataclasses import replace

from stacktui.identities.model import Identity
from stacktui.tui.app_state import AppState
from stacktui.tui.check_state import CheckState
from stacktui.tui.formatting import clock
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import Line, Span, TextStyle, label_value
from stacktui.tui.panes.group_detail import list_lines, permission_lines
from stacktui.tui.role_reader import RolesRead

_READS, _READS_AGAIN = " reads what it may do here", " reads it again"


def role_lines(identity: Identity, app_state: AppState, glyphs: Glyphs) -> list[Line]:
    """Return its roles in the current environment, or which key reads them."""
    target = app_state.target
    if target is None:
        return []
    read = app_state.roles.get((target.environment.name, identity.name))
    if read is None or read.target != replace(target, identity=identity):
        return [label_value("roles", *_key(_READS))]
    where = target.environment.name
    match read.state:
        case CheckState.RUNNING:
            waits = f", ARM asks to wait {read.seconds_to_wait} s" if read.seconds_to_wait else ""
            said = Span(f"{glyphs.running} asking {where}{waits}", TextStyle.ACCENT)
            return [label_value("roles", said, Span("  esc", TextStyle.KEY), Span(" cancels"))]
        case CheckState.CANCELLED:
            cancelled = Span(f"{glyphs.skipped} cancelled  ", TextStyle.DIM)
            return [label_value("roles", cancelled, *_key(_READS))]
        case CheckState.BROKEN:
            why = Span(f"{glyphs.failed} not read: {read.error}", TextStyle.ERROR)
            return [label_value("roles", why), label_value("", *_key(_READS_AGAIN))]
    return _access(read, glyphs)


def _access(read: RolesRead, glyphs: Glyphs) -> list[Line]:
    found, where = read.access, read.target.environment.name
    if found is None:
        none = f"none: it sees no subscription in {where}"
        return [label_value("roles", Span(none)), label_value("", *_key(_READS_AGAIN))]
    # Whoever has read roles has imported it.
    from stacktui.resources.role_paths import scope_words

    lines = [
        label_value("roles in", f"{where}, {clock(read.at)}  ", *_key(_READS_AGAIN)),
        label_value("scope", scope_words(found.scope)),
    ]
    lines += permission_lines("may", found.permissions, glyphs)
    if found.object_id:
        rows = [(Span(found.words(each)),) for each in found.assignments.rows]
        return [*lines, *list_lines("roles", found.assignments, rows, glyphs)]
    unknown = "the token names no object id (no claim oid) to look for"
    return [*lines, label_value("roles", Span(unknown, TextStyle.DIM))]


def _key(does: str) -> tuple[Span, ...]:
    return Span("o", TextStyle.KEY), Span(does, TextStyle.DIM)
