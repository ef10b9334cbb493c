"""Pane 4: the resource groups that the last check read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacktui.tui.app_state import Session
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import Line, Role, Span, field, line
from stacktui.tui.widgets.list_pane import ListPane, Row

if TYPE_CHECKING:
    from stacktui.resources.model import ResourceGroup, ResourceGroupList

GOOD = "succeeded"


class ResourcesPane(ListPane):
    """Name, location and provisioning state, in ARM's order."""

    caption = "Resource groups"
    number = "4"

    def update(self, session: Session) -> None:
        found = groups(session)
        rows = [row(each, self.look.glyphs) for each in found.groups] if found else []
        self.show(rows, summary(found), empty(session))


def groups(session: Session) -> ResourceGroupList | None:
    return session.check.groups if session.check else None


def row(group: ResourceGroup, glyphs: Glyphs) -> Row:
    location = (Span(group.location, Role.DIM),)
    state = (state_span(group, glyphs),)
    return Row(group.name, (Span(group.name),), ((location, state), (state,)))


def state_span(group: ResourceGroup, glyphs: Glyphs) -> Span:
    """ARM's own word, with a symbol."""
    if group.state.lower() == GOOD:
        return Span(f"{glyphs.ok} {group.state}", Role.OK)
    return Span(f"{glyphs.warning} {group.state}", Role.WARNING)


def summary(found: ResourceGroupList | None) -> tuple[Span, ...]:
    return (Span(str(len(found.groups)), Role.DIM),) if found else ()


def empty(session: Session) -> tuple[Line, ...]:
    if groups(session):
        return (line(Span("The subscription has none.", Role.DIM)),)
    why = session.check.why_no_groups if session.check else ""
    if not why:
        return (line(Span("What a check reads from ARM.", Role.DIM)),)
    return (line(Span(f"None read, {why}.", Role.DIM)),)


def detail(group: ResourceGroup, session: Session, glyphs: Glyphs) -> tuple[Line, ...]:
    found = groups(session)
    return (
        field("name", group.name),
        field("location", group.location),
        field("state", state_span(group, glyphs)),
        field("subscription", found.subscription if found else ""),
    )
