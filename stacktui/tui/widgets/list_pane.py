"""A pane with a list: one row a line, a highlighted row, a filter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from stacktui.tui.frame import Border, PanelContent, summary_width
from stacktui.tui.lines import Line, Span, TextStyle, fit, sanitize_spans, width_of, wrap
from stacktui.tui.widgets.panel import Panel

# Cells that the name keeps where even the narrowest column set is too wide.
MIN_NAME_WIDTH = 10
GAP = 2
Cell = tuple[Span, ...]
Columns = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `column_sets` are the sets of its other columns, the widest first.

    `short_name` replaces the name where there are fewer than `min_width` cells for it.
    """

    key: str
    name: Cell
    column_sets: tuple[Columns, ...] = ((),)
    short_name: Cell = ()
    min_width: int = 0

    def matches(self, words: Sequence[str]) -> bool:
        """Whether every one of the words (lower case) is in the row."""
        cells = (self.name, *self.column_sets[0])
        text = " ".join(span.text for cell in cells for span in cell).lower()
        return all(word in text for word in words)


class ListPane(Panel):
    """Shows rows with a highlighted one; subclasses call `show` with the rows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "filter"),
        Binding("j,down", "move(1)", "move the bar", show=False),
        Binding("k,up", "move(-1)", "move the bar", show=False),
        Binding("ctrl+d,pagedown", "page(1)", "a page on, a page back", show=False),
        Binding("ctrl+u,pageup", "page(-1)", "a page on, a page back", show=False),
        Binding("g,home", "move(-99999)", "to the first, to the last", show=False),
        Binding("G,end", "move(99999)", "to the first, to the last", show=False),
    ]

    # What the strip calls the pane, where there is room and where there is not.
    strip_captions = ("", "")
    # Cells that the longest name may be cut to before a narrower column set is used.
    name_width = 18

    @dataclass
    class Chosen(Message):
        """Another row is highlighted; `key` is None if none is."""

        pane: ListPane
        key: str | None

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._rows: tuple[Row, ...] = ()
        self._header: Row | None = None
        self._summaries: tuple[tuple[Span, ...], ...] = ((),)
        self._folded_summary: tuple[Span, ...] = ()
        self._empty: tuple[Line, ...] = ()
        self._key: str | None = None
        self._top = 0
        self._filter = ""
        self._filtering = False

    def show(
        self,
        rows: Sequence[Row],
        summary: tuple[Span, ...],
        empty: Sequence[Line] = (),
        *,
        folded_summary: tuple[Span, ...] = (),
        short_summaries: Sequence[tuple[Span, ...]] = (),
        header: Row | None = None,
    ) -> None:
        """Replace the rows; the highlighted row stays if its key is still there.

        `empty` is shown if there are no rows. `short_summaries` replace `summary` where the title
        is too narrow for it, longest first; `folded_summary` replaces it while only the title is
        shown. `header` is shown above the rows, in their columns.
        """
        self._rows, self._header, self._empty = tuple(rows), header, tuple(empty)
        self._summaries, self._folded_summary = (summary, *short_summaries), folded_summary
        if self._index() is None:
            self._key = rows[0].key if rows else None
        self.redraw()

    @property
    def chosen(self) -> str | None:
        """The key of the highlighted row, None without one."""
        return self._key if self._index() is not None else None

    def choose(self, key: str | None) -> None:
        """Highlight a row without posting `Chosen`."""
        self._key = key
        self.redraw()

    @property
    def filtered(self) -> bool:
        """Whether a filter is in use or being typed."""
        return self._filtering or bool(self._filter)

    def wanted_rows(self, width: int) -> int:
        return (len(self._rows) or len(self._empty_rows(width))) + self._header_rows

    def strip_state(self) -> tuple[Span, ...]:
        """What stands beside the title where the title is all there is room for."""
        return self._summaries[-1]

    @property
    def rows_shown(self) -> int:
        return max(0, super().rows_shown - self._header_rows)

    @property
    def _header_rows(self) -> int:
        return 1 if self._header is not None and self._rows else 0

    # Drawing

    def panel_content(self, width: int, height: int) -> PanelContent:
        folded = self.border is Border.BOX and height == 0
        outer, corners = width + self.border.columns, self.border is Border.BOX and not folded
        room = summary_width(self.title, outer, corners=corners)
        fitting = (each for each in self._summaries if width_of(each) <= room)
        summary = next(fitting, self._summaries[-1])
        if folded:
            return PanelContent(
                self.title, self._folded_summary or summary, (), focused=self.in_front
            )
        if not self._rows:
            rows = self._empty_rows(width)
            return PanelContent(self.title, summary, rows, focused=self.in_front)
        matching = self._matching()
        index = self._index() or 0
        height = max(1, height - self._header_rows)
        self._keep_in_view(index, len(matching), height)
        note = self._note(len(matching), height)
        if self.border is not Border.BOX and note:
            width = max(1, width - width_of(note) - GAP)  # the note stands beside the rows
        header, drawn = self._table(matching, width)
        drawn = drawn[self._top : self._top + height]
        if not matching:
            drawn = [Line((Span("nothing matches", TextStyle.DIM),))]
        return PanelContent(self.title, summary, (*header, *drawn), note, self.in_front)

    def _note(self, count: int, height: int) -> tuple[Span, ...]:
        """Return the bottom edge: the filter, and the position in the list."""
        spans: list[Span] = []
        if self._filtering or self._filter:
            prompt = self.screen_style.glyphs.prompt if self._filtering else ""
            spans.append(Span(f"/{self._filter}{prompt}", TextStyle.KEY))
        if self._filter or count > height:
            position = (self._index() or 0) + 1 if count else 0
            gap = " " if spans else ""
            spans.append(Span(f"{gap}{position} of {count}", TextStyle.DIM))
        return tuple(spans)

    def _table(self, rows: Sequence[Row], width: int) -> tuple[list[Line], list[Line]]:
        """Return the header line, if there is a header, and the lines of the rows."""
        glyphs = self.screen_style.glyphs
        above = [self._header] if self._header is not None else []
        rows = [*above, *rows]
        names = [sanitize_spans(row.name, glyphs) for row in rows]
        longest = max(map(width_of, names), default=0)
        columns, widths = self._columns(rows, width - 2, min(longest, self.name_width))
        room = width - 2 - sum(widths) - GAP * len(widths)
        names = [
            sanitize_spans(row.short_name, glyphs) if room < row.min_width else name
            for row, name in zip(rows, names, strict=True)
        ]
        lines = []
        for row, name, cells in zip(rows, names, columns, strict=True):
            chosen = row.key == self._key and row is not self._header
            mark = Span(f"{glyphs.cursor} " if chosen else "  ", TextStyle.ACCENT)
            spans = [mark, *_padded(fit(name, room, glyphs), room)]
            for cell, size in zip(cells, widths, strict=True):
                spans += [Span(" " * GAP), *_padded(cell, size)]
            lines.append(Line(_trimmed(spans), chosen=chosen and self.in_front))
        return lines[: len(above)], lines[len(above) :]

    def _columns(
        self, rows: Sequence[Row], room: int, name: int
    ) -> tuple[list[list[Cell]], list[int]]:
        """Return the first column set that leaves `name` cells to the names, and its widths."""
        glyphs = self.screen_style.glyphs
        cells: list[list[Cell]] = []
        widths: list[int] = []
        for index in range(len(rows[0].column_sets) if rows else 0):
            cells = [
                [sanitize_spans(each, glyphs) for each in row.column_sets[index]] for row in rows
            ]
            widths = [max(map(width_of, column)) for column in zip(*cells, strict=True)]
            if room - sum(widths) - GAP * len(widths) >= name:
                break
        else:
            # Even the narrowest set is too wide: cut its columns, and keep some of the name.
            share = max(1, (room - MIN_NAME_WIDTH) // max(1, len(widths)) - GAP)
            widths = [min(size, share) for size in widths]
            cells = [
                [fit(cell, size, glyphs) for cell, size in zip(row, widths, strict=True)]
                for row in cells
            ]
        return cells, widths

    def _empty_rows(self, width: int) -> list[Line]:
        glyphs = self.screen_style.glyphs
        return [row for text in self._empty for row in wrap(text, max(1, width), glyphs)]

    # Moving and filtering

    def _matching(self) -> list[Row]:
        words = self._filter.lower().split()
        return [row for row in self._rows if row.matches(words)] if words else list(self._rows)

    def _index(self) -> int | None:
        keys = (row.key for row in self._matching())
        return next((index for index, key in enumerate(keys) if key == self._key), None)

    def _keep_in_view(self, index: int, count: int, height: int) -> None:
        height = max(1, height)
        self._top = max(index - height + 1, min(self._top, index, count - height), 0)

    def _set_filter(self, text: str) -> None:
        self._filter = text
        if self._index() is None:
            matching = self._matching()
            self._highlight(matching[0].key if matching else None)
        self.redraw()

    def _highlight(self, key: str | None) -> None:
        if key != self._key:
            self._key = key
            self.post_message(self.Chosen(self, key))

    def action_move(self, steps: int) -> None:
        rows = self._matching()
        if rows:
            index = max(0, min((self._index() or 0) + steps, len(rows) - 1))
            self._highlight(rows[index].key)
            self.redraw()

    def action_page(self, pages: int) -> None:
        self.action_move(pages * max(1, self.rows_shown - 1))

    def action_filter(self) -> None:
        self._filtering = True
        self.redraw()

    def clear_filter(self) -> None:
        """Show all rows again."""
        self._filtering = False
        self._set_filter("")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return bool(self._rows) if action == "filter" else True

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return self._filtering and character is not None and character.isprintable()

    def on_key(self, event: events.Key) -> None:
        """Take printable keys as text of the filter while it is being typed."""
        if not self._filtering:
            return
        if event.key == "enter":
            self._filtering = False
            self.redraw()
        elif event.key == "backspace":
            self._set_filter(self._filter[:-1])
        elif event.is_printable and event.character:
            self._set_filter(self._filter + event.character)
        else:
            return
        event.stop()
        event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        if self._filtering:
            event.stop()
            self._set_filter(self._filter + "".join(filter(str.isprintable, event.text)))


def _padded(spans: tuple[Span, ...], width: int) -> tuple[Span, ...]:
    gap = width - width_of(spans)
    return (*spans, Span(" " * gap)) if gap > 0 else spans


def _trimmed(spans: list[Span]) -> tuple[Span, ...]:
    while spans and not spans[-1].text.strip():
        spans.pop()
    return tuple(spans)
