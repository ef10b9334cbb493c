"""The lists' titles and states in one line, for screens without room for the lists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stacktui.tui.lines import Line, Span, TextStyle, width_of
from stacktui.tui.widgets.bars import Bar
from stacktui.tui.widgets.list_pane import ListPane

GAP = "   "


class PaneStrip(Bar):
    """One line for `panes`; the list of the `open` one is shown below it."""

    def __init__(self, panes: Sequence[ListPane], *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._panes = panes
        self._open = panes[0]

    def show(self, opened: ListPane) -> None:
        self._open = opened
        self.redraw()

    def content(self) -> Line:
        room = self.size.width - 2
        spans: tuple[Span, ...] = ()
        for spans in self._forms():
            if width_of(spans) <= room:
                break
        return Line(spans)

    def _forms(self) -> Iterator[tuple[Span, ...]]:
        """Return the forms of the line, the longest first."""
        for long, short in ((True, True), (True, False), (False, False)):
            yield self._joined(
                self._item(each, long=long if each is self._open else short) for each in self._panes
            )
        yield self._joined(self._title(each, long=each is self._open) for each in self._panes)

    def _joined(self, items: Iterator[tuple[Span, ...]]) -> tuple[Span, ...]:
        return tuple(span for item in items for span in (Span(GAP), *item))[1:]

    def _item(self, pane: ListPane, *, long: bool) -> tuple[Span, ...]:
        state = pane.strip_state()
        return (*self._title(pane, long=long), *((Span(" "), *state) if state else ()))

    def _title(self, pane: ListPane, *, long: bool) -> tuple[Span, ...]:
        style = TextStyle.DIM
        if pane is self._open:
            style = TextStyle.STRONG if pane.in_front else TextStyle.TEXT
        name = pane.strip_captions[0 if long else 1]
        return (Span(f"{pane.number} ", TextStyle.ACCENT), Span(name, style))
