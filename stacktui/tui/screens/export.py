"""The export screen: write a bundle for az and other programs, and show how to use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from stacktui.certificates.formatting import EXPORT_NOTES
from stacktui.check.settings import Settings
from stacktui.text.counts import count_of
from stacktui.text.shell import for_this_machine
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, label_value, line
from stacktui.tui.screens.action_screen import ActionScreen

if TYPE_CHECKING:
    from stacktui.certificates.export import Exported


class Export(ActionScreen):
    """Writes the bundle when it opens, without asking: the file is stacktui's own."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "copy the line"),
        Binding("w", "write_copied", "write what was copied to a file", show=False),
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
        self.set_text(_lines(exported, self.services.screen_style.glyphs.ok))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "write_copied":
            return bool(self.services.copier.text)
        if action == "copy":
            return self._exported is not None
        return super().check_action(action, parameters)

    def action_copy(self) -> None:
        if self._exported is not None:
            text = for_this_machine(self._exported.lines)
            self.services.copier.copy(text, text, self._hints.notice)

    async def action_write_copied(self) -> None:
        await self.services.copier.write(self._hints.notice)


def _lines(exported: Exported, ok: str) -> list[Line]:
    lines = [
        label_value(
            "written", Span(f"{ok} {count_of(exported.count, 'certificate')}", TextStyle.OK)
        ),
        label_value("file", str(exported.path)),
    ]
    lines += [
        label_value("", Span(f"{part.count:>5} of {part.source.setting}", TextStyle.DIM))
        for part in exported.parts
    ]
    lines += [label_value("left out", Span(each, TextStyle.WARNING)) for each in exported.left_out]
    if exported.closed is not None:
        closed = f"{exported.closed}: other users' programs cannot read it"
        lines.append(label_value("closed", Span(closed, TextStyle.WARNING)))
    return [
        *lines,
        BLANK,
        line("In the shell where az runs, once, or in its start-up file:"),
        label_value("bash", Span(exported.lines["bash"], TextStyle.STRONG)),
        label_value("PowerShell", Span(exported.lines["powershell"], TextStyle.STRONG)),
        BLANK,
        line(Span(" ".join(EXPORT_NOTES), TextStyle.DIM)),
    ]
