"""The form that adds an environment: paste the ARM URL, check the metadata, save."""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label

from stacktui.check.target import CheckTarget
from stacktui.config.document import ConfigError
from stacktui.config.edit import add_environment
from stacktui.environments.model import Environment, parse_arm_url
from stacktui.transport.background import in_background
from stacktui.transport.limits import Limits
from stacktui.tui.app_state import AppState
from stacktui.tui.check_runner import CheckRunner
from stacktui.tui.check_state import CheckState
from stacktui.tui.formatting import PROVIDERS, command_of, copied_of
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.keys import keys_of
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, label_value, line
from stacktui.tui.live_check import LiveCheck
from stacktui.tui.panes.check_result import Keys, verdict_lines
from stacktui.tui.panes.check_steps import WIDE, step_lines
from stacktui.tui.panes.detail import DetailPane
from stacktui.tui.widgets.bars import HintBar

if TYPE_CHECKING:
    from stacktui.certificates.chain import Certificate
    from stacktui.tui.app_services import AppServices

INSTRUCTIONS = (
    line(
        "Paste the ARM URL of the stamp and press ",
        Span("enter", TextStyle.KEY),
        ". The rest is asked from the stamp and shown here before anything is saved.",
    ),
    BLANK,
    label_value("user", Span("https://management.<region>.<fqdn>", TextStyle.DIM)),
    label_value("operator", Span("https://adminmanagement.<region>.<fqdn>", TextStyle.DIM)),
    label_value("ASDK", Span("https://management.local.azurestack.external", TextStyle.DIM)),
)


class Stage(Enum):
    """The state of the form; FOUND and FAULT are the outcomes of a check."""

    TYPING = auto()
    CHECKING = auto()
    FOUND = auto()
    FAULT = auto()


class AddEnvironment(ModalScreen[LiveCheck], inherit_bindings=False):
    """Dismissed with the check that read the metadata if the environment was saved, else None."""

    AUTO_FOCUS = "#arm"
    BINDINGS: ClassVar[list[BindingType]] = [
        # With priority over the focused input's own enter.
        Binding("enter", "check", "ask the stamp", priority=True),
        Binding("enter", "save", "save", priority=True),
        # Not a letter: after a fault the user may go on typing the URL.
        Binding("ctrl+s", "save_nevertheless", "save nevertheless"),
        Binding("y", "copy", "copy command"),
        Binding("w", "write_copied", "write what was copied to a file", show=False),
        Binding("escape", "cancel", "cancel"),
        Binding("escape", "edit", "change it"),
        Binding("escape", "leave", "back"),
        Binding("tab,down", "app.focus_next", "next field", show=False),
        Binding("shift+tab,up", "app.focus_previous", "previous field", show=False),
    ]

    def __init__(self, app_state: AppState) -> None:
        super().__init__()
        self._app_state = app_state
        self._stage = Stage.TYPING
        self._live: LiveCheck | None = None
        self._proposed = ""
        self._detail = DetailPane(id="found")
        self._hints = HintBar(id="add-hints")
        self._check_runner: CheckRunner | None = None

    @property
    def services(self) -> AppServices:
        return cast("AppServices", self.app)

    def compose(self) -> ComposeResult:
        self._detail.show("Add an environment", INSTRUCTIONS)
        with Vertical():
            for name, label, hint in (
                ("arm", "ARM URL", "https://management.<region>.<fqdn>"),
                ("name", "Name", "proposed from the URL"),
                ("ca", "CA file", "only for a private root; a PEM file"),
            ):
                with Horizontal():
                    yield Label(label, markup=False)
                    entry = Input(placeholder=hint, id=name)
                    entry.cursor_blink = False
                    yield entry
            yield self._detail
            yield self._hints

    def on_mount(self) -> None:
        self._check_runner = self.services.new_check_runner(
            self._on_check_state, self._on_certificates
        )
        self._show_hints()

    def on_key(self) -> None:
        self._hints.clear_notice()

    # Typing

    @on(Input.Changed, "#arm")
    def _propose_name(self, event: Input.Changed) -> None:
        name = self.query_one("#name", Input)
        if name.value == self._proposed:
            taken = [each.name for each in self._app_state.environments]
            self._proposed = propose_name(event.value, taken)
            name.value = self._proposed

    def action_check(self) -> None:
        """Check the typed environment, or show what is wrong with the input."""
        try:
            environment = self._typed_environment()
        except ValueError as error:
            problem = line(Span(str(error), TextStyle.ERROR))
            self._detail.show("Add an environment", (problem, BLANK, *INSTRUCTIONS))
            return
        if self._check_runner is not None:
            self._check_runner.start(CheckTarget(environment))
            self._detail.focus()

    def _typed_environment(self) -> Environment:
        """Return the environment that was typed. Raises ValueError."""
        arm, name, ca = (self.query_one(f"#{each}", Input).value for each in ("arm", "name", "ca"))
        try:
            arm = parse_arm_url(arm)
        except ValueError as error:
            raise ValueError(f"The ARM URL {error}") from None
        taken = [each.name for each in self._app_state.environments]
        name = name.strip() or propose_name(arm, taken)
        if name in taken:
            raise ValueError(f"There is an environment {name} already; choose another name.")
        try:
            path = Path(ca.strip()).expanduser().absolute() if ca.strip() else None
        except (RuntimeError, OSError):  # no such user, or the working directory is gone
            raise ValueError("The CA file starts from a folder that is not there.") from None
        limits = Limits().with_settings(self._app_state.limits)
        return Environment(name, arm, ca=path, limits=limits)

    # Checking

    def _on_check_state(self, live: LiveCheck) -> None:
        self._live = live
        match live.state:
            case CheckState.RUNNING:
                self._stage = Stage.CHECKING
            case CheckState.FINISHED:
                good = live.report is not None and live.report.ok
                self._stage = Stage.FOUND if good else Stage.FAULT
            case CheckState.CANCELLED:
                self._stage = Stage.TYPING
                self.query_one("#arm", Input).focus()
            case CheckState.BROKEN:
                self._stage = Stage.FAULT
        self._show_check()

    def _on_certificates(self, certificates: dict[bytes, Certificate]) -> None:
        self.services.on_certificates_read(certificates)
        if self.is_current:
            self._show_check()

    def _show_check(self) -> None:
        if self._live is not None:
            name = self._live.target.environment.name
            glyphs = self.services.screen_style.glyphs
            self._detail.show(name, discovery_lines(self._live, self._app_state, glyphs))
        self._show_hints()

    def _show_hints(self) -> None:
        keys = keys_of(self.active_bindings.values(), None)
        self._hints.show([(key.keys[0], key.does) for key in keys if key.shown], ())

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "check" | "leave":
                return self._stage is Stage.TYPING
            case "cancel":
                return self._stage is Stage.CHECKING
            case "save":
                return self._stage is Stage.FOUND
            case "save_nevertheless":
                return self._stage is Stage.FAULT
            case "write_copied":
                return bool(self.services.copier.text)
            case "copy":
                return self._stage is Stage.FAULT and bool(self._command())
            case "edit":
                return self._stage in (Stage.FOUND, Stage.FAULT)
            case _:
                return True

    def action_cancel(self) -> None:
        if self._check_runner is not None:
            self._check_runner.cancel()

    def action_edit(self) -> None:
        self._stage = Stage.TYPING
        self.query_one("#arm", Input).focus()
        self._show_hints()

    def action_leave(self) -> None:
        self.dismiss(None)

    def action_copy(self) -> None:
        command = self._command()
        self.services.copier.copy(command, command.splitlines()[0], self._hints.notice)

    async def action_write_copied(self) -> None:
        await self.services.copier.write(self._hints.notice)

    def action_save(self) -> None:
        self.run_worker(self._save(), exclusive=True, exit_on_error=False)

    def action_save_nevertheless(self) -> None:
        self.action_save()

    async def _save(self) -> None:
        live, path = self._live, self._app_state.config
        if live is None:
            return
        environment = live.target.environment
        values = {"arm": environment.arm}
        if environment.ca is not None:
            values["ca"] = str(environment.ca)
        try:
            await in_background(lambda: add_environment(path, environment.name, values))
        except ConfigError as error:
            self._hints.notice(str(error), TextStyle.ERROR)
            return
        self.dismiss(live)

    def _command(self) -> str:
        """Return the command that `copy` copies; empty if there is none."""
        if self._live is None or self._live.verdict is None:
            return ""
        remedy = copied_of(self._live.diagnosis)
        return command_of(remedy) if remedy else ""


def propose_name(arm: str, taken: Collection[str]) -> str:
    """Return a name that is not taken, empty only without a host: the region of a standard host
    name, with `-admin` for the operator's endpoint; else the host name."""
    host = arm.strip().rpartition("://")[2].partition("/")[0].rpartition("@")[2].partition(":")[0]
    service, _, domain = host.partition(".")
    region = domain.partition(".")[0]
    standard = {"management": region, "adminmanagement": f"{region}-admin"}
    name = (standard.get(service) if region else None) or host
    if not name:
        return ""
    names = (name if count == 1 else f"{name}-{count}" for count in range(1, len(taken) + 2))
    return next(each for each in names if each not in taken)


def discovery_lines(live: LiveCheck, app_state: AppState, glyphs: Glyphs) -> list[Line]:
    """Return the step, and then the verdict or the metadata that was read."""
    step = live.steps[0]
    lines = [*step_lines(step, WIDE, glyphs, brief=False), BLANK]
    if live.state is CheckState.BROKEN:
        error = Span(f"{glyphs.failed} {live.error}", TextStyle.ERROR)
        return [*lines, line(error)]
    if live.verdict is not None:
        keys = Keys(copied=copied_of(live.diagnosis))
        return [*lines, *verdict_lines(live.verdict, glyphs, keys)]
    metadata = live.metadata
    if metadata is None:
        return lines
    known = (
        ("sign-in", f"{PROVIDERS[metadata.identity_provider]}, {metadata.login_endpoint}"),
        ("audience", metadata.audience),
        ("tenant", metadata.tenant),
        ("portal", metadata.portal),
        ("graph", metadata.graph),
        ("storage", metadata.storage_suffix),
        ("key vault", metadata.keyvault_suffix),
    )
    lines += [label_value(label, value) for label, value in known if value]
    return [*lines, *_issuer_lines(live, app_state)]


def _issuer_lines(live: LiveCheck, app_state: AppState) -> list[Line]:
    """Return the issuer at the end of the presented chain, with its SHA-256."""
    for each in live.connections[:1]:
        chain = each.tls.chain if each.tls else ()
        last = app_state.certificates.get(chain[-1]) if chain else None
        if last is not None:
            issuer = last.common_name if last.self_issued else last.issuer_name
            sha256 = Span(f"SHA-256 of {last.common_name}: {last.sha256}", TextStyle.DIM)
            return [label_value("signed by", issuer), label_value("", sha256)]
    return []
