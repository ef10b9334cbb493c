"""The device code that a check waits for: what to type where, and for how long it is valid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import ClassVar

from textual.binding import Binding, BindingType

from stacktui.check.events import SignInPrompt
from stacktui.check.target import CheckTarget
from stacktui.identities.authority import is_foreign_page
from stacktui.tui.check_runner import CheckRunner
from stacktui.tui.formatting import clock
from stacktui.tui.large_text import large
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, label_value, line
from stacktui.tui.live_check import LiveCheck
from stacktui.tui.screens.action_screen import MOST_WIDTH, ActionScreen

# Seconds between two looks at the clock; only a change is painted.
_TICK = 0.25
# From this height on there is room for large letters.
_ROOM = 18
_EXPIRED = "device-code-expired"
_LABEL = 6


def now() -> datetime:
    return datetime.now(UTC)


class DeviceCodeScreen(ActionScreen):
    """Shows the code of a check, until somebody has signed in with it or the check has ended.

    `check` returns its state; `runner` runs it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy_code", "copy code"),
        Binding("u", "copy_page", "copy page"),
        Binding("w", "write_copied", "write what was copied to a file", show=False),
        Binding("enter", "leave_waiting", "leave it waiting"),
        Binding("c", "check", "ask for a new code"),
        Binding("escape", "cancel", "cancel the check"),
        Binding("escape", "leave", "back"),
    ]

    def __init__(
        self,
        target: CheckTarget,
        prompt: SignInPrompt,
        check: Callable[[], LiveCheck | None],
        runner: CheckRunner,
    ) -> None:
        super().__init__(f"Sign in to {target.environment.name}", "")
        self._target, self._prompt, self._check, self._runner = target, prompt, check, runner
        self._expired = False
        self._shown: tuple[Line, ...] = ()

    def on_mount(self) -> None:
        self.update_check()
        self.set_interval(_TICK, self.update_check)

    def on_resize(self) -> None:
        self.update_check()

    def update_check(self) -> None:
        """Show the time that is left; close where the check goes on, or has ended otherwise."""
        if self.app.screen is not self:  # closed, though its timer may run once more
            return
        check = self._check()
        waiting = check is not None and check.running and check.prompt is self._prompt
        verdict = check.verdict.id if check is not None and check.verdict is not None else ""
        self._expired = verdict == _EXPIRED
        if not (waiting or self._expired or (check and check.running and check.token_failed)):
            self.dismiss(None)
            return
        lines = tuple(self._expired_lines() if self._expired else self._lines())
        if lines != self._shown:
            self._shown = lines
            self.set_text(lines)

    def _lines(self) -> list[Line]:
        prompt, size, glyphs = self._prompt, self.app.size, self.services.screen_style.glyphs
        left = max(0, round((prompt.until - now()).total_seconds()))
        minutes = f"{left // 60} min " if left >= 60 else ""
        code = label_value("code", Span(prompt.code, TextStyle.STRONG), width=_LABEL)
        known = [
            label_value("page", Span(prompt.page, TextStyle.STRONG), width=_LABEL),
            label_value(
                "left", f"{minutes}{left % 60} s, until {clock(prompt.until)}", width=_LABEL
            ),
        ]
        if is_foreign_page(prompt.page, prompt.host):
            doubt = f"The page is not of {prompt.host}: type the code only if you know why."
            known.append(line(Span(doubt, TextStyle.WARNING)))
        name = self._target.environment.name
        who = line(
            f"To sign in at {prompt.host} for {name}, open the page in a browser, on any machine, "
            "and type the code there."
        )
        # Less two columns each for the frame, for the padding, and before the letters.
        rows = large(prompt.code, min(size.width, MOST_WIDTH) - 6, glyphs)
        if not rows or size.height < _ROOM:
            cancel = (Span("esc", TextStyle.KEY), Span(" cancels", TextStyle.DIM))
            return [replace(code, right=cancel), *known, who]
        letters = [Line((Span(f"  {row}", TextStyle.ACCENT),), cut=True) for row in rows]
        return [who, BLANK, *letters, BLANK, code, *known]

    def _expired_lines(self) -> list[Line]:
        return [
            line(Span("The code has expired: nobody signed in with it.", TextStyle.ERROR)),
            BLANK,
            line("Press ", Span("c", TextStyle.KEY), " to ask for a new one."),
        ]

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "copy_code" | "copy_page" | "leave_waiting" | "cancel":
                return not self._expired
            case "check" | "leave":
                return self._expired
            case "write_copied":
                return bool(self.services.copier.text)
            case _:
                return super().check_action(action, parameters)

    def action_copy_code(self) -> None:
        self.services.copier.copy(self._prompt.code, "the code", self._hints.notice)

    def action_copy_page(self) -> None:
        self.services.copier.copy(self._prompt.page, "the page", self._hints.notice)

    async def action_write_copied(self) -> None:
        await self.services.copier.write(self._hints.notice)

    def action_leave_waiting(self) -> None:
        """Go back to the check, which goes on waiting, and shows the code too."""
        self.dismiss(None)

    def action_check(self) -> None:
        self.dismiss(None)
        self._runner.start(self._target)

    def action_cancel(self) -> None:
        """Cancel the check, which closes the screen (`update_check`)."""
        self._runner.cancel(self._target.environment.name)
