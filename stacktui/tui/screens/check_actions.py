"""The dashboard's actions on checks: start, cancel, copy what they found, and fix it."""

from __future__ import annotations

from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, cast

from textual.events import ScreenResume

from stacktui.text.counts import count_of
from stacktui.tui.app_state import AppState
from stacktui.tui.formatting import with_commands
from stacktui.tui.lines import TextStyle
from stacktui.tui.screens.check_copies import copy_command, copy_report
from stacktui.tui.widgets.no_repaint import NoRepaintScreen

if TYPE_CHECKING:
    from stacktui.check.events import SignInPrompt
    from stacktui.check.target import CheckTarget
    from stacktui.diagnosis.finding import Diagnosis
    from stacktui.diagnosis.fixes import Fix
    from stacktui.tui.app_services import AppServices
    from stacktui.tui.live_check import LiveCheck
    from stacktui.tui.screens.device_code import DeviceCodeScreen

# The seconds within which `esc` twice cancels all checks.
TWICE = 1.5


class CheckActions(NoRepaintScreen[None], inherit_bindings=False):
    """A screen with the actions on the checks; the subclass shows their states."""

    def __init__(self, app_state: AppState) -> None:
        super().__init__()
        self.app_state = app_state
        self._cancel_all_until = 0.0
        self._prompted: set[str] = set()
        self._prompt_screen: DeviceCodeScreen | None = None

    @property
    def services(self) -> AppServices:
        return cast("AppServices", self.app)

    def update(self) -> None:
        """Show the current state now."""
        raise NotImplementedError

    def notice(self, text: str, style: TextStyle = TextStyle.ACCENT) -> None:
        """Show what was done, or why it was not, until the next key."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable the keys that would do nothing here."""
        app_state = self.app_state
        match action:
            case "cancel":
                return self.services.check_runner.runs(app_state.current) or self._second
            case "cancel_all":
                return self.services.check_runner.running > 0
            case "check":
                return app_state.current is not None
            case "check_all":
                return app_state.settings is not None and len(app_state.settings.names) > 1
            case "write_probe":
                target = app_state.target
                return target is not None and target.identity is not None
            case "fix":
                return app_state.settings is not None and bool(self._fixes())
            case "copy":
                return self._prompt is not None or bool(with_commands(self._diagnosis))
            case "copy_report":
                return app_state.check is not None and app_state.check.diagnosis is not None
            case "write_copied":
                return bool(self.services.copier.text)
            case _:
                return True

    def action_check(self) -> None:
        """Check anew; where a sign-in waits for a person, show its code again."""
        check = self.app_state.check
        if check is not None and (prompt := self._prompt) is not None:
            self._open_prompt(check.target, prompt)
        else:
            self.services.check()

    def action_write_probe(self) -> None:
        """Check, and make and delete a resource group, after a question."""
        from stacktui.check.write_probe import with_probe
        from stacktui.tui.screens.probes import WriteProbeScreen

        def answered(yes: str | None) -> None:
            if yes is not None:
                self.services.check(partial(with_probe, write=True))

        if (target := self.app_state.target) is not None:
            self.app.push_screen(WriteProbeScreen(target), answered)

    def action_check_all(self) -> None:
        self.services.check_all()

    @property
    def _second(self) -> bool:
        """Whether `esc` comes a second time, soon enough to cancel all checks."""
        return monotonic() < self._cancel_all_until and self.services.check_runner.running > 0

    def action_cancel(self) -> None:
        """Cancel the check on screen; the second time within `TWICE` all."""
        check_runner = self.services.check_runner
        check_runner.cancel(None if self._second else self.app_state.current)
        self.update()
        if left := check_runner.running:
            self._cancel_all_until = monotonic() + TWICE
            checks = count_of(left, "check")
            self.notice(f"{checks} under way: esc again within {TWICE:g} s cancels all")

    def action_cancel_all(self) -> None:
        self.action_cancel()

    def action_copy(self) -> None:
        """Copy the command, chosen by its number of several; while a sign-in waits, its code."""
        if (prompt := self._prompt) is not None:
            self.services.copier.copy(prompt.code, "the code", self.notice)
            return
        copy_command(self.app, self._diagnosis, self.services.copier, self.notice)

    def action_copy_report(self) -> None:
        copy_report(self.app_state.check, self.services.copier, self.notice)

    async def action_write_copied(self) -> None:
        await self.services.copier.write(self.notice)

    def action_fix(self) -> None:
        """Open the screen for the fixes of the verdict and of the advisories."""
        check, settings, fixes = self.app_state.check, self.app_state.settings, self._fixes()
        if check is None or check.report is None or settings is None or not fixes:
            return
        from stacktui.tui.screens.fix import screen_for

        screen = screen_for(check.report, settings, fixes, self.app_state.typed)
        self.app.push_screen(screen, self._fixed)

    def _fixed(self, done: str | None) -> None:
        if done is not None:
            self.services.fixed(done)

    def _fixes(self) -> tuple[Fix, ...]:
        """Return the fixes that `f` can carry out."""
        if self._diagnosis is None:
            return ()
        from stacktui.diagnosis.fixes import fixes_of

        return fixes_of(self._diagnosis, can_grant=self.app_state.can_grant)

    # Signing in

    @property
    def _prompt(self) -> SignInPrompt | None:
        """What the check on screen waits for a person to do."""
        check = self.app_state.check
        return check.prompt if check is not None and check.running else None

    def show_prompt(self, check: LiveCheck) -> None:
        """Open the screen of a sign-in that a check waits for, once; not over another screen.

        Close it where the check does not wait any more.
        """
        if self._prompt_screen is not None:
            self._prompt_screen.update_check()
        prompt = check.prompt if check.running and self.app.screen is self else None
        if prompt is not None and prompt.run_id not in self._prompted:
            self._prompted.add(prompt.run_id)
            self._open_prompt(check.target, prompt)

    def _open_prompt(self, target: CheckTarget, prompt: SignInPrompt) -> None:
        from stacktui.tui.screens.device_code import DeviceCodeScreen

        def check() -> LiveCheck | None:
            return self.app_state.checks.get(target.environment.name)

        runner = self.services.check_runner
        self._prompt_screen = DeviceCodeScreen(target, prompt, check, runner)
        self.app.push_screen(self._prompt_screen)

    def on_screen_resume(self, _event: ScreenResume) -> None:
        for check in self.app_state.checks.values():
            self.show_prompt(check)

    @property
    def _diagnosis(self) -> Diagnosis | None:
        return self.app_state.check.diagnosis if self.app_state.check else None
