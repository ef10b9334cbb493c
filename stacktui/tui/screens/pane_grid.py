"""The board that the panes stand on: who is in front, who fills the screen, who stands where."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from textual.app import ComposeResult
from textual.geometry import Offset, Region, Size, Spacing
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.widget import Widget

from stacktui.tui.layout import LayoutState, arrange
from stacktui.tui.panes.certificates import CertificatesPane
from stacktui.tui.panes.check import CheckPane
from stacktui.tui.panes.detail import DetailPane
from stacktui.tui.panes.environments import EnvironmentsPane
from stacktui.tui.panes.identities import IdentitiesPane
from stacktui.tui.panes.resources import ResourcesPane
from stacktui.tui.widgets.bars import HintBar, TopBar
from stacktui.tui.widgets.list_pane import ListPane
from stacktui.tui.widgets.no_repaint import NoRepaintWidget
from stacktui.tui.widgets.panel import Panel

CHECK, DETAIL = "check", "detail"


class PaneGrid(NoRepaintWidget):
    """Holds the two bars and the six panes, and places them in one pass."""

    can_focus = False

    def __init__(self) -> None:
        super().__init__(id="board")
        self.top = TopBar(id="top")
        self.hints = HintBar(id="hints")
        self.environments = EnvironmentsPane(id="environments")
        self.certificates = CertificatesPane(id="certificates")
        self.identities = IdentitiesPane(id="identities")
        self.resources = ResourcesPane(id="resources")
        self.check = CheckPane(id=CHECK)
        self.detail = DetailPane(id=DETAIL)
        self.lists: tuple[ListPane, ...] = (
            self.environments,
            self.certificates,
            self.identities,
            self.resources,
        )
        self.panes: tuple[Panel, ...] = (*self.lists, self.check, self.detail)
        self.open: ListPane = self.environments
        self.front: Panel = self.environments
        self.zoomed: Panel | None = None
        self.environments.in_front = True
        self._layout = _PaneGridLayout(self.regions)
        self._regions: Mapping[str, Region] = {}

    def compose(self) -> ComposeResult:
        yield from (self.top, *self.panes, self.hints)

    @property
    def layout(self) -> Layout:
        return self._layout

    def regions(self, size: Size) -> Mapping[str, Region]:
        """Where everyone stands on a board of this size."""
        places = LayoutState(
            stack=tuple(pane.id or "" for pane in self.lists),
            check=CHECK,
            detail=DETAIL,
            open=self.open.id or "",
            front=self.front.id or "",
            zoomed=self.zoomed.id if self.zoomed else None,
        )
        wanted = {pane.id or "": pane.wanted_height for pane in self.panes}
        self._regions = arrange(size.width, size.height, places, wanted)
        return self._regions

    def bring_to_front(self, pane: Panel) -> None:
        """Let the keys go to `pane`, opening it if it is folded."""
        if self.zoomed not in (None, pane) and pane is not self.detail:
            self.zoomed = pane
        self.front = pane
        if isinstance(pane, ListPane):
            self.open = pane
        for each in self.panes:
            each.set_in_front(each is pane)
            each.set_zoomed(each is self.zoomed)
        self.settle()

    def zoom(self, pane: Panel | None) -> None:
        """Fill the screen with one pane (a list keeps its detail), or show all again."""
        self.zoomed = pane
        for each in self.panes:
            each.set_zoomed(each is pane)
        self.settle()

    def in_reach(self) -> tuple[Panel, ...]:
        """The panes that tab goes through: those on screen."""
        if self.zoomed is None:
            return self.panes
        return (self.zoomed, self.detail) if self.zoomed in self.lists else (self.zoomed,)

    def settle(self) -> None:
        """Lay out again, but only if somebody would stand elsewhere: a layout costs bytes."""
        before = self._regions
        if self.size and self.regions(self.size) != before:
            # A child asks for it: Textual forgets the arrangements of the asker's parents only.
            self.top.refresh(repaint=False, layout=True)


class _PaneGridLayout(Layout):
    """Asks the board; a widget without a region is not on screen."""

    name = "board"

    def __init__(self, regions: Callable[[Size], Mapping[str, Region]]) -> None:
        self._regions = regions

    def arrange(
        self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True
    ) -> ArrangeResult:
        regions = self._regions(size)
        return [
            WidgetPlacement(regions[child.id], Offset(), Spacing(), child)
            for child in children
            if child.id is not None and child.id in regions
        ]
