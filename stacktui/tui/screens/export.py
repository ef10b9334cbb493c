"""A bundle for az and other programs: written, and the line that puts it to use."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from stacktui.check.settings import Settings
from stacktui.text.counts import count_of
from stacktui.tui.lines import BLANK, Line, Role, Span, field, line
from stacktui.tui.screens.deed import Deed

if TYPE_CHECKING:
    from stacktui.tui.trusting import Exported


class Export(Deed):
    """Writes when it opens: the file is stacktui's own."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "copy the line"),
    ]

    def __init__(self, settings: Settings | None) -> None:
        super().__init__("A bundle for az and other programs", "")
        self._settings = settings
        self._exported: Exported | None = None

    def on_mount(self) -> None:
        self.wait("Writing it.")
        settings = self._settings

        def write() -> Exported:
            from stacktui.tui.trusting import export

            return export(settings)

        self.do(write, self._done)

    def _done(self, exported: Exported) -> None:
        self._exported = exported
        self.tell(_lines(exported, self.owner.look.glyphs.ok))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self._exported is not None if action == "copy" else True

    def action_copy(self) -> None:
        if self._exported is not None:
            text = command_line(self._exported)
            self.app.copy_to_clipboard(text)
            self.say(f"copied: {text}")


def command_line(exported: Exported) -> str:
    """The line for the shell of this machine."""
    return exported.powershell if sys.platform == "win32" else exported.bash


def _lines(exported: Exported, ok: str) -> list[Line]:
    total = sum(count for _, count in exported.parts)
    lines = [
        field("written", Span(f"{ok} {count_of(total, 'certificate')}", Role.OK)),
        field("file", str(exported.path)),
    ]
    lines += [field("", Span(f"{count:>5} of {name}", Role.DIM)) for name, count in exported.parts]
    lines += [field("left out", Span(each, Role.WARNING)) for each in exported.left_out]
    return [
        *lines,
        BLANK,
        line("In the shell where az runs, once, or in its start-up file:"),
        field("bash", Span(exported.bash, Role.STRONG)),
        field("PowerShell", Span(exported.powershell, Role.STRONG)),
        BLANK,
        line(
            Span("It needs no root, changes nobody's bundle, and survives upgrades of certifi. "
                 "After you trust another root, export again.", Role.DIM)
        ),
    ]  # fmt: skip
