"""The dashboard's actions on resource groups and subscriptions: read, choose, open, copy."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from stacktui.config.edit import ENVIRONMENTS, set_in_table
from stacktui.config.read_only import is_read_only
from stacktui.errors import StacktuiError
from stacktui.tui.config_change import ConfigChange
from stacktui.tui.group_list import ALL, OpenedGroup, subscription_of
from stacktui.tui.lines import TextStyle
from stacktui.tui.screens.config_actions import ConfigActions

if TYPE_CHECKING:
    from stacktui.check.target import CheckTarget
    from stacktui.resources.listing import Rows
    from stacktui.resources.model import Provider, Resource, ResourceGroup, Subscription
    from stacktui.tui.arm_engine import ArmEngine
    from stacktui.tui.arm_task import ArmTask

T = TypeVar("T")


class GroupActions(ConfigActions, inherit_bindings=False):
    """A screen with the actions on groups; the subclass shows what was read."""

    @property
    @abstractmethod
    def chosen_group(self) -> str | None:
        """The key of the highlighted group."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "stop_reading":
                return any(each.running for each in self._readers)
            case "count_resources":
                found = self.app_state.group_list
                return self._target is not None and found is not None and bool(found.groups)
            case "choose_subscription" | "show_providers":
                return self._target is not None
            case "open_group" | "copy_group":
                return self._group is not None
            case _:
                return super().check_action(action, parameters)

    @property
    def _target(self) -> CheckTarget | None:
        """The current environment's target, if it has an identity to read with."""
        target = self.app_state.target
        return target if target is not None and target.identity is not None else None

    @property
    def _group(self) -> ResourceGroup | None:
        found = self.app_state.group_list
        return found.groups.get(self.chosen_group or "") if found else None

    # Reading

    def read_groups(self, wanted: str | None = None) -> None:
        """Read the groups of the subscription that is shown, or of another one."""
        if (target := self._target) is not None:
            self.services.resource_counter.cancel()
            self.app_state.counts.pop(target.environment.name, None)
            self.services.arm_reader.start(target, wanted, self.app_state.group_list)

    @property
    def _readers(self) -> tuple[ArmTask[Any], ...]:
        """What reads ARM for the panes."""
        services = self.services
        return services.arm_reader, services.resource_counter, services.role_reader

    def action_stop_reading(self) -> None:
        for each in self._readers:
            each.cancel()

    def action_count_resources(self) -> None:
        """Count the resources of the groups that are shown, in one list of all of them."""
        target, found = self._target, self.app_state.group_list
        if target is not None and found is not None:
            known = frozenset(map(subscription_of, found.groups.values())) - {""}
            self.services.resource_counter.start(target, known)

    def _read(
        self, work: Callable[[ArmEngine], Coroutine[Any, Any, T]], then: Callable[[T], None]
    ) -> None:
        """Read something in the background and call `then` with it; say why where that fails."""

        async def read() -> None:
            try:
                found = await self.services.arm_reader.read(work)
            except StacktuiError as error:
                self.notice(f"not read: {error}", TextStyle.ERROR)
            else:
                then(found)

        self.run_worker(read(), exit_on_error=False)

    # What is in a group

    def action_open_group(self) -> None:
        """Give the group the screen, and read what is in it."""
        self.zoom_group()
        target, group, key = self._target, self._group, self.chosen_group or ""
        if target is None or group is None or not group.id:
            return
        name = target.environment.name
        opened = OpenedGroup(name, key, portal=self._portal_link(group.id))

        async def read() -> None:
            try:
                details = await self.services.arm_reader.read(
                    lambda engine: engine.details(target, group.id)
                )
                after = replace(opened, details=details)
            except StacktuiError as error:
                after = replace(opened, error=str(error))
            if self.app_state.opened_group is opened:
                self.app_state.opened_group = after
                self.show_group()

        self.app_state.opened_group = opened
        self.show_group()
        self.run_worker(read(), group="details", exclusive=True, exit_on_error=False)

    @abstractmethod
    def zoom_group(self) -> None:
        """Give the list of groups and the detail the screen, and the keys to the detail."""

    @abstractmethod
    def show_group(self) -> None:
        """Show the detail of the highlighted group as it is now."""

    @property
    @abstractmethod
    def detail_in_use(self) -> bool:
        """Whether the keys go to the detail of the highlighted group."""

    @property
    def _resources(self) -> tuple[Resource, ...]:
        """What is in the highlighted group, if it has been opened and read."""
        opened, key = self.app_state.opened_group, (self.app_state.current, self.chosen_group)
        if opened is None or opened.details is None or (opened.environment, opened.key) != key:
            return ()
        return opened.details.resources.rows

    @property
    def lists_resources(self) -> bool:
        """Whether there is something in the opened group to list."""
        return self.detail_in_use and bool(self._resources)

    def list_resources(self) -> None:
        """List what is in the group, to read one of them."""
        from stacktui.tui.screens.resources import ResourcesScreen

        target, group = self._target, self._group
        if target is not None and group is not None:
            screen = ResourcesScreen(group.name, self._resources, target, self._portal_link)
            self.app.push_screen(screen)

    def _portal_link(self, resource_id: str) -> str:
        from stacktui.resources.portal import portal_link

        target, check = self._target, self.app_state.check
        if target is None:
            return ""
        tenant = (target.identity and target.identity.tenant) or (
            (check.token.tenant or "") if check and check.token else ""
        )
        metadata = check.metadata if check else None
        return portal_link(target.environment, resource_id, metadata=metadata, tenant=tenant)

    def action_copy_group(self) -> None:
        from stacktui.tui.screens.picker_screen import PickerScreen, text_choices

        group, target = self._group, self._target
        if group is None or target is None:
            return
        url = f"{target.environment.arm}{group.id}"
        document = {"id": group.id, "name": group.name, "location": group.location,
                    "tags": dict(group.tags)}  # fmt: skip
        texts = {
            "name": group.name,
            "id": group.id,
            "URL at ARM": url if group.id else "",
            "link to the portal": self._portal_link(group.id) if group.id else "",
            "JSON": json.dumps(document, indent=2) if group.id else "",
        }
        choices = text_choices(texts)

        def copy(text: str | None) -> None:
            if text is not None:
                self.services.copier.copy(text, text.splitlines()[0], self.notice)

        self.app.push_screen(PickerScreen("Copy of the group", choices), copy)

    # Subscriptions

    def action_choose_subscription(self) -> None:
        """Read the subscriptions, and show the groups of the one that is chosen."""
        self.services.when_signed_in(self._read_subscriptions)

    def _read_subscriptions(self) -> None:
        if (target := self._target) is not None:
            self.notice("reading the subscriptions")
            self._read(
                lambda engine: engine.subscriptions(target), partial(self._choose_from, target)
            )

    def _choose_from(
        self, target: CheckTarget, read: tuple[Rows[Subscription], str | None]
    ) -> None:
        from stacktui.resources.subscriptions import why_limited
        from stacktui.tui.screens.picker_screen import Choice, PickerScreen

        found, tenant = read
        if target != self._target:  # another environment is shown by now
            return
        if not found.rows:
            self.read_groups()  # says what who has none can do
            return
        choices = [Choice(each.id, each.name, _remark(each, tenant)) for each in found.rows]
        if len(choices) > 1:
            choices.append(Choice(ALL, "all enabled ones", "of this tenant, not remembered"))
        shown = self.app_state.group_list
        at = (shown.wanted or shown.subscription) if shown else target.environment.subscription
        by_id = {each.id: each for each in found.rows}

        def chosen(id_: str | None) -> None:
            if id_ is not None:
                known = by_id.get(id_)
                why = why_limited(known, tenant) if known else ""
                self._use_subscription(target, id_, known, f"; it is {why}" if why else "")

        screen = PickerScreen("Subscriptions", choices, at=at)
        self.app.push_screen(screen, chosen)

    def _use_subscription(
        self, target: CheckTarget, id_: str, subscription: Subscription | None, why: str
    ) -> None:
        name, config = target.environment.name, self.app_state.config
        if subscription is None or is_read_only():
            shown = subscription.name if subscription else "all subscriptions"
            self.read_groups(id_)
            self.notice(f"{shown}: shown for now, and not remembered")
            return
        known = subscription

        async def save() -> None:
            try:
                await self.services.change_config(
                    lambda path: set_in_table(path, ENVIRONMENTS, name, {"subscription": id_})
                )
            except StacktuiError as error:
                self.notice(str(error), TextStyle.ERROR)
                return
            done = f"{name} uses {known.name}: saved in {config}{why}"
            self.services.config_changed(ConfigChange(done, (name,)))
            if self.app_state.current == name:
                self.read_groups("")

        self.run_worker(save(), exit_on_error=False)

    # Providers

    def action_show_providers(self) -> None:
        self.services.when_signed_in(self._read_providers)

    def _read_providers(self) -> None:
        if (target := self._target) is not None:
            shown = self.app_state.group_list
            wanted = shown.wanted if shown else ""
            self.notice("reading the resource providers")
            self._read(
                lambda engine: engine.providers(target, wanted),
                partial(self._list_providers, target),
            )

    def _list_providers(self, target: CheckTarget, read: tuple[str, Rows[Provider]]) -> None:
        from stacktui.tui.screens.providers import Providers

        self.app.push_screen(Providers(target, *read))


def _remark(subscription: Subscription, tenant: str | None) -> str:
    """Return what stands beside a name: what is not usual of it, and the begin of the id."""
    parts = [] if subscription.enabled else [subscription.state]
    if tenant and subscription.tenant not in ("", tenant):
        parts.append(f"another tenant, {subscription.tenant[:8]}")
    return " · ".join([*parts, subscription.id[:8]])
