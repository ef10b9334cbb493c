"""The dashboard's actions on an identity in the current environment: its roles, and copying."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stacktui.tui.lines import TextStyle
from stacktui.tui.screens.group_actions import GroupActions

if TYPE_CHECKING:
    from stacktui.check.target import CheckTarget
    from stacktui.identities.model import Identity
    from stacktui.identities.token import Token

_TOKEN = "token"  # noqa: S105 - a choice


class IdentityActions(GroupActions, inherit_bindings=False):
    """A screen with the actions on identities; the subclass shows what was read."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "read_roles" | "managed_identity":
                return self._identity is not None and self.app_state.target is not None
            case "copy_identity":
                return self._identity is not None
            case _:
                return super().check_action(action, parameters)

    @property
    def _identity(self) -> Identity | None:
        settings = self.app_state.settings
        return settings.identities.get(self.chosen_identity or "") if settings else None

    def action_read_roles(self) -> None:
        """Read what the highlighted identity may do in the current environment."""
        target, identity = self.app_state.target, self._identity
        if target is not None and identity is not None:
            self.services.role_reader.start(replace(target, identity=identity))

    def action_managed_identity(self) -> None:
        """Make a managed identity and give it to a VM, as the highlighted identity."""
        from stacktui.tui.screens.managed_identity import ManagedIdentity

        target, identity, group = self.app_state.target, self._identity, self._group
        if target is None or identity is None:
            return
        screen = ManagedIdentity(replace(target, identity=identity), group.name if group else "")

        def opened() -> None:
            self.app.push_screen(screen)

        if identity.name == target.environment.identity:
            self.services.when_signed_in(opened)
        elif identity.needs_person and self._token(target, identity) is None:
            text = f"{identity.name} signs in with a person's help: T first, then M"
            self.notice(text, TextStyle.WARNING)
        else:
            opened()

    def action_copy_identity(self) -> None:
        """Copy one of the identity's ids; its token only after a question."""
        from stacktui.tui.screens.picker_screen import Choice, PickerScreen

        target, identity = self.app_state.target, self._identity
        if identity is None:
            return
        facts = token.facts if (token := self._token(target, identity)) else None
        texts = {
            "name": identity.name,
            "user name": identity.username,
            "client id": identity.client_id,
            "object id": identity.object_id or (facts and facts.object_id) or "",
            "tenant": identity.tenant or (facts and facts.tenant) or "",
            "resource id": identity.resource_id,
        }
        choices = [Choice(what, what, text) for what, text in texts.items() if text]
        if target is not None:
            remark = "asks first" if token else f"none: {_sign_in_key(target, identity)} signs in"
            choices.append(Choice(_TOKEN, f"{_TOKEN} for {target.environment.name}", remark))

        def copy(what: str | None) -> None:
            if what == _TOKEN and target is not None:
                self._ask_to_copy(target, identity)
            elif what is not None:
                self.services.copier.copy(texts[what], texts[what], self.notice)

        self.app.push_screen(PickerScreen("Copy of the identity", choices), copy)

    def _ask_to_copy(self, target: CheckTarget, identity: Identity) -> None:
        from stacktui.tui.screens.copy_token import CopyToken

        where = target.environment.name
        if (token := self._token(target, identity)) is None:
            key = _sign_in_key(target, identity)
            text = f"there is no valid token of {identity.name} for {where}: {key} signs in"
            self.notice(text, TextStyle.WARNING)
            return

        def copy(confirmed: str | None) -> None:
            # Asked for again: the screen does not hold it, and it may have expired.
            valid = self._token(target, identity) if confirmed else None
            if valid is not None:
                what = f"the token of {identity.name} for {where}"
                self.services.copier.copy(valid.value, what, self.notice, secret=True)

        self.app.push_screen(CopyToken(target.environment, identity, token.facts), copy)

    def _token(self, target: CheckTarget | None, identity: Identity) -> Token | None:
        """Return the valid token for the environment, if there is one."""
        if target is None or (tokens := self.app_state.tokens) is None:
            return None
        # Whoever has tokens has imported it.
        from stacktui.identities.token_source import SignIn

        return tokens.kept(SignIn(target.environment, identity, target.config))


def _sign_in_key(target: CheckTarget, identity: Identity) -> str:
    """Return the key that signs in: a check does so with the environment's own identity only."""
    return "c" if target.environment.identity == identity.name else "o"
