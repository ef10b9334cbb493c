"""The columns and the legend of the matrix of hosts and trust stores. Light to import."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from stacktui.text.counts import count_of
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import Line, Span, TextStyle, line, width_of
from stacktui.tui.widgets.list_pane import Columns, Row

if TYPE_CHECKING:
    from stacktui.certificates.stores import StoreState
    from stacktui.certificates.verify import Verification
    from stacktui.tui.scan_state import EvaluatedScan

# As `ListPane.name_width`.
NAME_WIDTH = 26


def header(result: EvaluatedScan, glyphs: Glyphs) -> Row:
    """Return the header: the stores' names, or their numbers where names are too wide."""
    stores = [state.store for state in result.states]
    names = [Span(each.name, TextStyle.DIM) for each in stores]
    names[0] = Span(f"{glyphs.active} {names[0].text}", TextStyle.ACCENT)
    numbers = [Span(str(number), TextStyle.DIM) for number in range(1, len(stores) + 1)]
    numbers[0] = Span(f"{glyphs.active}1", TextStyle.ACCENT)
    state, days, note = (Span("state", TextStyle.DIM),), (Span("days left", TextStyle.DIM),), ()
    host: tuple[Columns, ...] = ((state, days, note), (state, days), (state,))
    return Row("", (Span("host", TextStyle.DIM),), column_sets(host, names, numbers))


def column_sets(
    host: tuple[Columns, ...], cells: Sequence[Span], short_cells: Sequence[Span] = ()
) -> tuple[Columns, ...]:
    """Return the column sets of a host's row with the stores' cells added.

    Wide sets have `cells`, narrow ones `short_cells` (the same if not given).
    """
    _, medium, narrow = host
    wide: Columns = tuple((cell,) for cell in cells)
    short: Columns = tuple((cell,) for cell in short_cells or cells)
    return (*medium, *wide), (*narrow, *wide), (*medium, *short), (*narrow, *short)


def signs(cells: Sequence[Verification | None], glyphs: Glyphs) -> list[Span]:
    """Return each store's verdict as a symbol."""
    return [sign(cell, glyphs) for cell in cells]


def sign(cell: Verification | None, glyphs: Glyphs) -> Span:
    if cell is None:
        return Span(glyphs.skipped, TextStyle.DIM)
    return Span(glyphs.ok, TextStyle.OK) if cell.ok else Span(glyphs.failed, TextStyle.ERROR)


def legend(
    result: EvaluatedScan,
    cells: Sequence[Verification | None] | None,
    glyphs: Glyphs,
    *,
    brief: bool = False,
) -> list[Line]:
    """Return a line per store (number, verdict, name, number of certificates, path), then the
    problems of the stores with their fixes.

    `cells` are the stores' verdicts on a host, if any. `brief` cuts each store's line to one row.
    """
    width = max(len(state.store.name) for state in result.states)
    verdicts = list(map(_verdict, result.states, cells)) if cells is not None else []
    verdict_width = max(map(len, verdicts), default=0)
    lines = []
    for position, state in enumerate(result.states):
        spans = [_number(position, state, glyphs)]
        if cells is not None:
            mark = sign(cells[position], glyphs)
            spans += [mark, Span(f" {verdicts[position].ljust(verdict_width)}  ", mark.style)]
        name = Span(f"{state.store.name.ljust(width)}  ")
        indent = width_of(spans) + width + 2
        lines.append(
            Line((*spans, name, Span(_location(state), TextStyle.DIM)), indent=indent, cut=brief)
        )
    return [*lines, *problem_lines(result.states, glyphs)]


def _number(position: int, state: StoreState, glyphs: Glyphs) -> Span:
    """Return the number of a store, marked if it is in use, else if it has a problem."""
    if position == 0:
        return Span(f"{glyphs.active}1 ".rjust(4), TextStyle.ACCENT)
    if any(style is not TextStyle.DIM for style, _ in _problems(state, glyphs)):
        return Span(f"{glyphs.warning}{position + 1} ".rjust(4), TextStyle.WARNING)
    return Span(f"{position + 1} ".rjust(4), TextStyle.DIM)


def problem_lines(states: Sequence[StoreState], glyphs: Glyphs) -> list[Line]:
    """Return the problems of the stores: each once, with the numbers of its stores."""
    found: dict[tuple[TextStyle, str], list[str]] = {}
    for number, state in enumerate(states, 1):
        for problem in _problems(state, glyphs):
            found.setdefault(problem, []).append(str(number))
    marks = {
        TextStyle.ERROR: glyphs.failed,
        TextStyle.WARNING: glyphs.warning,
        TextStyle.DIM: glyphs.pending,
    }
    return [
        line(Span(f"  {marks[style]} {' '.join(numbers)}  ", style), Span(text, style), indent=4)
        for (style, text), numbers in found.items()
    ]


def _problems(state: StoreState, glyphs: Glyphs) -> Iterator[tuple[TextStyle, str]]:
    if state.problem:
        yield TextStyle.ERROR, state.problem
    for lost in state.lost:
        how = "its file is gone" if lost.gone else "an upgrade of certifi does that without notice"
        fix = "T adds it again; x exports a bundle that survives upgrades."
        yield TextStyle.WARNING, f"{lost.subject} was added here and is lost: {how}. {fix}"
    if state.unreadable:
        more = f", and {len(state.unreadable) - 1} more" if len(state.unreadable) > 1 else ""
        yield TextStyle.WARNING, f"{state.unreadable[0]}{more}"
    if state.expired:
        names = ", ".join(each.common_name for each in state.expired[:2])
        more = f", {glyphs.ellipsis}" if len(state.expired) > 2 else ""
        yield TextStyle.DIM, f"{count_of(len(state.expired), 'root')} in it expired: {names}{more}"


def _verdict(state: StoreState, cell: Verification | None) -> str:
    if cell is None:
        return "unusable" if state.problem else "not judged"
    return cell.word


def _location(state: StoreState) -> str:
    store = state.store
    location = " + ".join(each.setting for each in store.sources)
    # By the value of `StoreKind`, which is imported with the first scan.
    if store.kind != "in-use":
        location = f"{store.path} {store.detail}".rstrip()
    return f"{state.count} in {location}"
