"""Exporting an environment: the forms of other clients to copy, and az's files to write."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType

from stacktui.check.target import CheckTarget
from stacktui.config.read_only import is_read_only
from stacktui.environments.profiles import PROFILES
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, label_value, line
from stacktui.tui.screens.action_screen import ActionScreen, question
from stacktui.tui.widgets.list_pane import ListPane, Row

if TYPE_CHECKING:
    from stacktui.azure_cli.cloud_file import AzClouds, Written
    from stacktui.exchange.connection import Connection

# The forms by name, as `stacktui environments export --format` has them.
AZ = "az"
FORMS = {
    AZ: "register it in az's own files",
    "az-commands": "the commands that connect the az of this machine",
    "env": "variables that the SDKs read, for bash",
    "powershell": "the same for PowerShell",
    "cmd": "the same for cmd",
    "az-powershell": "Add-AzEnvironment and Connect-AzAccount",
    "sdk-python": "a program for azure-identity and azure-mgmt-resource",
    "sdk-json": "the JSON file that the Python SDK's samples read",
    "environment-json": "the file that $AZURE_ENVIRONMENT_FILEPATH names",
    "terraform": "the variables of Terraform's provider (archived)",
    "toml": "tables for the config of another stacktui",
}


class ExportEnvironment(ActionScreen):
    """Shows each form with references in place of secrets; returns what was written into az."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "ask", "write it into az", priority=True),
        Binding("y", "copy", "copy all"),
        # A key that is bound here loses its bindings of the base class.
        Binding("y", "confirm", "yes"),
        Binding("w", "write_copied", "write what was copied to a file", show=False),
    ]

    def __init__(self, target: CheckTarget) -> None:
        super().__init__(f"Export {target.environment.name}", "Forms")
        self._target = target
        self._connection: Connection | None = None
        self._clouds: AzClouds | None = None
        self._texts: dict[str, str] = {}
        self._remarks: dict[str, tuple[str, ...]] = {}
        self._broken = ""

    def on_mount(self) -> None:
        step = self._target.environment.limits.step
        self.wait(
            "Reading what was recorded of the stamp; if nothing was, the stamp is asked, "
            f"for {step:g} s at most."
        )
        self.run(self._read, self._show_forms)

    def _read(self) -> Connection:
        """Read what every form needs. Blocks. Raises StacktuiError."""
        from stacktui.azure_cli.cloud_file import AzFileError, read_clouds
        from stacktui.check.cloud import connection_to
        from stacktui.exchange.forms import REMARKS, RENDERERS

        connection = asyncio.run(connection_to(self._target))
        self._remarks = {form.value: tuple(of(connection)) for form, of in REMARKS.items()}
        self._texts = {form.value: render(connection) for form, render in RENDERERS.items()}
        try:
            self._clouds = read_clouds()
        except AzFileError as error:
            self._broken = str(error)
        return connection

    def failed(self, why: str) -> None:
        """Show why the work failed; where the stamp does not answer, a check says more."""
        super().failed(why if self._connection else f"{why}; esc, then c finds what is wrong")

    def _show_forms(self, connection: Connection) -> None:
        self._connection = connection
        remarks = ((form, (Span(what, TextStyle.DIM),)) for form, what in FORMS.items())
        self.set_choices([Row(form, (Span(form),), ((what,), ())) for form, what in remarks])
        self._show()

    @on(ListPane.Chosen)
    def _show(self) -> None:
        self.asking = False
        if self._form == AZ:
            self.set_text(list(self._az_lines(asking=False)))
        else:
            remarks = self._remarks.get(self._form, ())
            shown = [line(Span(each, TextStyle.DIM)) for each in remarks]
            text = [line(each) for each in self._texts[self._form].splitlines()]
            self.set_text([*shown, *[BLANK] * bool(shown), *text])

    @property
    def _form(self) -> str:
        return self.choices.chosen or AZ

    def _az_lines(self, *, asking: bool) -> Iterator[Line]:
        """Yield what would change in az's files, and the question if it is asked."""
        from stacktui.azure_cli.cloud_file import clouds_file
        from stacktui.exchange.az_form import (
            az_sync,
            differences,
            needs_instance_discovery_off,
            surplus,
        )
        from stacktui.exchange.az_setup import too_new

        yield label_value("file", str(clouds_file()))
        if self._connection is None or self._clouds is None:
            yield label_value("broken", Span(self._broken, TextStyle.ERROR))
            return
        cloud = self._connection.cloud
        known = self._clouds.registered.get(cloud.name)
        changes = tuple(differences(cloud, known or {}))
        sync = az_sync(cloud, self._clouds)
        state = "is not registered" if known is None else "differs" if changes else "is there"
        active = ", az's active cloud" if sync.active and known is not None else ""
        yield label_value("section", f"[{cloud.name}] {state}{active}")
        if not self._connection.built_in and (why := too_new(self._connection.machine.az)):
            yield line(Span(f"{why} az-commands puts 2.66 beside it.", TextStyle.WARNING))
        if known is None and sync.name:
            yield label_value("", f"az has the same ARM endpoint as [{sync.name}]")
        for each in changes:
            if each.registered:
                yield line(Span(f"- {each.option} = {each.registered}", TextStyle.ERROR), indent=2)
            yield line(Span(f"+ {each.option} = {each.expected}", TextStyle.OK), indent=2)
        for each in surplus(cloud, known or {}):
            stays = Span("  stays: the stamp has none", TextStyle.DIM)
            yield line(f"  {each.option} = {each.registered}", stays, indent=2)
        discovery = self._clouds.instance_discovery_here
        if discovery is None:
            discovery = self._clouds.instance_discovery
        if discovery and needs_instance_discovery_off(cloud):
            yield BLANK
            yield line(
                "Its login host is none of Microsoft's: az login needs, for all of az's clouds,",
                Span(" az config set core.instance_discovery=false", TextStyle.STRONG),
            )
        yield BLANK
        if asking:
            yield question("Write this? Other sections stay, and a copy of the file is kept.")
        elif changes and is_read_only():
            yield line(Span("read-only: nothing is written", TextStyle.DIM))
        elif not changes and not sync.active:
            yield line("Next: ", Span(self._next(), TextStyle.STRONG))

    def _next(self) -> str:
        """Return the command that makes the cloud az's active one."""
        from stacktui.exchange.az_setup import selecting
        from stacktui.exchange.shells import az_line, shell_of_this_machine

        return az_line(shell_of_this_machine(), selecting(self._target.environment.name))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        known = self._connection
        match action:
            case "ask":
                if known is None or self._form != AZ or self.asking or is_read_only():
                    return False
                return self._clouds is not None and self._changes()
            case "copy":
                return known is not None and not self.asking and self._form != AZ
            case "write_copied":
                return bool(self.services.copier.text)
            case _:
                return super().check_action(action, parameters)

    def _changes(self) -> bool:
        from stacktui.exchange.az_form import differences

        if self._connection is None or self._clouds is None:
            return False
        cloud = self._connection.cloud
        return any(differences(cloud, self._clouds.registered.get(cloud.name, {})))

    def action_ask(self) -> None:
        self.asking = True
        self.set_text(list(self._az_lines(asking=True)))

    def action_decline(self) -> None:
        self._show()

    def action_confirm(self) -> None:
        if self._connection is None:
            return
        cloud = self._connection.cloud

        def write() -> Written | None:
            from stacktui.azure_cli.cloud_file import register
            from stacktui.exchange.az_form import options_of

            return register(cloud.name, options_of(cloud), PROFILES)

        self.run(write, self._written, changes=True)

    def _written(self, written: Written | None) -> None:
        name = self._target.environment.name
        backed_up = " (a copy is kept)" if written is not None and written.backup else ""
        self.dismiss(f"az knows [{name}]{backed_up}; next: {self._next()}")

    def action_copy(self) -> None:
        text = self._texts[self._form]
        self.services.copier.copy(text, self._form, self._hints.notice)

    async def action_write_copied(self) -> None:
        await self.services.copier.write(self._hints.notice)
