"""Taking back a root: what stacktui added, one to choose, asked once more, exactly that removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType

from stacktui.check.settings import Settings
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, label_value, line
from stacktui.tui.panes.certificate_detail import validity
from stacktui.tui.screens.action_screen import ActionScreen, question
from stacktui.tui.widgets.list_pane import ListPane, Row

if TYPE_CHECKING:
    from stacktui.certificates.untrust_root import AddedRoot


class Untrust(ActionScreen):
    """Offers only the roots that stacktui itself added."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "ask", "take it back", priority=True),
    ]

    def __init__(self, settings: Settings) -> None:
        super().__init__("Untrust a root", "Added by stacktui")
        self._settings = settings
        self._added: tuple[AddedRoot, ...] = ()

    def on_mount(self) -> None:
        self.wait("Searching for what stacktui added.")
        settings = self._settings

        def find() -> tuple[AddedRoot, ...]:
            from stacktui.certificates.untrust_root import added_roots

            return added_roots(settings.path, settings.environments)

        self.run(find, self._found)

    def _found(self, added: tuple[AddedRoot, ...]) -> None:
        self._added = added
        self.set_choices([_row(each) for each in added])
        self._show()

    @on(ListPane.Chosen)
    def _show(self) -> None:
        self.asking = False
        self.set_text(_lines(self._chosen, asking=False))

    @property
    def _chosen(self) -> AddedRoot | None:
        return next((each for each in self._added if _key(each) == self.choices.chosen), None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "ask":
            return self._chosen is not None and not self.asking
        return super().check_action(action, parameters)

    def action_ask(self) -> None:
        self.asking = True
        self.set_text(_lines(self._chosen, asking=True))

    def action_decline(self) -> None:
        self._show()

    def action_confirm(self) -> None:
        added = self._chosen
        if added is None:
            return

        def take_back() -> str:
            from stacktui.certificates.untrust_root import take_back

            return take_back(added)

        self.run(take_back, lambda trouble: self._done(added, trouble), changes=True)

    def _done(self, added: AddedRoot, trouble: str) -> None:
        taken_out = f"taken out of {added.target.name}, the rest is as it was"
        did = "forgotten" if added.lost else taken_out
        more = f"; {trouble}" if trouble else ""
        self.dismiss(f"{added.certificate.common_name}: {did}{more}")


def _key(added: AddedRoot) -> str:
    return f"{added.certificate.sha256} {added.target.path}"


def _row(added: AddedRoot) -> Row:
    state = (Span("lost since" if added.lost else ""),)
    place = (Span(added.target.name, TextStyle.DIM),)
    return Row(_key(added), (Span(added.certificate.common_name),), ((place, state), (place,)))


def _lines(added: AddedRoot | None, *, asking: bool) -> list[Line]:
    if added is None:
        return [
            line("stacktui has added no root to any bundle on this machine."),
            BLANK,
            line(Span("What others put into a bundle is theirs to take out.", TextStyle.DIM)),
        ]
    lines = [
        label_value("root", Span(added.certificate.subject, TextStyle.STRONG)),
        label_value("SHA-256", added.certificate.sha256),
        label_value("valid", *validity(added.certificate, added.found)),
        label_value("out of", added.target.name, Span(f"  {added.target.path}", TextStyle.DIM)),
        BLANK,
    ]
    if added.lost:
        lines.append(line("It is no longer in that file, as after an upgrade of certifi. "
                          "What is left to do is to forget it."))  # fmt: skip
    else:
        lines.append(line("What others put into the file stays as it is, byte for byte."))
    if asking:
        names = ", ".join(added.target.environments)
        whom = f" of {names}" if names else ""
        take_out = f"Take it out{whom}? Hosts that nothing else vouches for fail then."
        lines += [BLANK, question("Forget it?" if added.lost else take_out)]
    return lines
