"""The aliases of VM images that an environment gives to az, and which of them its stamp has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType

from stacktui.check.target import CheckTarget
from stacktui.errors import StacktuiError
from stacktui.text.shell import command_line, for_this_machine
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, label_value, line
from stacktui.tui.screens.action_screen import ActionScreen
from stacktui.tui.widgets.list_pane import ListPane, Row

if TYPE_CHECKING:
    from stacktui.environments.alias_document import AliasDocument, ImageAlias
    from stacktui.resources.images import ImageMatch

# The problems of a document that are shown; the command shows all.
_MOST_PROBLEMS = 3


class ImageAliases(ActionScreen):
    """Lists the aliases, and compares them with the images of the stamp on demand."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "compare", "compare with the stamp", priority=True),
        Binding("y", "copy", "copy the URN"),
        Binding("w", "write_copied", "write what was copied to a file", show=False),
    ]

    def __init__(self, target: CheckTarget) -> None:
        super().__init__(f"VM images of {target.environment.name}", "Aliases")
        self._target = target
        self._document: AliasDocument | None = None
        self._matches: Mapping[str, ImageMatch] = {}
        self._comparing = False

    def on_mount(self) -> None:
        if (url := self._target.environment.vm_image_aliases) is None:
            self.set_text(self._how_to_set())
            return
        step = self._target.environment.limits.step
        self.wait(f"Fetching {url}, for {step:g} s at most.")
        self.run_worker(self._fetch(url), exit_on_error=False)

    def _how_to_set(self) -> list[Line]:
        name, config = self._target.environment.name, self._target.config
        of_config = ("--config", str(config)) if config else ()

        def own(*words: str, after: str = "") -> Line:
            command = command_line(f"stacktui environments {words[0]}", (*words[1:], *of_config))
            shown = f"  {for_this_machine(command)}{after}"
            return line(Span(shown, TextStyle.ACCENT), indent=4)

        return [
            line("It has no document of VM image aliases; az then uses one of public Azure."),
            BLANK,
            line("If there is one:"),
            own("set", name, after=" vm_image_aliases=URL"),
            line("To make one, of the images that the stamp has:"),
            own("aliases", name, after=" --check --sample FILE"),
        ]

    async def _fetch(self, url: str) -> None:
        try:
            found = await self.services.arm_reader.read(
                lambda engine: engine.image_aliases(self._target, url)
            )
        except StacktuiError as error:
            self.failed(str(error))
            return
        self._document = found
        self._show_list()

    def _show_list(self) -> None:
        known = self._document.aliases if self._document else ()
        self.set_choices([self._row(each) for each in known])
        self._show()

    def _row(self, alias: ImageAlias) -> Row:
        glyphs = self.services.screen_style.glyphs
        state: tuple[Span, ...] = ()
        if (match := self._matches.get(alias.name)) is not None:
            symbol, style = (
                (f"{glyphs.failed} not there", TextStyle.ERROR)
                if match.missing
                else (f"{glyphs.ok} there", TextStyle.OK)
            )
            state = (Span(symbol, style),)
        system = (Span(alias.system, TextStyle.DIM),)
        urn = (Span(alias.urn, TextStyle.DIM),)
        return Row(
            alias.name, (Span(alias.name),), ((urn, system, state), (system, state), (state,))
        )

    @property
    def _alias(self) -> ImageAlias | None:
        known = self._document.aliases if self._document else ()
        return next((each for each in known if each.name == self.choices.chosen), None)

    @on(ListPane.Chosen)
    def _show(self) -> None:
        if self._document is None:
            return
        lines: list[Line] = []
        if (alias := self._alias) is not None:
            lines += [
                line(Span(alias.name, TextStyle.STRONG)),
                *self._found(alias),
                label_value("image", alias.urn),
                label_value("for", ", ".join(filter(None, (alias.system, alias.architecture)))),
                BLANK,
            ]
        glyphs, problems = self.services.screen_style.glyphs, self._document.problems
        told = [f"{glyphs.warning} {each}" for each in problems[:_MOST_PROBLEMS]]
        if (more := len(problems) - _MOST_PROBLEMS) > 0:
            told.append(f"and {more} more")
        lines += [line(Span(each, TextStyle.WARNING)) for each in told]
        self.set_text(lines if told else lines[:-1])

    def _found(self, alias: ImageAlias) -> list[Line]:
        """Return whether the stamp has the image."""
        glyphs = self.services.screen_style.glyphs
        if self._comparing:
            return [label_value("on the stamp", Span("asking it", TextStyle.DIM))]
        if (match := self._matches.get(alias.name)) is None:
            why = "not compared" if self._target.identity else "no identity to compare it with"
            return [label_value("on the stamp", Span(why, TextStyle.DIM))]
        if match.missing:
            why = f"{glyphs.failed} {match.why_missing}"
            return [label_value("on the stamp", Span(why, TextStyle.ERROR))]
        return [label_value("on the stamp", Span(f"{glyphs.ok} use {match.urn}", TextStyle.OK))]

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "compare":
                return (
                    self._target.identity is not None
                    and self._alias is not None
                    and not self._comparing
                )
            case "copy":
                return self._alias is not None
            case "write_copied":
                return bool(self.services.copier.text)
            case _:
                return super().check_action(action, parameters)

    def action_compare(self) -> None:
        """Ask the stamp which of the images it has."""
        self._comparing = True
        self._show()
        self.run_worker(self._compare(), exit_on_error=False)

    async def _compare(self) -> None:
        aliases = self._document.aliases if self._document else ()
        try:
            found = await self.services.arm_reader.read(
                lambda engine: engine.images(self._target, aliases)
            )
        except StacktuiError as error:
            self.warn(f"not compared: {error}")
        else:
            self._matches = {each.alias.name: each for each in found}
        self._comparing = False
        self._show_list()

    def action_copy(self) -> None:
        """Copy the URN that the stamp has, else that of the document."""
        if (alias := self._alias) is not None:
            match = self._matches.get(alias.name)
            urn = (match.urn if match else "") or alias.urn
            self.services.copier.copy(urn, urn, self._hints.notice)

    async def action_write_copied(self) -> None:
        await self.services.copier.write(self._hints.notice)
