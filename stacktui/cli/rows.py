"""Rows of columns, or where these are wider than the terminal, two lines each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len, set_cell_size

from stacktui.cli.layout import columns, out_wrapped
from stacktui.cli.output import out


def out_rows(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]], whys: Iterable[str]) -> None:
    """Write a table of sanitised cells; the first begins with two characters for a mark.

    A row that has fewer cells than `heads` ends with why that is so, one of `whys`, else empty.
    """
    heads = (f"  {heads[0]}", *heads[1:])
    widths = [
        max(cell_len(row[column]) for row in (heads, *rows) if column < len(row))
        for column in range(len(heads))
    ]
    room = columns()
    one_line = room is None or sum(widths) + 2 * (len(widths) - 1) <= room
    if one_line:
        out(_padded(heads, widths))
    for row, why in zip(rows, whys, strict=True):
        if one_line and not (why and room):
            out(f"{_padded(row, widths)}  {why}".rstrip())
        else:
            out(_padded(row[:2], widths))
            if more := why or " · ".join(filter(None, row[2:])):
                out_wrapped(f"    {more}", 4)


def _padded(row: tuple[str, ...], widths: list[int]) -> str:
    cells = (set_cell_size(text, width) for text, width in zip(row, widths, strict=False))
    return "  ".join(cells).rstrip()
