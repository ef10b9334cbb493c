"""Keeping Textual from painting twice what it has just painted.

At 120x40 a whole screen is about 12 KB on the wire, and by itself Textual writes it three times
at start: once laid out, once since every widget's `virtual_size` changed with its size, and once
since a screen that resumes asks for a repaint. Nothing here scrolls by Textual's means, and a
screen that is laid out for the first time is painted by that alone.
"""

from __future__ import annotations

from typing import Any

from textual import events
from textual.geometry import Region, Size
from textual.reactive import var
from textual.screen import Screen, ScreenResultType
from textual.widget import Widget


class NoRepaintWidget(Widget):
    """A widget that does not scroll: a new size is painted by the layout that brought it."""

    virtual_size = var(Size(0, 0))


class NoRepaintScreen(Screen[ScreenResultType]):
    """A screen whose first layout is also its only painting."""

    virtual_size = var(Size(0, 0))
    _resuming = False

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        # Runs before Textual's own handler, which lays out (and so paints) only the first time.
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
