"""Pane 4: the resource groups that the last check read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacktui.tui.app_state import AppState
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import Line, Span, TextStyle, label_value, line
from stacktui.tui.widgets.list_pane import ListPane, Row, Rows

if TYPE_CHECKING:
    from stacktui.resources.model import ResourceGroup, ResourceGroupList

SUCCEEDED = "succeeded"


class ResourcesPane(ListPane):
    """Shows name, location and provisioning state, in ARM's order."""

    caption = "Resource groups"
    strip_captions = ("Groups", "Groups")
    number = "4"

    def update(self, app_state: AppState) -> None:
        found, glyphs = groups(app_state), self.screen_style.glyphs
        known = {each.name: each for each in found.groups} if found else {}
        rows = Rows(
            tuple(known),
            lambda name: row(known[name], glyphs),
            lambda name: f"{name} {known[name].location} {known[name].state}",
        )
        self.show(rows, summary(found), empty(app_state))


def groups(app_state: AppState) -> ResourceGroupList | None:
    return app_state.check.groups if app_state.check else None


def row(group: ResourceGroup, glyphs: Glyphs) -> Row:
    location = (Span(group.location, TextStyle.DIM),)
    state = (state_span(group, glyphs),)
    return Row(group.name, (Span(group.name),), ((location, state), (state,)))


def state_span(group: ResourceGroup, glyphs: Glyphs) -> Span:
    """Return ARM's provisioning state with a symbol."""
    if group.state.lower() == SUCCEEDED:
        return Span(f"{glyphs.ok} {group.state}", TextStyle.OK)
    return Span(f"{glyphs.warning} {group.state}", TextStyle.WARNING)


def summary(found: ResourceGroupList | None) -> tuple[Span, ...]:
    if found is None:
        return ()
    return (Span(f"{len(found.groups)}{'+' if found.cut else ''}", TextStyle.DIM),)


def empty(app_state: AppState) -> tuple[Line, ...]:
    if groups(app_state):
        return (line(Span("The subscription has none.", TextStyle.DIM)),)
    why = app_state.check.why_no_groups if app_state.check else ""
    if not why:
        return (line(Span("What a check reads from ARM.", TextStyle.DIM)),)
    return (line(Span(f"None read, {why}.", TextStyle.DIM)),)


def detail(group: ResourceGroup, app_state: AppState, glyphs: Glyphs) -> tuple[Line, ...]:
    found = groups(app_state)
    return (
        label_value("name", group.name),
        label_value("location", group.location),
        label_value("state", state_span(group, glyphs)),
        label_value("subscription", found.subscription if found else ""),
    )
