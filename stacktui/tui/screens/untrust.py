"""Taking back a root: what stacktui added, one to choose, asked once more, exactly that removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType

from stacktui.check.settings import Settings
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, label_value, line
from stacktui.tui.panes.certificate_detail import validity
from stacktui.tui.screens.deed import Deed
from stacktui.tui.widgets.list_pane import ListPane, Row

if TYPE_CHECKING:
    from stacktui.tui.trusting import Added


class Untrust(Deed):
    """Only what stacktui itself added is ever offered."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "ask", "take it back", priority=True),
        Binding("y", "take", "yes"),
        Binding("escape", "change", "no"),
        Binding("escape", "leave", "back"),
    ]

    def __init__(self, settings: Settings) -> None:
        super().__init__("Untrust a root", "Added by stacktui")
        self._settings = settings
        self._added: tuple[Added, ...] = ()
        self._asking = False

    def on_mount(self) -> None:
        self.wait("Looking for what was added.")
        settings = self._settings

        def find() -> tuple[Added, ...]:
            from stacktui.tui.trusting import additions

            return additions(settings)

        self.do(find, self._found)

    def _found(self, added: tuple[Added, ...]) -> None:
        self._added = added
        self.offer([_row(each) for each in added])
        self._show()

    @on(ListPane.Chosen)
    def _show(self) -> None:
        self._asking = False
        self.tell(_lines(self._chosen, asking=False))

    @property
    def _chosen(self) -> Added | None:
        return next((each for each in self._added if each.key == self.choices.chosen), None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "ask":
                return self._chosen is not None and not self._asking
            case "take" | "change":
                return self._asking
            case "leave":
                return not self._asking
            case _:
                return True

    def action_ask(self) -> None:
        self._asking = True
        self.tell(_lines(self._chosen, asking=True))

    def action_change(self) -> None:
        self._show()

    def action_take(self) -> None:
        added = self._chosen
        if added is None:
            return

        def take() -> str:
            from stacktui.tui.trusting import untrust

            return untrust(added)

        self.do(take, lambda trouble: self._done(added, trouble), changes=True)

    def _done(self, added: Added, trouble: str) -> None:
        did = "forgotten" if added.lost else f"taken out of {added.name}, the rest is as it was"
        more = f"; {trouble}" if trouble else ""
        self.dismiss(f"{added.certificate.common_name}: {did}{more}")


def _row(added: Added) -> Row:
    state = (Span("lost since" if added.lost else ""),)
    place = (Span(added.name, TextStyle.DIM),)
    return Row(added.key, (Span(added.certificate.common_name),), ((place, state), (place,)))


def _lines(added: Added | None, *, asking: bool) -> list[Line]:
    if added is None:
        return [
            line("stacktui has added no root to any bundle on this box."),
            BLANK,
            line(Span("What others put into a bundle is theirs to take out.", TextStyle.DIM)),
        ]
    lines = [
        label_value("root", Span(added.certificate.subject, TextStyle.STRONG)),
        label_value("SHA-256", added.certificate.sha256),
        label_value("valid", *validity(added.certificate, added.found)),
        label_value("out of", added.name, Span(f"  {added.destination.path}", TextStyle.DIM)),
        BLANK,
    ]
    if added.lost:
        lines.append(line("It is no longer in that file, as after an upgrade of certifi. "
                          "What is left to do is to forget it."))  # fmt: skip
    else:
        lines.append(line("What others put into the file stays as it is, byte for byte."))
    if asking:
        names = ", ".join(added.destination.environments)
        whom = f" of {names}" if names else ""
        question = (
            "Forget it?"
            if added.lost
            else f"Take it out{whom}? Hosts that nothing else vouches for fail then."
        )
        yes = (
            Span("y", TextStyle.KEY),
            Span(" yes   ", TextStyle.TEXT),
            Span("esc", TextStyle.KEY),
            Span(" no"),
        )
        lines += [BLANK, line(Span(f"{question}  ", TextStyle.WARNING), *yes)]
    return lines
