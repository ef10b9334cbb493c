"""A bundle for az and other programs: written, and the line that puts it to use."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from stacktui.certificates.words import EXPORT_NOTES
from stacktui.check.settings import Settings
from stacktui.text.shell import for_this_machine
from stacktui.tui.lines import BLANK, Line, Role, Span, field, line
from stacktui.tui.screens.action_screen import ActionScreen
from stacktui.tui.words import count_of

if TYPE_CHECKING:
    from stacktui.certificates.export import Exported


class Export(ActionScreen):
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
            from stacktui.certificates.export import export

            return export(settings.environments.values() if settings else ())

        self.run(write, self._done)

    def _done(self, exported: Exported) -> None:
        self._exported = exported
        self.set_text(_lines(exported, self.owner.look.glyphs.ok))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self._exported is not None if action == "copy" else True

    def action_copy(self) -> None:
        if self._exported is not None:
            text = for_this_machine(self._exported.lines)
            self.app.copy_to_clipboard(text)
            self.say(f"copied: {text}")


def _lines(exported: Exported, ok: str) -> list[Line]:
    lines = [
        field("written", Span(f"{ok} {count_of(exported.count, 'certificate')}", Role.OK)),
        field("file", str(exported.path)),
    ]
    lines += [
        field("", Span(f"{part.count:>5} of {part.source.setting}", Role.DIM))
        for part in exported.parts
    ]
    lines += [field("left out", Span(each, Role.WARNING)) for each in exported.left_out]
    return [
        *lines,
        BLANK,
        line("In the shell where az runs, once, or in its start-up file:"),
        field("bash", Span(exported.lines["bash"], Role.STRONG)),
        field("PowerShell", Span(exported.lines["powershell"], Role.STRONG)),
        BLANK,
        line(Span(" ".join(EXPORT_NOTES), Role.DIM)),
    ]
