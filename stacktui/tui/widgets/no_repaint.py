"""Base classes that stop Textual from painting the same screen more than once at start.

At 120x40 a full repaint is about 12 KB on the wire, and Textual makes three of them at start: for
the first layout, for the change of every widget's `virtual_size`, and for the screen's resume. Our
widgets do not scroll by Textual's means, so the layout's repaint is enough.
"""

from __future__ import annotations

from typing import Any

from textual import events
from textual.geometry import Region, Size
from textual.reactive import var
from textual.screen import Screen, ScreenResultType
from textual.widget import Widget


class NoRepaintWidget(Widget):
    """A widget that does not scroll: a change of `virtual_size` repaints nothing."""

    virtual_size = var(Size(0, 0))


class NoRepaintScreen(Screen[ScreenResultType]):
    """A screen that is painted once when it is first shown: by its layout."""

    virtual_size = var(Size(0, 0))
    _resuming = False

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        # Runs before Textual's own handler, which does the first layout.
        self._resuming = self.stack_updates == 0

    def refresh(
        self,
        *regions: Region,
        repaint: bool = True,
        layout: bool = False,
        recompose: bool = False,
    ) -> Any:
        if self._resuming and not (regions or layout or recompose):
            if self.size:
                self._resuming = False
            return self
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
