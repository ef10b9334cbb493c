"""The base class of all panes: a frame with a title and rows, repainted line by line."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.strip import Strip

from stacktui.config.error_file import describe_error
from stacktui.tui.frame import Border, PanelContent, draw, strip
from stacktui.tui.lines import Line, Span, TextStyle
from stacktui.tui.widgets.no_repaint import NoRepaintWidget

if TYPE_CHECKING:
    from stacktui.tui.app_services import HasScreenStyle
    from stacktui.tui.screen_style import ScreenStyle


class Panel(NoRepaintWidget):
    """Draws a `PanelContent`, without child widgets, scroll bars or markup.

    `redraw` repaints only the lines that differ from those on screen, for slow links.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+d", "page(0.5)", "half a page on, back", show=False, id="half_down"),
        Binding("ctrl+u", "page(-0.5)", "half a page on, back", show=False, id="half_up"),
        Binding("pagedown", "page(1)", "a page on, a page back", show=False, id="page_down"),
        Binding("pageup", "page(-1)", "a page on, a page back", show=False, id="page_up"),
    ]

    can_focus = True
    caption = ""
    number = ""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.in_front = False
        self.zoomed = False
        self.border = Border.BOX
        self._drawn: list[Line] = []
        self._drawn_size = Size(0, 0)

    @abstractmethod
    def panel_content(self, width: int, height: int) -> PanelContent:
        """Return what to show in `height` rows of `width` cells inside the border."""

    @abstractmethod
    def action_page(self, pages: float) -> None:
        """Go a number of pages on, or back where it is negative."""

    @abstractmethod
    def wanted_rows(self, width: int) -> int:
        """Return how many rows inside the border would show everything at this inner width."""

    def wanted_height(self, width: int) -> int:
        """Return how many lines of a whole frame of this width would show everything."""
        return self.wanted_rows(max(1, width - Border.BOX.columns)) + Border.BOX.rows

    @property
    def screen_style(self) -> ScreenStyle:
        return cast("HasScreenStyle", self.app).screen_style

    @property
    def title(self) -> tuple[Span, ...]:
        """The key that focuses the pane, and its name."""
        number = (Span(f"{self.number} ", TextStyle.ACCENT),) if self.number else ()
        return (*number, Span(self.caption, TextStyle.STRONG if self.in_front else TextStyle.TEXT))

    @property
    def rows_shown(self) -> int:
        """The number of rows inside the border."""
        return max(0, self.size.height - self.border.rows)

    def rows_of_pages(self, pages: float) -> int:
        """Return the rows of a number of pages, or of half of one; at least one row."""
        rows = max(1, int(abs(pages) * (self.rows_shown - 1)))
        return rows if pages > 0 else -rows

    def set_border(self, border: Border) -> None:
        """Set how much of a frame the pane has."""
        if border is not self.border:
            self.border = border
            self._drawn = []
            if self.size:  # its first layout paints it anyway
                self.refresh()  # one that leaves the size as it is would show lines of before

    def set_in_front(self, in_front: bool) -> None:
        """Set whether the pane is drawn as focused. Textual's own focus is lost on a blur."""
        if in_front is not self.in_front:
            self.in_front = in_front
            self.redraw()

    def set_zoomed(self, zoomed: bool) -> None:
        """Set whether the pane fills the screen and so has room for more."""
        if zoomed is not self.zoomed:
            self.zoomed = zoomed
            self.zoom_changed()

    def zoom_changed(self) -> None:
        """Called after `zoomed` has changed; a subclass adapts its content."""

    def redraw(self) -> None:
        """Repaint the lines that have changed."""
        # Nothing is drawn before the first layout, nor between two sizes.
        if not self.is_mounted or self._drawn_size != self.size or not self._drawn:
            self.refresh()
            self._drawn = []
            return
        before, self._drawn = self._drawn, self._draw()
        changed = [y for y, (old, new) in enumerate(zip(before, self._drawn, strict=True))
                   if old != new]  # fmt: skip
        if changed:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def render_line(self, y: int) -> Strip:
        if self._drawn_size != self.size or not self._drawn:
            self._drawn_size = self.size
            self._drawn = self._draw()
        if y >= len(self._drawn):
            return Strip.blank(self.size.width)
        return strip(self._drawn[y], self.size.width, self.screen_style)

    def _draw(self) -> list[Line]:
        width, height = self.size
        border = self.border
        try:
            content = self.panel_content(
                max(1, width - border.columns), max(0, height - border.rows)
            )
        except Exception as error:
            # An error while drawing must not end the app: a running check continues.
            text = describe_error(error, " while drawing")
            content = PanelContent(
                self.title, (), (Line((Span(text, TextStyle.ERROR),), cut=True),)
            )
        return draw(content, width, height, self.screen_style.glyphs, border)
