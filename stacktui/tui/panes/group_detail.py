"""The detail of a resource group: what its list says, and once it is opened what is in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from stacktui.text.counts import count_of
from stacktui.tui.app_state import AppState
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.group_list import OpenedGroup, subscription_of
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, label_value, line
from stacktui.tui.panes.resources import SUCCEEDED, count_text, deletion_span, state_span

if TYPE_CHECKING:
    from stacktui.resources.group_details import GroupDetails
    from stacktui.resources.listing import Rows
    from stacktui.resources.model import Permission

# How many deployments are shown, the newest first.
_DEPLOYMENTS = 5


def detail(key: str, app_state: AppState, glyphs: Glyphs) -> tuple[str, tuple[Line, ...]]:
    """Return the name of a group of the current environment, and its detail."""
    found = app_state.group_list
    group = found.groups.get(key) if found else None
    if found is None or group is None:
        return "", ()
    deletion = app_state.deletions(app_state.current).get(group.id.casefold())
    goes = deletion_span(deletion, glyphs) if deletion else None
    lines = [
        label_value("name", group.name),
        label_value("location", group.location),
        label_value("state", goes or state_span(group.state, glyphs)),
    ]
    if goes is not None:
        lines.append(label_value("", Span("O", TextStyle.KEY), "  shows how its deletion goes"))
    if counted := count_text(group, app_state.counts_shown):
        lines.append(label_value("resources", counted))
    tags = _labelled("tags", [_tag(*tag) for tag in group.tags.items()])
    opened = app_state.opened_group
    if opened is not None and (opened.environment, opened.key) == (app_state.current, key):
        lines += [BLANK, *_opened(opened, glyphs), BLANK, *tags]
    elif group.id:
        lines += [*tags, BLANK, line(Span("enter", TextStyle.KEY), "  reads what is in it")]
    lines += [BLANK, label_value("subscription", subscription_of(group) or found.subscription)]
    return group.name, (*lines, *([label_value("id", group.id)] if group.id else []))


def _tag(name: str, value: str) -> tuple[Span, Span]:
    return Span(f"{name} = ", TextStyle.DIM), Span(value)


def _opened(opened: OpenedGroup, glyphs: Glyphs) -> list[Line]:
    if opened.error:
        why = Span(f"{glyphs.failed} not read: {opened.error}", TextStyle.ERROR)
        return [label_value("inside", why), line(Span("enter", TextStyle.KEY), "  reads it again")]
    if opened.details is None:
        return [label_value("inside", Span("reading it", TextStyle.DIM))]
    portal = [BLANK, label_value("portal", opened.portal)] if opened.portal else []
    return [*_details(opened.details, glyphs), *portal]


def _details(found: GroupDetails, glyphs: Glyphs) -> list[Line]:
    # Whoever has read details has imported it.
    from stacktui.resources.group_details import newest_first

    lines = permission_lines("you may", found.permissions, glyphs)
    locks = [
        (Span(f"{each.name}  "), Span(each.level, TextStyle.WARNING), Span(f"  {each.notes}"))
        for each in found.locks.rows
    ]
    lines += list_lines("locks", found.locks, locks, glyphs)
    newest = newest_first(found.deployments.rows)
    deployments = [
        (
            Span(f"{each.name}  "),
            Span(each.state, TextStyle.OK if each.state.lower() == SUCCEEDED else TextStyle.ERROR),
            Span(f"  {each.time[:19].replace('T', ' ')}  {each.error}", TextStyle.DIM),
        )
        for each in newest[:_DEPLOYMENTS]
    ]
    if (left := len(newest) - _DEPLOYMENTS) > 0:
        deployments.append((Span(f"and {left} older", TextStyle.DIM), Span(""), Span("")))
    lines += list_lines("deployments", found.deployments, deployments, glyphs)
    count = count_of(len(found.resources.rows), "resource")
    inside = [
        (Span(f"{each.name}  "), Span(f"{each.type}  {each.location}", TextStyle.DIM))
        for each in found.resources.rows
    ]
    return [
        *lines,
        BLANK,
        *list_lines("inside", found.resources, [(Span(count),), *inside], glyphs),
    ]


def permission_lines(label: str, found: Rows[Permission], glyphs: Glyphs) -> list[Line]:
    """Return what may be done with resource groups, and what may not."""
    from stacktui.resources.permissions import GROUP_ACTIONS, allowed_words

    may = allowed_words(found.rows)
    can = ", ".join(may) or "nothing"
    not_may = [word for word in GROUP_ACTIONS if word not in may]
    rest = Span(f"  not: {', '.join(not_may)}", TextStyle.DIM) if may and not_may else Span("")
    return list_lines(label, found, [(Span(can), rest)], glyphs)


def list_lines(
    label: str, found: Rows[Any], rows: Iterable[tuple[Span, ...]], glyphs: Glyphs
) -> list[Line]:
    """Return the lines of a list, and of why it is not whole."""
    shown = list(rows) if found.rows or found.error is None else []
    if found.error is not None:
        from stacktui.check.fault_text import fault_summary

        what = "not all read" if shown else "not read"
        why = f"{glyphs.warning} {what}: {fault_summary(found.error.fault)}"
        shown.append((Span(why, TextStyle.WARNING),))
    if not shown:
        shown = [(Span("none", TextStyle.DIM),)]
    return _labelled(label, shown)


def _labelled(label: str, rows: Iterable[tuple[Span, ...]]) -> list[Line]:
    """Return a line for each row, the first of them with the label."""
    return [label_value("" if at else label, *spans) for at, spans in enumerate(rows)]
