"""A pane with a list: one row a line, a highlighted row, a filter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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

    @property
    def text(self) -> str:
        """What a filter finds the row by, in lower case."""
        cells = (self.name, *self.column_sets[0])
        return " ".join(span.text for cell in cells for span in cell).lower()


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a list by their keys, which are all different.

    `make` returns a row; it is called for the rows on screen only. `text` returns what a filter
    finds a row by, in lower case; it is called for every row, so it must be cheap.
    """

    keys: Sequence[str]
    make: Callable[[str], Row]
    text: Callable[[str], str]

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Rows:
        """Return rows that are made already."""
        by_key = {row.key: row for row in rows}
        return cls(tuple(by_key), by_key.__getitem__, lambda key: by_key[key].text)


class ListPane(Panel):
    """Shows rows with a highlighted one; subclasses call `show` with the rows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "filter", id="filter"),
        Binding("j,down", "move(1)", "move the bar", show=False, id="down"),
        Binding("k,up", "move(-1)", "move the bar", show=False, id="up"),
        Binding("g,home", "move(-99999)", "to the first, to the last", show=False, id="first"),
        Binding("G,end", "move(99999)", "to the first, to the last", show=False, id="last"),
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
        self._rows = Rows.of(())
        self._matching: Sequence[str] = ()
        self._header: Row | None = None
        self._summaries: tuple[tuple[Span, ...], ...] = ((),)
        self._folded_summary: tuple[Span, ...] = ()
        self._empty: tuple[Line, ...] = ()
        self._key: str | None = None
        self._at = 0
        self._top = 0
        self._sizes: dict[int, list[int]] = {}
        self._filter = ""
        self._filtering = False

    def show(
        self,
        rows: Sequence[Row] | Rows,
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
        self._rows = rows if isinstance(rows, Rows) else Rows.of(rows)
        self._header, self._empty, self._sizes = header, tuple(empty), {}
        self._summaries, self._folded_summary = (summary, *short_summaries), folded_summary
        self._match()
        if self._index() is None:
            self._key = self._rows.keys[0] if self._rows.keys else None
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
        return (len(self._rows.keys) or len(self._empty_rows(width))) + self._header_rows

    def strip_state(self) -> tuple[Span, ...]:
        """What stands beside the title where the title is all there is room for."""
        return self._summaries[-1]

    @property
    def rows_shown(self) -> int:
        return max(0, super().rows_shown - self._header_rows)

    @property
    def _header_rows(self) -> int:
        return 1 if self._header is not None and self._rows.keys else 0

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
        if not self._rows.keys:
            rows = self._empty_rows(width)
            return PanelContent(self.title, summary, rows, focused=self.in_front)
        count = len(self._matching)
        height = max(1, height - self._header_rows)
        self._keep_in_view(self._index() or 0, count, height)
        note = self._note(count, height)
        if self.border is not Border.BOX and note:
            width = max(1, width - width_of(note) - GAP)  # the note stands beside the rows
        on_screen = self._matching[self._top : self._top + height]
        header, drawn = self._table([self._rows.make(key) for key in on_screen], width)
        if not count:
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
        (longest,) = self._widened(-1, [max(map(width_of, names), default=0)])
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
            widths = self._widened(index, widths)
            if room - sum(widths) - GAP * len(widths) >= name:
                break
        else:
            # Even the narrowest set is too wide: cut its columns, and keep some of the name.
            kept = max(MIN_NAME_WIDTH, min(name, room // 2))
            share = max(1, (room - kept) // max(1, len(widths)) - GAP)
            widths = [min(size, share) for size in widths]
            cells = [
                [fit(cell, size, glyphs) for cell, size in zip(row, widths, strict=True)]
                for row in cells
            ]
        return cells, widths

    def _widened(self, column_set: int, widths: list[int]) -> list[int]:
        """Return the widths, at least those of the rows that were on screen before: scrolling
        moves no column back."""
        known = self._sizes.get(column_set, widths)
        if len(known) == len(widths):
            widths = list(map(max, known, widths))
        self._sizes[column_set] = widths
        return widths

    def _empty_rows(self, width: int) -> list[Line]:
        glyphs = self.screen_style.glyphs
        return [row for text in self._empty for row in wrap(text, max(1, width), glyphs)]

    # Moving and filtering

    def _match(self, among: Sequence[str] | None = None) -> None:
        """Find the keys of the rows that match the filter: every word of it is in their text.

        `among` has all of them, where that is known; else all rows are looked at.
        """
        text, self._matching = self._rows.text, self._rows.keys if among is None else among
        for word in self._filter.lower().split():
            self._matching = [key for key in self._matching if word in text(key)]

    def _index(self) -> int | None:
        """Return the position of the highlighted row among those that match."""
        matching, at = self._matching, self._at
        if not (at < len(matching) and matching[at] == self._key):
            if self._key not in matching:
                return None
            self._at = matching.index(self._key)
        return self._at

    def _keep_in_view(self, index: int, count: int, height: int) -> None:
        height = max(1, height)
        self._top = max(index - height + 1, min(self._top, index, count - height), 0)

    def _set_filter(self, text: str) -> None:
        # A row that does not match the beginning of a filter does not match the whole of it.
        extends = text.lower().startswith(self._filter.lower())
        self._filter = text
        self._match(self._matching if extends else None)
        if self._index() is None:
            self._highlight(self._matching[0] if self._matching else None)
        self.redraw()

    def _highlight(self, key: str | None) -> None:
        if key != self._key:
            self._key = key
            self.post_message(self.Chosen(self, key))

    def action_move(self, steps: int) -> None:
        if self._matching:
            self._at = max(0, min((self._index() or 0) + steps, len(self._matching) - 1))
            self._highlight(self._matching[self._at])
            self.redraw()

    def action_page(self, pages: float) -> None:
        self.action_move(self.rows_of_pages(pages))

    def action_filter(self) -> None:
        self._filtering = True
        self.redraw()

    def clear_filter(self) -> None:
        """Show all rows again."""
        self._filtering = False
        self._set_filter("")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return bool(self._rows.keys) if action == "filter" else True

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
