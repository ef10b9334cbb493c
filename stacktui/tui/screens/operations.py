"""The deletions that were begun, here or by the commands, and how each of them goes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType

from stacktui.resources.operations import OperationState
from stacktui.text.shell import command_line, for_this_machine
from stacktui.text.times import moment_text, rough_duration
from stacktui.tui.arm_task import now
from stacktui.tui.deletions import Deletions, LiveDeletion
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, label_value, line
from stacktui.tui.panes.change_lines import error_lines
from stacktui.tui.screens.action_screen import ActionScreen
from stacktui.tui.widgets.list_pane import ListPane, Row

_HELP = (
    "No deletion of a resource group was begun here that may still go on.",
    "Those of the commands are listed here too, and outlive this dashboard.",
)
_UNREADABLE = "Deletions that were begun before may be missing: their file cannot be used."


class OperationsScreen(ActionScreen):
    """Lists the deletions that are known, those of the file of operations too."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "look", "look again"),
        Binding("y", "copy", "copy the command"),
        Binding("w", "write_copied", "write what was copied to a file", show=False),
        Binding("j", "move(1)", "move the bar", show=False),
        Binding("k", "move(-1)", "move the bar", show=False),
    ]

    def __init__(self) -> None:
        super().__init__("Operations", "Deletions")
        self._listed: tuple[LiveDeletion, ...] = ()

    def on_mount(self) -> None:
        self._list()
        self.services.follow_deletions()
        self.set_interval(1.0, self._list)

    @property
    def _deletions(self) -> Deletions:
        return self.services.deletions

    @property
    def _chosen(self) -> LiveDeletion | None:
        """The highlighted one, else the newest."""
        key = self.choices.chosen
        return next((each for each in self._listed if key in (None, _key(each))), None)

    def _list(self) -> None:
        """Show them, the newest first; only what has changed is painted."""
        known, before = tuple(reversed(self._deletions.known)), self._listed
        if self.app.screen is not self:
            return
        self._listed = known
        if not known:
            if before:
                self.set_choices(())
            help_ = [line(_HELP[0]), BLANK, line(Span(_HELP[1], TextStyle.DIM))]
            self.set_text(self._unreadable() or help_)
            return
        glyphs = self.services.screen_style.glyphs
        rows = [_row(each, glyphs) for each in known]
        if len(known) == len(before):
            self.choices.show(rows, ())
        else:
            self.set_choices(rows)
        self._show()

    @on(ListPane.Chosen)
    def _show(self) -> None:
        if (chosen := self._chosen) is not None:
            shown = _lines(chosen, self.services.screen_style.glyphs)
            self.set_text([*self._unreadable(), *shown])

    def _unreadable(self) -> list[Line]:
        """Return that the list may not be whole, and why; nothing where it is."""
        if not (why := self._deletions.unreadable):
            return []
        return [line(Span(_UNREADABLE, TextStyle.WARNING)), label_value("why", why), BLANK]

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "look":
                chosen = self._chosen
                return chosen is not None and chosen.outcome is OperationState.UNKNOWN
            case "copy":
                return self._chosen is not None
            case "write_copied":
                return bool(self.services.copier.text)
            case _:
                return super().check_action(action, parameters)

    def action_look(self) -> None:
        """Look again at the highlighted one, whose end is not known."""
        if (chosen := self._chosen) is not None:
            self._deletions.follow(chosen.target, chosen.operation)
            self._list()

    def action_copy(self) -> None:
        if (chosen := self._chosen) is not None:
            command = _command(chosen)
            self.services.copier.copy(command, command, self._hints.notice)

    async def action_write_copied(self) -> None:
        await self.services.copier.write(self._hints.notice)


def state_span(live: LiveDeletion, glyphs: Glyphs) -> Span:
    """Return how a deletion is, as a symbol and a word."""
    match live.outcome:
        case OperationState.RUNNING:
            return Span(f"{glyphs.running} running", TextStyle.ACCENT)
        case OperationState.SUCCEEDED:
            return Span(f"{glyphs.ok} deleted", TextStyle.OK)
        case OperationState.FAILED:
            return Span(f"{glyphs.failed} failed", TextStyle.ERROR)
        case OperationState.UNKNOWN:
            return Span(f"{glyphs.warning} unknown", TextStyle.WARNING)


def _key(live: LiveDeletion) -> str:
    return "\n".join(live.operation.key)


def _row(live: LiveDeletion, glyphs: Glyphs) -> Row:
    where = (Span(live.operation.environment, TextStyle.DIM),)
    since = (Span(_since(live), TextStyle.DIM),)
    state = (state_span(live, glyphs),)
    name = (Span(f"delete {live.operation.group}"),)
    return Row(_key(live), name, ((where, since, state), (since, state), (state,)))


def _since(live: LiveDeletion) -> str:
    return moment_text(datetime.fromisoformat(live.operation.began), now(), None)


def _lines(live: LiveDeletion, glyphs: Glyphs) -> Iterator[Line]:
    operation, state = live.operation, state_span(live, glyphs)
    began = datetime.fromisoformat(operation.began)
    took = rough_duration(((now() if live.running else live.at) - began).total_seconds())
    lasted = f" for {took}" if live.running else ""
    yield label_value("state", state, Span(f"{lasted}: {live.words}" if live.result or live.running
                                           else "", TextStyle.TEXT))  # fmt: skip
    if wait := live.seconds_to_wait:
        yield label_value("", Span(f"ARM is asked again in {wait} s", TextStyle.DIM))
    if live.result is not None and live.result.error is not None:
        yield from error_lines(live.result.error, "")
    elif live.error:
        yield from error_lines(live.caught, live.error)
    if live.outcome is OperationState.UNKNOWN:
        yield label_value("find out", Span("r", TextStyle.KEY), " looks again; in a shell:")
        yield label_value("", Span(_command(live), TextStyle.ACCENT))
    yield label_value("deletes", f"resource group {operation.group}")
    yield label_value("environment", operation.environment)
    yield label_value("subscription", operation.subscription)
    yield label_value("since", _since(live))
    if not live.running and live.result is not None:
        yield label_value("ended", f"{moment_text(live.at, now(), None)}, seen after {took}")
    if live.not_remembered:
        why = f"not remembered once this ends: {live.not_remembered}"
        yield label_value("", Span(why, TextStyle.WARNING))
    yield label_value("id", operation.path)


def _command(live: LiveDeletion) -> str:
    operation = live.operation
    config = ("--config", operation.config) if operation.config else ()
    words = ("-e", operation.environment, *config)
    return for_this_machine(command_line("stacktui operations list", words))
