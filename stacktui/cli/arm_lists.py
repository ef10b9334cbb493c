"""Write a list of ARM, page by page as it arrives: as text, JSON, JSON Lines or TSV."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Generic, TypeVar

import click
from rich.cells import cell_len, set_cell_size

from stacktui.cli.arm import ArmSession, report_fault
from stacktui.cli.layout import columns
from stacktui.cli.options import ExitCode
from stacktui.cli.output import encodable, out_lines, warn
from stacktui.cli.status_line import cut
from stacktui.errors import FaultError
from stacktui.resources.listing import RowPage, RowPages
from stacktui.text.counts import count_of
from stacktui.transport.background import in_background
from stacktui.transport.limits import LimitName

R = TypeVar("R")
SCHEMA = 1
# The most cells to which a column is padded; a longer value is written whole.
WIDEST = 40
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Table(Generic[R]):
    """How rows are written: `key` names them in JSON, `noun` in messages.

    `symbol` is that of the row's state. `cells` are sanitised texts; text shows as many of them as
    there are `heads`, TSV all. With `order`, text shows the cells of these numbers, as a terminal
    cuts the last ones.
    """

    key: str
    noun: str
    heads: tuple[str, ...]
    symbol: Callable[[R], str]
    cells: Callable[[R], tuple[str, ...]]
    order: tuple[int, ...] = ()

    def text(self, row: R) -> tuple[str, ...]:
        """Return the cells of a row as text shows them."""
        cells = self.cells(row)
        return tuple(cells[at] for at in self.order) or cells


class Writer:
    """Writes the pages of a list."""

    def page(self, page: RowPage[Any]) -> None:
        raise NotImplementedError

    def close(self, error: str) -> None:
        """End the list; `error` says why it ends too early. What was written stands."""


class TextWriter(Writer, Generic[R]):
    """Columns as wide as the first page needs; a longer value later moves what follows it.

    On a terminal, each line is cut to its width.
    """

    def __init__(self, table: Table[R]) -> None:
        self._table = table
        self._widths: list[int] = []
        self._columns = columns()

    def page(self, page: RowPage[R]) -> None:
        rows = [(self._table.symbol(row), self._table.text(row)) for row in page]
        lines = []
        if not self._widths and rows:
            of_columns = zip(self._table.heads, *(cells for _, cells in rows), strict=False)
            self._widths = [min(WIDEST, max(map(cell_len, each))) for each in of_columns]
            lines = [self._line(" ", self._table.heads)]
        lines += [self._line(symbol, cells) for symbol, cells in rows]
        if lines:
            out_lines(lines)

    def _line(self, symbol: str, cells: tuple[str, ...]) -> str:
        padded = [
            text if cell_len(text) >= width else set_cell_size(text, width)
            for text, width in zip(cells, self._widths, strict=False)
        ]
        line = f"{symbol} {'  '.join(padded)}".rstrip()
        return line if self._columns is None else cut(line, self._columns)


class TsvWriter(Writer, Generic[R]):
    """The columns without a head; no value holds a tab or a line break."""

    def __init__(self, table: Table[R]) -> None:
        self._cells = table.cells

    def page(self, page: RowPage[R]) -> None:
        if len(page):
            write("\n".join("\t".join(self._cells(row)) for row in page))


class JsonLinesWriter(Writer):
    """ARM's objects as they are, one a line."""

    def page(self, page: RowPage[Any]) -> None:
        if len(page):
            write("\n".join(map(json.dumps, page.raw)))


class JsonWriter(Writer):
    """One document at the end; `error` says why it does not hold the whole list."""

    def __init__(self, key: str, head: Mapping[str, Any]) -> None:
        self._key, self._head = key, head
        self._rows: list[Mapping[str, Any]] = []

    def page(self, page: RowPage[Any]) -> None:
        self._rows += page.raw

    def close(self, error: str) -> None:
        document = {**self._head, self._key: self._rows, "error": error or None}
        write(json.dumps(document))


def write(text: str) -> None:
    """Write a line, or several, as they are; sanitised or JSON."""
    click.echo(encodable(text))  # which flushes


def writer_of(session: ArmSession, table: Table[R], of: Mapping[str, Any] = _NOTHING) -> Writer:
    """Return the writer of the format asked for; `of` says in JSON whose list it is."""
    match session.request.format_:
        case "json":
            return JsonWriter(
                table.key, {"schema": SCHEMA, "environment": session.environment, **of}
            )
        case "jsonl":
            return JsonLinesWriter()
        case "tsv":
            return TsvWriter(table)
        case _:
            return TextWriter(table)


async def write_list(
    session: ArmSession, pages: RowPages[R], table: Table[R], of: Mapping[str, Any] = _NOTHING
) -> int:
    """Write a list to its end, and return the exit code.

    A fault in the middle is said on stderr; what was written before it stands. `--limit` cuts at
    rows or pages, which is said too.
    """
    return await write_lists(session, {"": pages}, table, of)


async def write_lists(
    session: ArmSession,
    lists: Mapping[str, RowPages[R]],
    table: Table[R],
    of: Mapping[str, Any] = _NOTHING,
) -> int:
    """Write several lists as one, each by the name of what it is of; a fault ends only its own."""
    writer, written, number, errors = writer_of(session, table, of), 0, 0, list[str]()
    limits, ended_by, unread = session.request.source.limits, "", len(lists)
    for name, pages in lists.items():
        before, unread = written, unread - 1
        try:
            async with aclosing(pages):
                async for page in pages:
                    number += 1
                    shown = _within(page, limits.get(LimitName.ROWS), written)
                    # In a thread: who reads the pipe may stop for minutes, while the next page
                    # comes.
                    with session.waits.paused():
                        await in_background(partial(writer.page, shown))
                    written += len(shown)
                    whole = page.last and not unread
                    if ended_by := _cut(page, shown, whole, number, written, limits):
                        break
        except FaultError as error:
            errors.append(f"{name}: {error}" if name else str(error))
            report_fault(error, session.target)
            if name or written:
                came = f"{count_of(written - before, table.noun)}{name and f' of {name}'}"
                warn(f"the list is not whole: {came} came before that; run the command again")
        if ended_by:
            warn(f"{ended_by}: there are more than the {count_of(written, table.noun)} shown")
            break
    writer.close("; ".join([*errors, ended_by] if ended_by else errors))
    return ExitCode.FAULT if errors else ExitCode.HEALTHY


def _within(page: RowPage[R], rows: float | None, before: int) -> RowPage[R]:
    if rows is None or before + len(page) <= rows:
        return page
    return RowPage(page.raw[: int(rows) - before], page.read, last=False)


def _cut(
    page: RowPage[R],
    shown: RowPage[R],
    whole: bool,
    number: int,
    written: int,
    limits: Mapping[str, float],
) -> str:
    """Return the limit at which the list ends though there is more; else empty."""
    rows, pages = limits.get(LimitName.ROWS), limits.get(LimitName.PAGES)
    more = not whole
    if rows is not None and (len(shown) < len(page) or (more and written >= rows)):
        return f"--limit rows={rows:g}"
    return f"--limit pages={pages:g}" if pages is not None and more and number >= pages else ""
