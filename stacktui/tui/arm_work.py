"""What the dashboard reads of ARM and does there in the background, and where it is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from stacktui.errors import StacktuiError
from stacktui.text.counts import count_of
from stacktui.tui.arm_reader import ArmReader
from stacktui.tui.arm_task import ArmTask
from stacktui.tui.deletions import Deletions, LiveDeletion
from stacktui.tui.lines import TextStyle
from stacktui.tui.resource_counter import ResourceCounter
from stacktui.tui.role_reader import RoleReader, RolesRead

if TYPE_CHECKING:
    from textual.app import App

    from stacktui.tui.app_state import AppState
    from stacktui.tui.arm_engine import ArmEngine
    from stacktui.tui.coalescer import Coalescer
    from stacktui.tui.group_list import GroupList, ResourceCounts
    from stacktui.tui.live_check import LiveCheck


class Board(Protocol):
    """The screen that shows what was read."""

    @property
    def coalescer(self) -> Coalescer: ...
    def show_soon(
        self, name: str | None, *, groups_only: bool = False, progress: bool = False
    ) -> None: ...
    def notice(self, text: str, style: TextStyle = ...) -> None: ...


class ArmWork:
    """Puts each new state into that of the app, and on the board."""

    def __init__(
        self,
        app: App[Any],
        load: Callable[[], ArmEngine],
        app_state: AppState,
        board: Callable[[], Board],
    ) -> None:
        self._state, self._get_board = app_state, board
        self.reader = ArmReader(app, load, self._on_groups)
        self.counter = ResourceCounter(app, load, self._on_counts)
        self.roles = RoleReader(app, load, self._on_roles)
        self.deletions = Deletions(app, load, self._on_deletion)
        app_state.deletions = self.deletions.of

    @property
    def readings(self) -> tuple[ArmTask[Any], ...]:
        """What reads for the panes; a deletion is none: nothing here ends it."""
        return self.reader, self.counter, self.roles

    @property
    def _board(self) -> Board:
        return self._get_board()

    def forget(self, environment: str) -> None:
        """End all work on an environment, and drop what it has found."""
        state = self._state
        for each in self.readings:
            each.cancel(environment)
        self.deletions.forget(environment)
        for known in (state.groups, state.counts, state.granted):
            known.pop(environment, None)

    def _on_groups(self, live: GroupList) -> None:
        name = live.target.environment.name
        before = self._state.groups.get(name)
        self._state.groups[name] = live
        self._state.forget_refused()
        self._board.show_soon(name, groups_only=True, progress=live.running)
        if live.groups and (before is None or not before.groups):
            self._board.coalescer.flush()  # the first rows do not wait for others
        if name != self._state.current:
            return
        if live.error and live.groups:
            page = f"goes on with page {live.pages + 1}" if live.next_link else "reads them again"
            why = f"not all groups were read: {live.error}; r {page}"
            self._board.notice(why, TextStyle.ERROR)
        elif live.note and (before is None or live.note != before.note):
            self._board.notice(live.note)

    def _on_roles(self, live: RolesRead) -> None:
        target = live.target
        if target.identity is not None:
            self._state.roles[target.environment.name, target.identity.name] = live
        self._state.forget_refused()
        self._board.show_soon(target.environment.name)

    def _on_counts(self, live: ResourceCounts) -> None:
        name = live.target.environment.name
        self._state.counts[name] = live
        self._board.show_soon(name, groups_only=True, progress=live.running)
        if live.error and name == self._state.current:
            why = f"not all resources were counted: {live.error}; # counts again"
            self._board.notice(why, TextStyle.ERROR)

    # Deletions

    async def resume(self) -> None:
        """Follow the deletions that are remembered of the config's environments, and say so."""
        settings = self._state.settings
        if settings is None:
            return
        try:
            found = await self.deletions.resume(settings)
        except StacktuiError as error:
            self._board.notice(str(error), TextStyle.ERROR)
            return
        if found:
            text = f"{count_of(found, 'deletion')} begun before may still go on: O lists them"
            self._board.notice(text)

    def check_ended(self, live: LiveCheck) -> None:
        """Look at the deletions of an environment that waited for a person to sign in there."""
        name, settings = live.target.environment.name, self._state.settings
        if live.token is not None and settings is not None and self.deletions.waiting(name):
            self.deletions.again(settings.target(name))

    def _on_deletion(self, live: LiveDeletion) -> None:
        name, operation = live.target.environment.name, live.operation
        groups = self._state.groups.get(name)
        if groups is not None and live.result is not None and live.result.gone:
            self._state.groups[name] = groups.without(operation.path)
        self._board.show_soon(name, groups_only=True)
        self._state.forget_refused()
        if (said := _said(live)) is not None:
            self._board.notice(*said)


def _said(live: LiveDeletion) -> tuple[str, TextStyle] | None:
    """Return what a line says of a deletion that has ended, or is not remembered."""
    what = f"{live.operation.environment}: the resource group {live.operation.group}"
    if live.running:
        why = live.not_remembered
        return (f"the deletion is not remembered: {why}", TextStyle.WARNING) if why else None
    if live.result is None and live.caught is None and live.accepted:
        return None  # nobody has looked
    match live.outcome:
        case "succeeded":
            return f"{what} is deleted", TextStyle.OK
        case "failed":
            return f"{what} was not deleted: O says why", TextStyle.ERROR
        case _:
            return (
                f"whether {what} is deleted is unknown: O says how to find out",
                TextStyle.WARNING,
            )
