"""The requests of this session, and for each the lines that repeat it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

from textual.binding import Binding, BindingType

from stacktui.diagnosis.finding import Remedy
from stacktui.text.shell import for_this_machine
from stacktui.transport.request_commands import BODY, TOKEN_LINES, ca_note, command_lines
from stacktui.tui.formatting import clock, command_of, duration, outcome_span
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, label_value, line
from stacktui.tui.panes.check_steps import phase_spans
from stacktui.tui.screens.copy import CopyScreen
from stacktui.tui.screens.list_screen import ListScreen
from stacktui.tui.widgets.list_pane import Row, Rows

if TYPE_CHECKING:
    from stacktui.transport.records import Exchange
    from stacktui.tui.request_history import RequestHistory

# Seconds after which requests made meanwhile are listed.
_REFRESH = 1.0
# Fewer cells than these show no time, and fewer than those no host.
_ROOM_FOR_TIME, _ROOM_FOR_PATH = 44, 60
# Of the lines that repeat a request, in their order.
_TITLES = ("Repeat it with az, which gets the token itself.", "Repeat it with curl.")
_GUID = re.compile(r"\b([0-9a-f]{8})-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE)


class RequestsScreen(ListScreen["Exchange"]):
    """Lists the requests, the newest last; `enter` shows one with the lines that repeat it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open"),
        Binding("y", "copy", "copy"),
    ]

    def __init__(self, history: RequestHistory) -> None:
        super().__init__("Request", "Requests")
        self._history = history
        self._requests: dict[str, Exchange] = {}
        self.choices.name_width = _ROOM_FOR_PATH

    def on_mount(self) -> None:
        super().on_mount()
        self._list()
        self.set_interval(_REFRESH, self._list)

    def _list(self) -> None:
        """Show the requests made meanwhile; the bar stays at the newest, if it is there."""
        requests = self._history.snapshot()
        newest = next(reversed(requests), None)
        known = next(reversed(self._requests), None)
        if newest is not None and newest == known:
            return
        self._requests = requests
        if self.choices.chosen == known:
            self.choices.choose(newest)
        rows = Rows(tuple(requests), lambda key: _row(key, requests[key]), self._filtered_by)
        self.choices.show(rows, (), (line(Span("No request was made yet.", TextStyle.DIM)),))
        self.share_height()
        self.show_hints()

    def _filtered_by(self, key: str) -> str:
        exchange = self._requests[key]
        return f"{exchange.method} {_url(exchange)} {exchange.outcome}".lower()

    @property
    def _remedies(self) -> list[Remedy]:
        """The lines of the request that is open or highlighted, as `CopyScreen` takes them."""
        exchange = self.opened or self._requests.get(self.choices.chosen or "")
        lines = command_lines(exchange) if exchange is not None else ()
        titles = _TITLES[-len(lines) :]  # only ARM has an az line
        remedies = [
            Remedy(title, each["bash"], each["powershell"])
            for title, each in zip(titles, lines, strict=False)
        ]
        return [each for each in remedies if command_of(each)]

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "copy":
            return bool(self._remedies)
        return super().check_action(action, parameters)

    def action_open(self) -> None:
        if (exchange := self._requests.get(self.choices.chosen or "")) is not None:
            self.show_opened(exchange)
            glyphs = self.services.screen_style.glyphs
            self.set_text(_detail(exchange, self._remedies, glyphs))

    def action_copy(self) -> None:
        """Copy the line; of several, the one that is chosen by its number."""
        if len(remedies := self._remedies) > 1:
            self.app.push_screen(CopyScreen(remedies), self._copy)
        else:
            self._copy(next(map(command_of, remedies), None))

    def _copy(self, command: str | None) -> None:
        if command:
            self.services.copier.copy(command, command, self._hints.notice)


def _url(exchange: Exchange) -> str:
    return exchange.sent.url if exchange.sent else exchange.url


def _row(key: str, exchange: Exchange) -> Row:
    parts = urlsplit(_url(exchange))
    path = (Span(f"{exchange.method} ", TextStyle.DIM), Span(_GUID.sub(r"\1…", parts.path or "/")))
    began = Span(f"{clock(exchange.sent.started)} " if exchange.sent else "", TextStyle.DIM)
    outcome = (outcome_span(exchange),)
    took = (Span(duration(exchange.seconds), TextStyle.DIM),)
    host = (Span(parts.hostname or "", TextStyle.DIM),)
    sets = ((host, outcome, took), (outcome, took), (outcome,))
    return Row(key, (began, *path), sets, short_name=path, min_width=_ROOM_FOR_TIME)


def _detail(exchange: Exchange, remedies: list[Remedy], glyphs: Glyphs) -> list[Line]:
    sent, response = exchange.sent, exchange.response
    began = f", at {clock(sent.started)}" if sent else ""
    # The URL is in the lines that repeat the request: a small screen has no room for it twice.
    lines = [
        label_value(
            exchange.method, outcome_span(exchange), f" after {duration(exchange.seconds)}{began}"
        ),
        label_value("phases", *phase_spans(exchange.phases, glyphs, every=True), Span(" ms")),
    ]
    if exchange.fault is not None:
        lines.append(label_value("failed", Span(str(exchange.fault), TextStyle.ERROR)))
    if response is not None and (request_id := response.header("x-ms-request-id")):
        lines.append(label_value("request id", request_id))
    for number, each in enumerate(remedies, 1):
        command = Span(command_of(each), TextStyle.ACCENT)
        lines += [BLANK, line(Span(f"{number} ", TextStyle.KEY), command)]
    if note := ca_note(exchange):
        lines += [BLANK, line(Span(note, TextStyle.DIM))]
    if sent is not None and sent.withheld:
        text = f"{BODY} is a file with the body, {sent.withheld} bytes, which are not shown."
        lines += [BLANK, line(Span(text, TextStyle.DIM))]
    if sent is not None and sent.bearer:
        text = "For curl, with the audience that the az line names:"
        token = Span(for_this_machine(TOKEN_LINES), TextStyle.DIM)
        lines += [BLANK, line(Span(text, TextStyle.DIM)), line(token)]
    return lines
