"""The grid of panes: which is focused, which fills the screen, and where each of them is."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from textual.app import ComposeResult
from textual.geometry import Offset, Size, Spacing
from textual.layout import ArrangeResult, DockArrangeResult, Layout, WidgetPlacement
from textual.widget import Widget

from stacktui.tui.layout import Arrangement, LayoutState, Placement, arrange, arrangement_of
from stacktui.tui.panes.certificates import CertificatesPane
from stacktui.tui.panes.check import CheckPane
from stacktui.tui.panes.detail import DetailPane
from stacktui.tui.panes.environments import EnvironmentsPane
from stacktui.tui.panes.identities import IdentitiesPane
from stacktui.tui.panes.resources import ResourcesPane
from stacktui.tui.widgets.bars import HintBar, TopBar
from stacktui.tui.widgets.list_pane import ListPane
from stacktui.tui.widgets.no_repaint import NoRepaintWidget
from stacktui.tui.widgets.pane_strip import PaneStrip
from stacktui.tui.widgets.panel import Panel

CHECK, DETAIL = "check", "detail"
PANES: tuple[type[Panel], ...] = (
    EnvironmentsPane,
    CertificatesPane,
    IdentitiesPane,
    ResourcesPane,
    CheckPane,
    DetailPane,
)


class PaneGrid(NoRepaintWidget):
    """Holds the two bars and the six panes, and lays them out in one pass."""

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
        self.strip = PaneStrip(self.lists, id="strip")
        self.panes: tuple[Panel, ...] = (*self.lists, self.check, self.detail)
        self.open: ListPane = self.environments
        self.front: Panel = self.environments
        self.zoomed: Panel | None = None
        self.environments.in_front = True
        self._layout = _PaneGridLayout(self.placements)
        self._placements: Mapping[str, Placement] = {}

    def compose(self) -> ComposeResult:
        yield from (self.top, self.strip, *self.panes, self.hints)

    @property
    def layout(self) -> Layout:
        return self._layout

    def arrange(self, size: Size, optimal: bool = False) -> DockArrangeResult:
        # Textual's cache would leave the borders of another size when one comes back.
        self._clear_arrangement_cache()
        return super().arrange(size, optimal)

    @property
    def arrangement(self) -> Arrangement:
        return arrangement_of(*self.size)

    def placements(self, size: Size) -> Mapping[str, Placement]:
        """Return the placements on a screen of this size."""
        state = LayoutState(
            stack=tuple(pane.id or "" for pane in self.lists),
            check=CHECK,
            detail=DETAIL,
            open=self.open.id or "",
            front=self.front.id or "",
            zoomed=self.zoomed.id if self.zoomed else None,
            halved=self.zoomed is self.identities,  # the claims are what it is zoomed for
        )
        wanted = {pane.id or "": pane.wanted_rows for pane in self.panes}
        self._placements = arrange(size.width, size.height, state, wanted)
        return self._placements

    def bring_to_front(self, pane: Panel) -> None:
        """Focus `pane`, opening it if it is folded."""
        if self.zoomed not in (None, pane) and pane is not self.detail:
            self.zoomed = pane
        self.front = pane
        if isinstance(pane, ListPane):
            self.open = pane
            self.detail.take_keys_of(pane if pane is self.identities else None)
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
        """Return the panes that tab cycles through."""
        if self.zoomed is None:
            return self.panes
        return (self.zoomed, self.detail) if self.zoomed in self.lists else (self.zoomed,)

    def settle(self) -> None:
        """Re-layout only if a region changed; each layout repaints the screen."""
        self.strip.show(self.open)
        before = self._placements
        if self.size and self.placements(self.size) != before:
            # Called on a child: Textual drops cached arrangements of the caller's parents only.
            self.top.refresh(repaint=False, layout=True)


class _PaneGridLayout(Layout):
    """Takes the placements from the grid; a widget without one is not on screen."""

    name = "panes"

    def __init__(self, placements: Callable[[Size], Mapping[str, Placement]]) -> None:
        self._placements = placements

    def arrange(
        self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True
    ) -> ArrangeResult:
        placements = self._placements(size)
        result = []
        for child in children:
            if child.id is not None and (placement := placements.get(child.id)) is not None:
                if isinstance(child, Panel):
                    child.set_border(placement.border)
                result.append(WidgetPlacement(placement.region, Offset(), Spacing(), child))
        return result
