"""Hosts and trust stores, for the pane of certificates alone on the screen. Light to import."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from stacktui.text.counts import count_of
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import Line, Role, Span, line, width_of
from stacktui.tui.widgets.listing import Row

if TYPE_CHECKING:
    from stacktui.certificates.stores import StoreState
    from stacktui.certificates.verify import Verification
    from stacktui.tui.scan_state import EvaluatedScan

# Names of hosts may be cut to this before a column is given up for them.
NAME_ROOM = 26
Spans = tuple[Span, ...]
Form = tuple[Spans, ...]


def header(result: EvaluatedScan, glyphs: Glyphs) -> Row:
    """The stores' names above their columns, or where there is no room their numbers."""
    stores = [state.store for state in result.states]
    names = [Span(each.name, Role.DIM) for each in stores]
    names[0] = Span(f"{glyphs.active} {names[0].text}", Role.ACCENT)
    numbers = [Span(str(number), Role.DIM) for number in range(1, len(stores) + 1)]
    numbers[0] = Span(f"{glyphs.active}1", Role.ACCENT)
    state, days, note = (Span("state", Role.DIM),), (Span("days left", Role.DIM),), ()
    of_hosts: tuple[Form, ...] = ((state, days, note), (state, days), (state,))
    return Row("", (Span("host", Role.DIM),), forms(of_hosts, names, numbers))


def forms(
    of_host: tuple[Form, ...], cells: Sequence[Span], short: Sequence[Span] = ()
) -> tuple[Form, ...]:
    """What a host's columns become with the stores' behind them: named, then numbered.

    `cells` go under names and `short` under numbers; without `short` the same go under both.
    """
    _, middle, bare = of_host
    named: Form = tuple((cell,) for cell in cells)
    numbered: Form = tuple((cell,) for cell in short or cells)
    return (*middle, *named), (*bare, *named), (*middle, *numbered), (*bare, *numbered)


def signs(cells: Sequence[Verification | None], glyphs: Glyphs) -> list[Span]:
    """Each store's verdict as one symbol."""
    return [sign(cell, glyphs) for cell in cells]


def sign(cell: Verification | None, glyphs: Glyphs) -> Span:
    if cell is None:
        return Span(glyphs.skipped, Role.DIM)
    return Span(glyphs.ok, Role.OK) if cell.ok else Span(glyphs.failed, Role.ERROR)


def legend(
    result: EvaluatedScan,
    cells: Sequence[Verification | None] | None,
    glyphs: Glyphs,
    *,
    brief: bool = False,
) -> list[Line]:
    """A line a store: its number, the verdict if there is one to give, how many certificates it
    has, and where; then what is wrong with the stores themselves, and what to do.

    `brief` is for those who want to see all stores at once: one row each, whatever the width.
    """
    width = max(len(state.store.name) for state in result.states)
    words = list(map(_word, result.states, cells)) if cells is not None else []
    room = max(map(len, words), default=0)
    lines = []
    for position, state in enumerate(result.states):
        spans = [_number(position, state, glyphs)]
        if cells is not None:
            mark = sign(cells[position], glyphs)
            spans += [mark, Span(f" {words[position].ljust(room)}  ", mark.role)]
        name = Span(f"{state.store.name.ljust(width)}  ")
        hang = width_of(spans) + width + 2
        lines.append(Line((*spans, name, Span(_place(state), Role.DIM)), hang=hang, cut=brief))
    return [*lines, *troubles(result.states, glyphs)]


def _number(position: int, state: StoreState, glyphs: Glyphs) -> Span:
    """The number of a store, marked if it is the one in use, else if there is trouble with it."""
    if position == 0:
        return Span(f"{glyphs.active}1 ".rjust(4), Role.ACCENT)
    if any(role is not Role.DIM for role, _ in _troubles(state, glyphs)):
        return Span(f"{glyphs.warning}{position + 1} ".rjust(4), Role.WARNING)
    return Span(f"{position + 1} ".rjust(4), Role.DIM)


def troubles(states: Sequence[StoreState], glyphs: Glyphs) -> list[Line]:
    """What is wrong with the stores themselves: each trouble once, with the numbers it is of."""
    found: dict[tuple[Role, str], list[str]] = {}
    for number, state in enumerate(states, 1):
        for trouble in _troubles(state, glyphs):
            found.setdefault(trouble, []).append(str(number))
    marks = {Role.ERROR: glyphs.failed, Role.WARNING: glyphs.warning, Role.DIM: glyphs.pending}
    return [
        line(Span(f"  {marks[role]} {' '.join(numbers)}  ", role), Span(text, role), hang=4)
        for (role, text), numbers in found.items()
    ]


def _troubles(state: StoreState, glyphs: Glyphs) -> Iterator[tuple[Role, str]]:
    if state.problem:
        yield Role.ERROR, state.problem
    for lost in state.lost:
        how = "its file is gone" if lost.gone else "an upgrade of certifi does that without a word"
        mend = "T adds it again; x exports a bundle that survives upgrades."
        yield Role.WARNING, f"{lost.subject} was added here and is lost: {how}. {mend}"
    if state.unreadable:
        more = f", and {len(state.unreadable) - 1} more" if len(state.unreadable) > 1 else ""
        yield Role.WARNING, f"{state.unreadable[0]}{more}"
    if state.expired:
        names = ", ".join(each.common_name for each in state.expired[:2])
        more = f", {glyphs.ellipsis}" if len(state.expired) > 2 else ""
        yield Role.DIM, f"{count_of(len(state.expired), 'root')} in it expired: {names}{more}"


def _word(state: StoreState, cell: Verification | None) -> str:
    if cell is None:
        return "unusable" if state.problem else "not judged"
    return cell.word


def _place(state: StoreState) -> str:
    store = state.store
    place = " + ".join(each.setting for each in store.sources)
    # By the value of `StoreKind`, which comes with the stores.
    if store.kind != "in-use":
        place = f"{store.path} {store.detail}".rstrip()
    return f"{state.count} in {place}"
