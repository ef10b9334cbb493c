"""The dashboard's actions that change resource groups: make, tag, delete; and what goes on."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from stacktui.tui.group_list import subscription_of
from stacktui.tui.lines import TextStyle
from stacktui.tui.screens.group_actions import GroupActions

if TYPE_CHECKING:
    from stacktui.check.target import CheckTarget
    from stacktui.resources.model import ResourceGroup
    from stacktui.tui.screens.group_change import GroupChangeScreen


class GroupChangeActions(GroupActions, inherit_bindings=False):
    """A screen with the actions that change groups; the subclass shows what was changed."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "create_group":
                return self._target is not None
            case "tag_group" | "delete_group":
                group = self._group
                return self._target is not None and group is not None and bool(group.id)
            case _:
                return super().check_action(action, parameters)

    def action_create_group(self) -> None:
        self.services.when_signed_in(self._create_group)

    def _create_group(self) -> None:
        from stacktui.tui.screens.group_change import CreateGroup

        target, shown = self._target, self.app_state.group_list
        if target is not None:
            names = [each.name for each in shown.groups.values()] if shown else []
            self._open_change(CreateGroup(target, shown.wanted if shown else "", names))

    def action_tag_group(self) -> None:
        self.services.when_signed_in(self._tag_group)

    def _tag_group(self) -> None:
        from stacktui.tui.screens.group_change import TagGroup

        target, group = self._target, self._group
        if target is not None and group is not None:
            self._open_change(TagGroup(target, subscription_of(group), group))

    def _open_change(self, screen: GroupChangeScreen) -> None:
        self.app.push_screen(screen, partial(self._changed, screen))

    def _changed(self, screen: GroupChangeScreen, done: str | None) -> None:
        group = screen.written
        if done is not None and group is not None:
            self._show_written(screen.target, group)
            self.notice(done, TextStyle.OK)

    def _show_written(self, target: CheckTarget, group: ResourceGroup) -> None:
        """Put a group that was made or changed into the list, and highlight it."""
        name = target.environment.name
        found = self.app_state.groups.get(name)
        if found is None or found.running:
            self.read_groups()
            return
        after = found.with_group(group)
        self.app_state.groups[name] = after
        opened = self.app_state.opened_group
        if opened is not None and opened.environment == name:
            self.app_state.opened_group = None  # its tags were others
        if name == self.app_state.current:
            key = next(key for key, each in after.groups.items() if each is group)
            self.highlight_group(key)

    def highlight_group(self, key: str) -> None:
        """Show the groups as they are now, with this one highlighted."""
        raise NotImplementedError

    def action_delete_group(self) -> None:
        self.services.when_signed_in(self._delete_group)

    def _delete_group(self) -> None:
        from stacktui.tui.screens.delete_group import DeleteGroup

        def begun(done: str | None) -> None:
            if done is not None:
                self.notice(done)

        target, group = self._target, self._group
        if target is not None and group is not None:
            screen = DeleteGroup(target, subscription_of(group), group.name)
            self.app.push_screen(screen, begun)

    def action_operations(self) -> None:
        """Show the deletions that were begun, and how they go."""
        from stacktui.tui.screens.operations import OperationsScreen

        self.app.push_screen(OperationsScreen())
