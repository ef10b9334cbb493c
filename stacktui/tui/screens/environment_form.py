"""The form of an environment: paste the ARM URL, check the metadata, save."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from enum import Enum, auto
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from stacktui.certificates.ca_file import CaFile, import_ca_file, read_ca_file, write_converted
from stacktui.certificates.errors import CertificateError
from stacktui.check.settings import Settings
from stacktui.check.target import CheckTarget
from stacktui.config.document import Table, typed_path
from stacktui.config.edit import ENVIRONMENTS, with_changes
from stacktui.environments.config import change_environment, read_environment
from stacktui.environments.model import Environment
from stacktui.environments.pasted_url import free_name, propose_name, read_pasted_url
from stacktui.environments.profiles import DETECT, default_profile
from stacktui.errors import StacktuiError
from stacktui.transport.background import in_background
from stacktui.tui.app_state import AppState
from stacktui.tui.arm_reader import UnreadError
from stacktui.tui.check_runner import CheckRunner
from stacktui.tui.check_state import CheckState
from stacktui.tui.config_change import ConfigChange
from stacktui.tui.formatting import command_of, copied_of
from stacktui.tui.lines import TextStyle
from stacktui.tui.live_check import LiveCheck
from stacktui.tui.panes.detail import DetailPane
from stacktui.tui.panes.discovery import HOW_TO_ADD, HOW_TO_EDIT, discovery_lines
from stacktui.tui.screens.environment_fields import Offers, arm_problem, environment_fields
from stacktui.tui.screens.form import FormScreen
from stacktui.tui.widgets.fields import YES

if TYPE_CHECKING:
    from stacktui.certificates.chain import Certificate
    from stacktui.check.registration import Discovery

# The settings on which it depends what the stamp answers before anyone signs in.
REACH = ("arm", "ca", "proxy")


class Stage(Enum):
    """The state of the form; FOUND and FAULT are the outcomes of a check."""

    TYPING = auto()
    CHECKING = auto()
    FOUND = auto()
    FAULT = auto()


class EnvironmentForm(FormScreen[ConfigChange]):
    """Adds an environment, a copy of another if `table` has its settings, or changes one.

    `table` is the raw table of the config, `edited` the name of the environment to change.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        # A key that is bound here loses its bindings of the base class.
        Binding("enter", "check", "ask the stamp", priority=True),
        Binding("enter", "save", "save", priority=True),
        # Not a letter: after a fault the user may go on typing the URL.
        Binding("ctrl+s", "save_now", "save"),
        Binding("ctrl+s", "save_nevertheless", "save nevertheless"),
        Binding("y", "drop", "drop the changes"),
        Binding("y", "copy", "copy command"),
        Binding("w", "write_copied", "write what was copied to a file", show=False),
        Binding("escape", "go_on", "go on"),
        Binding("escape", "cancel", "cancel"),
        Binding("escape", "change", "change it"),
        Binding("escape", "leave", "back"),
    ]

    def __init__(
        self,
        app_state: AppState,
        settings: Settings,
        *,
        table: dict[str, object] | None = None,
        copied: str | None = None,
        edited: str | None = None,
    ) -> None:
        self._app_state, self._settings = app_state, settings
        self._table, self._edited = table or {}, edited
        self._proposed = free_name(copied, settings.names) if copied else ""
        title = f"Edit {edited}" if edited else f"A copy of {copied}" if copied else ""
        fields = environment_fields(
            settings,
            self._table,
            edited=edited is not None,
            proposed=self._proposed,
            wrong_name=self._wrong_name,
        )
        super().__init__(title or "Add an environment", fields)
        self._live: LiveCheck | None = None
        self._found: Discovery | None = None
        self._checked = {key: self.values[key] for key in REACH} if edited else {}
        self._ca: CaFile | None = None
        self._detail = DetailPane(id="found")
        self._check_runner: CheckRunner | None = None
        self._ticking = False
        self._folder: TemporaryDirectory[str] | None = None

    def extra(self) -> ComposeResult:
        self._show_detail()
        yield self._detail

    def on_mount(self) -> None:
        self._check_runner = self.services.new_check_runner(
            self._on_check_state, self._on_certificates
        )

    def on_unmount(self) -> None:
        if self._folder is not None:
            self._folder.cleanup()

    # Typing

    def _wrong_name(self, name: str) -> str:
        if not name.isprintable():
            return "holds control characters"
        taken = name in self._settings.names
        return f"there is an environment {name} already; choose another name" if taken else ""

    def changed(self, key: str) -> None:
        text, path = self.values[key], self._settings.path
        if key == "arm" and not self._edited and self.values["name"] == self._proposed:
            self._propose_name(text)
        if key == "ca":
            self._ca = None
            self.read_beside(key, lambda: self._read_ca(text, path))
        if key in REACH:
            self._forget_check()

    def _propose_name(self, text: str) -> None:
        with suppress(ValueError):  # else a name of what is there of it
            text = read_pasted_url(text).arm
        self._proposed = propose_name(text, self._settings.names)
        self.set_value("name", self._proposed)
        if "profile" not in self._table and not self._asks_profile:
            self.set_value("profile", default_profile(text))

    def _read_ca(self, text: str, config: Path) -> str:
        """Return what the CA file holds, and keep it. Blocks. Raises StacktuiError, ValueError."""
        if not text:
            return ""
        path = typed_path(text, config)
        try:
            found = read_ca_file(path)
        except CertificateError as error:
            raise ValueError(str(error).removeprefix(f"{path} ")) from None
        if text == self.values["ca"]:
            self._ca = found
        return found.text

    def hidden(self) -> Collection[str]:
        return () if self._offers.sibling else ("both",)

    def problems(self) -> dict[str, str]:
        found = super().problems()
        if self._asks_profile and not self.values["identity"]:
            found["profile"] = "signs in to ask the stamp: choose an identity"
        return found

    def remarks(self) -> dict[str, str]:
        found, arm, proxy = super().remarks(), self.values["arm"], self.values["proxy"]
        if arm and not arm_problem(arm) and (read := read_pasted_url(arm)).arm != arm.rstrip("/"):
            found["arm"] = f"read as {read.arm}"
        found |= self._offers.remarks(self._wanted_name)
        own = {
            "the subscription": self.values["subscription"],
            "the endpoints set by hand": self._table.get("endpoints"),
        }
        if "both" in found and any(own.values()):
            found["both"] += f", without {' and '.join(each for each in own if own[each])}"
        if "@" in proxy:
            found["proxy"] = "the config will hold the password as it stands here"
        elif "@" in str(self._table.get("proxy", "")) and "proxy" not in self.changes():
            found["proxy"] = "with the user and the password that the file has"
        return found

    @property
    def _offers(self) -> Offers:
        identity = self._settings.identities.get(self.values["identity"])
        return Offers(self._found, self._settings, identity, is_new=not self._edited)

    # What is saved

    def _wanted(self) -> dict[str, str]:
        """Return the settings to change, as they are in the config; an empty one is removed."""
        changes = self.changes()
        for key in ("name", "active", "both"):
            changes.pop(key, None)
        if changes.get("profile") == DETECT:  # saving finds out
            del changes["profile"]
        if "arm" in changes:
            changes["arm"] = read_pasted_url(changes["arm"]).arm
        if changes.get("ca") and self._ca is not None:
            changes["ca"] = str(self._ca.path)
        return changes

    @property
    def _wanted_name(self) -> str:
        return self._edited or self.values["name"]

    def _environment(self, changes: dict[str, str]) -> Environment:
        """Return the environment as it will be. Raises ConfigError."""
        values = with_changes(self._table, {key: value or None for key, value in changes.items()})
        table = Table(self._settings.path, f"{ENVIRONMENTS}.{self._wanted_name}", values)
        return read_environment(self._wanted_name, table, self._app_state.limits)

    async def save(self) -> ConfigChange:
        name, path, live = self._wanted_name, self._settings.path, self._live
        changes = self._wanted()
        environment, ca = self._environment(changes), self._ca
        active = None if self._edited else self.values["active"] == YES
        if self._asks_profile:
            changes["profile"] = await self._detect(environment)
        seen = self._found
        found, sibling = self._offers.without_tenant, self._offers.sibling
        other = self._offers.name(name) if sibling and self.values["both"] else ""

        def write(config: Path) -> None:
            from stacktui.check.registration import record_found, register, set_tenant

            values = with_changes(self._table, {k: v or None for k, v in changes.items()})
            if self._edited:
                if changes.get("ca") and ca is not None:
                    changes["ca"] = import_ca_file(ca, path, replace(environment, ca=None))
                change_environment(config, name, changes)
            else:
                register(config, name, values, ca=ca, active=active)
                if seen is not None and seen.target.environment.name == name and not seen.changes:
                    record_found(seen)  # where that fails, the next check records it
            if other:
                # A user's subscription is not an operator's.
                of_other = {**values, "arm": sibling, "endpoints": None, "subscription": None}
                register(config, other, of_other, ca=ca, active=False)
            if found is not None:
                set_tenant(config, found)

        if changes or not self._edited or found is not None:
            await self.services.change_config(write)
        known = live if live is not None and live.target.environment.name == name else None
        if not changes and self._edited:
            return ConfigChange(f"{name}: nothing was changed", shown=name)
        profile = f" with profile {changes['profile']}" if self._asks_profile else ""
        also = f" and {other}" if other else ""
        done = f"saved {name}{also} in {path}{profile}"
        again = bool(self._edited) and "profile" in changes
        return ConfigChange(done, (name,), name, known, checks_again=again)

    @property
    def _asks_profile(self) -> bool:
        return self.values["profile"] == DETECT

    async def _detect(self, environment: Environment) -> str:
        """Return the newest profile that the stamp accepts. Raises UnreadError."""
        self.notice("asking the stamp which profile it accepts", TextStyle.ACCENT)
        identity = self._settings.identities[self.values["identity"]]
        if (known := self._offers.without_tenant) is not None:
            identity = known.signing_in.identity or identity
        target = CheckTarget(environment, identity, self._settings.named)
        reader = self.services.arm_reader
        found = await reader.read(lambda engine: engine.detect_profile(target))
        return found.profile

    # Checking

    @property
    def _stage(self) -> Stage:
        match self._live.state if self._live else None:
            case CheckState.RUNNING:
                return Stage.CHECKING
            case CheckState.FINISHED if self._live and self._live.healthy:
                return Stage.FOUND
            case CheckState.FINISHED | CheckState.BROKEN:
                return Stage.FAULT
            case _:
                return Stage.TYPING

    @property
    def _is_checked(self) -> bool:
        """Whether nothing was changed since the stamp answered, on which its answer depends."""
        return all(self.values[key] == self._checked.get(key) for key in REACH)

    def action_check(self) -> None:
        """Check what was typed, or show what is wrong with it."""
        self.run_worker(self._check(), exclusive=True, group="ask", exit_on_error=False)

    async def _check(self) -> None:
        await self.all_read()
        if not self.is_valid() or self._check_runner is None:
            return
        asked = {key: self.values[key] for key in REACH}
        try:
            environment, ca = self._environment(self._wanted()), self._ca
            if ca is not None and ca.converted:
                self._folder = self._folder or TemporaryDirectory(prefix="stacktui-")
                pem = Path(self._folder.name, "ca.pem")
                await in_background(partial(write_converted, ca, pem))
                environment = replace(environment, ca=pem)
        except StacktuiError as error:
            self.notice(str(error), TextStyle.ERROR)
            return
        if asked == {key: self.values[key] for key in REACH}:
            self._checked = asked
            self._check_runner.start(CheckTarget(environment, None, self._settings.named))
            self._detail.focus()

    def _forget_check(self) -> None:
        """Take away what the stamp answered at other settings."""
        if self._check_runner is None or self._is_checked:
            return
        self._check_runner.cancel()
        self._live, self._found, self._checked = None, None, {}
        self._show_detail()

    def _on_check_state(self, live: LiveCheck) -> None:
        if not self._checked:
            return  # cancelled by a change
        self._live = live
        if live.state is CheckState.CANCELLED:
            self._checked = {}
            self._focus_first()
        self._show_detail()
        self.show_hints()
        if self._stage is Stage.FOUND:
            self.run_worker(self._discover(live), group="discover", exit_on_error=False)
        if live.running and not self._ticking:
            self._ticking = True
            self.set_timer(1.0, self._tick)

    async def _discover(self, live: LiveCheck) -> None:
        """Ask for what the check does not: the newer shape of the metadata, the other endpoint."""
        with suppress(UnreadError):  # that the check was good is what matters
            reader = self.services.arm_reader
            found = await reader.read(lambda engine: engine.discover(live.target))
            if self._live is live:
                self._found = found
                self._show_detail()
                self.update_rows()

    def _tick(self) -> None:
        """Show the elapsed seconds of the check."""
        self._ticking = self._stage is Stage.CHECKING
        if self._ticking:
            self._show_detail()
            self.set_timer(1.0, self._tick)

    def _on_certificates(self, certificates: dict[bytes, Certificate]) -> None:
        self.services.on_certificates_read(certificates)
        if self.is_current:
            self._show_detail()

    def _show_detail(self) -> None:
        # Before there is anything to read, `up` from the first field goes to the last one.
        self._detail.can_focus = self._live is not None
        if self._live is not None:
            glyphs, now = self.services.screen_style.glyphs, monotonic()
            lines = discovery_lines(self._live, self._found, self._app_state, glyphs, now)
            self._detail.show("The stamp", lines)
        else:
            self._detail.show("The stamp", HOW_TO_EDIT if self._edited else HOW_TO_ADD)

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if not super().check_action(action, parameters):
            return False
        stage, reading = self._stage, self._detail.has_focus
        match action:
            case "check":
                usable = super().check_action("save", parameters)
                return bool(usable) and stage is not Stage.CHECKING and not (
                    stage is Stage.FOUND or (self._is_checked and stage is Stage.TYPING)
                )  # fmt: skip
            case "save":
                return stage is Stage.FOUND or (self._is_checked and stage is Stage.TYPING)
            case "save_now":
                return stage is Stage.TYPING and not self._is_checked
            case "save_nevertheless":
                return stage is Stage.FAULT
            case "cancel":
                return stage is Stage.CHECKING
            case "copy":
                return stage is Stage.FAULT and reading and bool(self._command())
            case "write_copied":
                return reading and bool(self.services.copier.text)
            case "change":
                return reading and stage in (Stage.FOUND, Stage.FAULT)
            case "leave":
                return stage is not Stage.CHECKING and not self.check_action("change", ())
            case _:
                return True

    def action_save_nevertheless(self) -> None:
        self.action_save()

    def action_cancel(self) -> None:
        if self._check_runner is not None:
            self._check_runner.cancel()

    def action_change(self) -> None:
        self._focus_first()

    def action_copy(self) -> None:
        command = self._command()
        self.services.copier.copy(command, command.splitlines()[0], self.notice)

    async def action_write_copied(self) -> None:
        await self.services.copier.write(self.notice)

    def _command(self) -> str:
        """Return the command that `copy` copies; empty if there is none."""
        if self._live is None or self._live.verdict is None:
            return ""
        remedy = copied_of(self._live.diagnosis)
        return command_of(remedy) if remedy else ""
