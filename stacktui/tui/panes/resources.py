"""Pane 4: the resource groups of a subscription, as the last check or the last reading saw them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from stacktui.text.counts import count_of
from stacktui.tui.app_state import AppState
from stacktui.tui.check_state import CheckState
from stacktui.tui.formatting import clock
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.group_list import ALL, GroupList, ResourceCounts
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, dotted, line
from stacktui.tui.widgets.list_pane import Cell, Columns, ListPane, Row, Rows

if TYPE_CHECKING:
    from stacktui.resources.model import ResourceGroup
    from stacktui.tui.deletions import LiveDeletion

SUCCEEDED = "succeeded"
# The most characters of the tags in a row.
_TAGS = 60
# The orders that `s` goes through: ARM's first.
ORDERS = ("", "name", "location", "state")
# And the one there is once resources are counted: the most first.
RESOURCES = "resources"


class ResourcesPane(ListPane):
    """Shows name, location and provisioning state; zoomed, the tags too, below a header."""

    caption = "Resource groups"
    strip_captions = ("Groups", "Groups")
    number = "4"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "screen.open_group", "what is in it", id="open"),
        Binding("number_sign", "screen.count_resources", "count resources", id="count"),
        Binding("a", "screen.create_group", "create group", id="add"),
        Binding("e", "screen.tag_group", "tags", id="edit"),
        Binding("D", "screen.delete_group", "delete", id="remove"),
        Binding("S", "screen.choose_subscription", "subscription", id="subscription"),
        Binding("s", "sort", "sort by the next column", id="sort", show=False),
        Binding("P", "screen.show_providers", "providers", id="providers", show=False),
        Binding("i", "screen.copy_group", "copy id, name, link", id="copy_group", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._app_state: AppState | None = None
        self._order = ""

    def update(self, app_state: AppState) -> None:
        self._app_state = app_state
        found, glyphs = app_state.group_list, self.screen_style.glyphs
        counts = app_state.counts_shown
        rows, tagged = Rows.of(()), False
        if counts is None and self._order == RESOURCES:
            self._order = ""
        deletions = app_state.deletions(app_state.current)
        if found is not None:
            groups = found.groups
            tagged = any(each.tags for each in groups.values())

            def shown(key: str) -> Row:
                deletion = deletions.get(groups[key].id.casefold())
                return row(key, groups[key], glyphs, counts, deletion, tagged=tagged)

            rows = Rows(
                in_order(groups, self._order, counts),
                shown,
                found.texts.__getitem__,
            )
        forms = summaries(found, self._order, glyphs, counts)
        self.show(
            rows,
            forms[0],
            empty(app_state),
            short_summaries=forms[1:],
            header=header(self._order, glyphs, counts, tagged=tagged) if self.zoomed else None,
        )

    def zoom_changed(self) -> None:
        if self._app_state is not None:
            self.update(self._app_state)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "sort":
            return len(self._rows.keys) > 1
        return super().check_action(action, parameters)

    def action_sort(self) -> None:
        """Sort by the next column, after the last in ARM's order again."""
        if self._app_state is not None:
            orders = ORDERS if self._app_state.counts_shown is None else (*ORDERS, RESOURCES)
            self._order = orders[(orders.index(self._order) + 1) % len(orders)]
            self.update(self._app_state)


def in_order(
    groups: Mapping[str, ResourceGroup], order: str, counts: ResourceCounts | None = None
) -> Sequence[str]:
    """Return the keys of groups, sorted by a column and then by name; empty is ARM's order."""
    if not order:
        return tuple(groups)

    def place(key: str) -> tuple[int | str, str]:
        group = groups[key]
        if order == RESOURCES:
            return -((counts and counts.count_of(group)) or 0), group.name.lower()
        return str(getattr(group, order)).lower(), group.name.lower()

    return sorted(groups, key=place)


def header(order: str, glyphs: Glyphs, counts: ResourceCounts | None, *, tagged: bool) -> Row:
    """Return the names of the columns; that of the sorted one is marked."""

    def column(name: str) -> tuple[Span, ...]:
        mark = f" {glyphs.down}" if name == order else ""
        return (Span(name + mark, TextStyle.STRONG if mark else TextStyle.DIM),)

    location, state, tags = map(column, ("location", "state", "tags"))
    sets = _column_sets(location, state, tags, tagged=tagged)
    return Row("", column("name"), _counted(sets, column(RESOURCES) if counts else None))


def row(
    key: str,
    group: ResourceGroup,
    glyphs: Glyphs,
    counts: ResourceCounts | None = None,
    deletion: LiveDeletion | None = None,
    *,
    tagged: bool,
) -> Row:
    """Return a group's row; its `deletion` stands in place of the state that was read before."""
    location = (Span(group.location, TextStyle.DIM),)
    state = ((deletion and deletion_span(deletion, glyphs)) or state_span(group.state, glyphs),)
    tags = " ".join(f"{name}={value}" for name, value in group.tags.items())
    cut = (Span(tags[:_TAGS], TextStyle.DIM),)
    sets = _column_sets(location, state, cut, tagged=tagged)
    count = (Span(count_text(group, counts), TextStyle.DIM),) if counts else None
    return Row(key, (Span(group.name),), _counted(sets, count))


def count_text(group: ResourceGroup, counts: ResourceCounts | None) -> str:
    """Return how many resources are in a group, or that there are at least so many."""
    count = counts.count_of(group) if counts is not None else None
    if counts is None or count is None:
        return ""
    least = "" if counts.whole else "≥ "
    return f"{least}{count:,}"


def _counted(sets: tuple[Columns, ...], count: Cell | None) -> tuple[Columns, ...]:
    """Return sets of columns with that of the count in front, if there is one."""
    return tuple((count, *each) for each in sets) if count is not None else sets


def _column_sets(location: Cell, state: Cell, tags: Cell, *, tagged: bool) -> tuple[Columns, ...]:
    sets: tuple[Columns, ...] = ((location, state), (state,))
    return ((location, state, tags), *sets) if tagged else sets


def state_span(state: str, glyphs: Glyphs) -> Span:
    """Return ARM's provisioning state with a symbol."""
    if state.lower() == SUCCEEDED:
        return Span(f"{glyphs.ok} {state}", TextStyle.OK)
    return Span(f"{glyphs.warning} {state}", TextStyle.WARNING)


def deletion_span(deletion: LiveDeletion, glyphs: Glyphs) -> Span | None:
    """Return how a deletion goes; None where it has ended, and the group is there anew."""
    match deletion.outcome:
        case "running":
            return Span(f"{glyphs.running} deleting", TextStyle.ACCENT)
        case "failed":
            return Span(f"{glyphs.failed} not deleted", TextStyle.ERROR)
        case "unknown":
            return Span(f"{glyphs.warning} deleted?", TextStyle.WARNING)
        case _:
            return None


def summaries(
    found: GroupList | None, order: str, glyphs: Glyphs, counts: ResourceCounts | None = None
) -> list[tuple[Span, ...]]:
    """Return how many groups there are, what is under way or missing, and how old they are."""
    if found is None:
        return [()]
    by = Span(f"by {order}", TextStyle.DIM) if order else None
    count = Span(f"{len(found.groups):,}{'+' if found.cut else ''}", TextStyle.DIM)
    state: Span | None = Span(clock(found.at), TextStyle.DIM)
    short = by
    if wait := found.seconds_to_wait:
        state = Span(f"ARM asks to wait {wait} s", TextStyle.WARNING)
        short = Span(f"waits {wait} s", TextStyle.WARNING)
    elif found.running:
        state = Span(f"reading, {found.read:,} so far", TextStyle.ACCENT)
        short = Span("reading", TextStyle.ACCENT)
    elif not found.whole and not found.cut:
        what = "not whole" if found.groups else "not read"
        short = Span(f"{glyphs.failed} {what}", TextStyle.ERROR)
        state = Span(f"{short.text} since {clock(found.at)}", TextStyle.ERROR)
    counted = None
    if counts is not None and not counts.whole:
        state, short = counting(counts, glyphs)
    elif counts is not None:
        total = f"{count_of(counts.read, 'resource')} at {clock(counts.at)}"
        counted = Span(total, TextStyle.DIM)
    of = Span("all subscriptions", TextStyle.DIM) if found.wanted == ALL else None
    forms = (
        (count, of, by, counted, state),
        (count, of, by, state),
        (count, by, state),
        (count, of, short),
        (count, short),
    )
    return [dotted(filter(None, form), glyphs) for form in forms]


def counting(counts: ResourceCounts, glyphs: Glyphs) -> tuple[Span, Span]:
    """Return how far a count of all resources is that is not whole, and the same in short."""
    if wait := counts.seconds_to_wait:
        forms, style = (f"ARM asks to wait {wait} s", f"waits {wait} s"), TextStyle.WARNING
    elif counts.running:
        forms, style = (f"counting, {counts.read:,} so far", "counting"), TextStyle.ACCENT
    else:
        symbol = glyphs.failed
        forms, style = (f"{symbol} not all counted", f"{symbol} not counted"), TextStyle.ERROR
    return Span(forms[0], style), Span(forms[1], style)


def empty(app_state: AppState) -> tuple[Line, ...]:
    found = app_state.group_list
    if found is not None and found.running:
        return (line(Span("Reading them.", TextStyle.DIM)),)
    if found is not None and found.whole:
        return (line(Span("The subscription has none.", TextStyle.DIM)),)
    if found is not None and found.help:
        return tuple(map(line, found.help))
    if found is not None and found.error:
        return (
            line(Span(f"Not read: {found.error}", TextStyle.ERROR)),
            BLANK,
            line(Span("r", TextStyle.KEY), "  reads them again", indent=3),
            line(Span("c", TextStyle.KEY), "  finds what is wrong, and whose side it is", indent=3),
        )
    if found is not None and found.state is CheckState.CANCELLED:
        return (line(Span("r", TextStyle.KEY), "  reads them", indent=3),)
    why = app_state.check.why_no_groups if app_state.check else ""
    if not why:
        return (line(Span("What a check reads from ARM.", TextStyle.DIM)),)
    return (line(Span(f"None read, {why}.", TextStyle.DIM)),)
