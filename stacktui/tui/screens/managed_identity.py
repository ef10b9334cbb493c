"""The walk to a managed identity that works, step by step, each write asked for."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import ClassVar

from textual.binding import Binding, BindingType

from stacktui.check.target import CheckTarget
from stacktui.resources.machine_identity import Machine
from stacktui.tui.arm_reader import UnreadError
from stacktui.tui.identity_walker import IdentityWalker
from stacktui.tui.lines import BLANK, Line, line
from stacktui.tui.live_walk import LiveWalk, WalkPlace, WalkQuestion
from stacktui.tui.panes.walk_lines import walk_lines
from stacktui.tui.screens.action_screen import ActionScreen, question
from stacktui.tui.screens.managed_identity_form import ManagedIdentityForm
from stacktui.tui.screens.providers import Providers


class ManagedIdentity(ActionScreen):
    """Asks for identity, group and VM, does the steps as the target's identity, and shows them.

    `group` is the one to begin with.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "confirm", "yes"),
        Binding("y", "copy", "copy the lines"),
        Binding("w", "write_copied", "write what was copied to a file", show=False),
        Binding("r", "again", "run again"),
        Binding("e", "edit", "change it"),
        Binding("f", "register", "register the provider"),
        Binding("escape", "decline", "no"),
        Binding("escape", "cancel", "cancel"),
        Binding("escape", "leave", "back"),
    ]

    def __init__(self, target: CheckTarget, group: str) -> None:
        super().__init__(f"Managed identity in {target.environment.name}", "")
        self._target, self._place = target, WalkPlace("", group, "", "")
        self._machines: Sequence[Machine] = ()
        self._unlisted = self._unregistered = ""
        self._live: LiveWalk | None = None
        self._asked: WalkQuestion | None = None
        self._walker: IdentityWalker

    def on_mount(self) -> None:
        self._walker = self.services.new_identity_walker(self._on_state)
        self._begin()
        self.set_interval(1.0, self._tick)

    def on_unmount(self) -> None:
        self._walker.cancel()

    def _begin(self, _: object = None) -> None:
        self._unregistered = ""
        name = self._target.environment.name
        self.wait(f"Asking {name} whether it has managed identities, and for its VMs.")
        self.run_worker(self._read(), exit_on_error=False)

    async def _read(self) -> None:
        try:
            subscription, found = await self.services.arm_reader.read(
                lambda engine: engine.machines(self._target)
            )
        except UnreadError as error:
            self._unregistered = error.unregistered
            self.failed(str(error))
            return
        self._place = WalkPlace(subscription, self._place.group, "", "")
        self._machines = sorted(found.rows, key=lambda each: (each.group, each.name))
        self._unlisted = f"the VMs are not listed: {found.error}" if found.error else ""
        self.action_edit()

    def _start(self, place: WalkPlace | None) -> None:
        if place is not None:
            self._place = place
            self._walker.start(self._target, place)
        elif self._live is None:
            self.dismiss(None)

    def _on_state(self, live: LiveWalk) -> None:
        self._live = live
        self.asking = live.question is not None
        if self.asking and live.question is not self._asked:
            self._text.scroll_to_top()
        self._asked = live.question
        self._show()

    def _tick(self) -> None:
        """Show the seconds."""
        if self._live is not None and self._live.running:
            self._show()

    def _show(self) -> None:
        if (live := self._live) is None or self.app.screen is not self:
            return
        lines: list[Line] = []
        if (asked := live.question) is not None:
            more = (line("  ", each, indent=4) for each in asked.lines)
            lines = [question(f"{asked.words[0].upper()}{asked.words[1:]}?"), *more, BLANK]
        self.set_text([*lines, *walk_lines(live, monotonic(), self.services.screen_style.glyphs)])

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        live = self._live
        running = live is not None and live.running
        match action:
            case "cancel":
                return running and not self.asking
            case "leave":
                return not running
            case "again" | "edit":
                return live is not None and not running
            case "register":
                return bool(self._unregistered)
            case "copy":
                return live is not None and not running and bool(live.commands)
            case "write_copied":
                return bool(self.services.copier.text)
            case _:
                return super().check_action(action, parameters)

    def action_confirm(self) -> None:
        if self._live is not None and self._live.question is not None:
            self._live.question.allow()

    def action_decline(self) -> None:
        self._walker.cancel()

    def action_cancel(self) -> None:
        self._walker.cancel()

    def action_again(self) -> None:
        self._start(self._place)

    def action_edit(self) -> None:
        form = ManagedIdentityForm(
            self._target.environment.name, self._machines, self._unlisted, self._place
        )
        self.app.push_screen(form, self._start)

    async def action_register(self) -> None:
        """Show the provider that is to be registered, then begin anew."""
        try:
            found = await self.services.arm_reader.read(
                lambda engine: engine.providers(self._target, "")
            )
        except UnreadError as error:
            self.warn(str(error))
            return
        screen = Providers(self._target, *found, at=self._unregistered)
        self.app.push_screen(screen, self._begin)

    def action_copy(self) -> None:
        if self._live is not None:
            text = "\n".join(self._live.commands)
            self.services.copier.copy(text, "the lines for the VM", self._hints.notice)

    async def action_write_copied(self) -> None:
        await self.services.copier.write(self._hints.notice)
