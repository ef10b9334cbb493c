"""Signing in to an environment with an identity: the check's own steps, as far as to a token."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic
from typing import ClassVar

from textual.binding import Binding, BindingType

from stacktui.check.events import SignInPrompt
from stacktui.check.target import CheckTarget
from stacktui.diagnosis.fixes import Fix, fixes_of
from stacktui.tui.app_state import AppState
from stacktui.tui.check_runner import CheckRunner
from stacktui.tui.formatting import with_commands
from stacktui.tui.keys import may_run
from stacktui.tui.live_check import LiveCheck
from stacktui.tui.panes.check_result import check_lines
from stacktui.tui.screens.action_screen import MOST_WIDTH, ActionScreen
from stacktui.tui.screens.check_copies import copy_command, copy_report
from stacktui.tui.screens.device_code import DeviceCodeScreen
from stacktui.tui.screens.fix import screen_for


class IdentityTest(ActionScreen):
    """Shows how the sign-in goes, and what is wrong with it; it is no check of the environment."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel"),
        Binding("escape", "leave", "back"),
        Binding("c", "again", "test again"),
        Binding("enter", "show_code", "show the code"),
        Binding("f", "fix", "fix"),
        Binding("y", "copy", "copy"),
        Binding("Y", "copy_report", "copy report"),
        Binding("w", "write_copied", "write what was copied to a file", show=False),
    ]

    def __init__(self, app_state: AppState, environment: str, identity: str) -> None:
        super().__init__(f"Sign in to {environment} as {identity}", "")
        self._app_state, self._environment, self._identity = app_state, environment, identity
        self._live: LiveCheck | None = None
        self._runner: CheckRunner
        self._ticking = False
        self._prompted: SignInPrompt | None = None

    def on_mount(self) -> None:
        services = self.services
        self._runner = services.new_check_runner(
            self._on_state, services.on_certificates_read, only_sign_in=True
        )
        self._start()

    def on_unmount(self) -> None:
        self._runner.cancel()

    def on_resize(self) -> None:
        self._show()

    @property
    def _target(self) -> CheckTarget | None:
        """What to sign in to; None where the config does not have it any more."""
        settings = self._app_state.settings
        if settings is None or self._environment not in settings.environments:
            return None
        identity = settings.identities.get(self._identity)
        target = settings.target(self._environment)
        return replace(target, identity=identity) if identity else None

    def _start(self) -> None:
        """Sign in, after asking for a secret that is typed in each run."""
        if self._target is None:
            self.dismiss(f"{self._identity} or {self._environment} is not in the config any more")
        else:
            self.services.with_secret(self._sign_in, self._identity)

    def _sign_in(self) -> None:
        if (target := self._target) is not None:
            self._runner.start(target)

    def _on_state(self, live: LiveCheck) -> None:
        self._live = live
        if not live.running:
            self._app_state.forget_refused()
        self._show()
        if self._prompt is not None and self._prompt is not self._prompted and self.is_current:
            self.action_show_code()
        if live.running and not self._ticking:
            self._ticking = True
            self.set_timer(1.0, self._tick)

    def _tick(self) -> None:
        """Show the elapsed seconds."""
        self._ticking = self._live is not None and self._live.running
        if self._ticking:
            self._show()
            self.set_timer(1.0, self._tick)

    def _show(self) -> None:
        if (live := self._live) is not None:
            width = min(MOST_WIDTH, self.app.size.width) - 2
            glyphs = self.services.screen_style.glyphs
            self.set_text(check_lines(live, width, glyphs, now=monotonic()))

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        running = self._live is not None and self._live.running
        if not may_run(action):
            return False
        match action:
            case "cancel":
                return running
            case "leave" | "again":
                return not running
            case "show_code":
                return self._prompt is not None
            case "fix":
                return bool(self._fixes())
            case "copy":
                known = with_commands(self._live.diagnosis if self._live else None)
                return bool(known) or self._prompt is not None
            case "copy_report":
                return self._live is not None and self._live.diagnosis is not None
            case "write_copied":
                return bool(self.services.copier.text)
            case _:
                return super().check_action(action, parameters)

    def _fixes(self) -> tuple[Fix, ...]:
        diagnosis = self._live.diagnosis if self._live else None
        return fixes_of(diagnosis) if diagnosis else ()

    def action_cancel(self) -> None:
        self._runner.cancel()

    def action_again(self) -> None:
        self._start()

    def action_show_code(self) -> None:
        """Show the code that the sign-in waits for, and for how long it is valid."""
        live, self._prompted = self._live, self._prompt
        if live is not None and self._prompted is not None:
            screen = DeviceCodeScreen(live.target, self._prompted, lambda: self._live, self._runner)
            self.app.push_screen(screen)

    def action_fix(self) -> None:
        """Open the screen for the fixes, and sign in again once one was carried out."""
        live, settings, fixes = self._live, self._app_state.settings, self._fixes()
        if live is not None and live.report is not None and settings is not None and fixes:
            screen = screen_for(live.report, settings, fixes, self._app_state.typed)
            self.app.push_screen(screen, self._fixed)

    def _fixed(self, done: str | None) -> None:
        if done is not None:
            self.services.reload()
            self._start()
            self.say(done)

    @property
    def _prompt(self) -> SignInPrompt | None:
        """What the sign-in waits for a person to do."""
        return self._live.prompt if self._live is not None and self._live.running else None

    def action_copy(self) -> None:
        """Copy the code to type, or a remedy's command."""
        copier, notice = self.services.copier, self._hints.notice
        if (prompt := self._prompt) is not None:
            copier.copy(prompt.code, "the code", notice)
        else:
            diagnosis = self._live.diagnosis if self._live else None
            copy_command(self.app, diagnosis, copier, notice)

    def action_copy_report(self) -> None:
        copy_report(self._live, self.services.copier, self._hints.notice)

    async def action_write_copied(self) -> None:
        await self.services.copier.write(self._hints.notice)
