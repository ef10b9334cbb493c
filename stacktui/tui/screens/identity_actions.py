"""The dashboard's actions on an identity in the current environment: test, read roles, copy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from stacktui.tui.lines import TextStyle
from stacktui.tui.screens.group_change_actions import GroupChangeActions

if TYPE_CHECKING:
    from stacktui.check.target import CheckTarget
    from stacktui.identities.model import Identity
    from stacktui.identities.token import Token

_TOKEN = "token"  # noqa: S105 - a choice


class IdentityActions(GroupChangeActions, inherit_bindings=False):
    """A screen with the actions on identities; the subclass shows what was read."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "test_identity" | "read_roles" | "managed_identity":
                return self._identity is not None and self.app_state.target is not None
            case "copy_identity":
                return self._identity is not None
            case _:
                return super().check_action(action, parameters)

    @property
    def _identity(self) -> Identity | None:
        settings = self.app_state.settings
        return settings.identities.get(self.chosen_identity or "") if settings else None

    def action_test_identity(self) -> None:
        """Sign in to the current environment with the identity, whatever it names itself."""
        from stacktui.tui.screens.identity_test import IdentityTest

        def test(target: CheckTarget, identity: Identity) -> None:
            screen = IdentityTest(self.app_state, target.environment.name, identity.name)
            self.app.push_screen(screen, self._identity_tested)

        self._where_meant(test)

    def _identity_tested(self, done: str | None) -> None:
        self.update()  # there may be a token now
        if done is not None:
            self.notice(done, TextStyle.ERROR)

    def action_read_roles(self) -> None:
        """Read what the highlighted identity may do in the current environment."""

        def read(target: CheckTarget, identity: Identity) -> None:
            def asked() -> None:
                known = self._identity
                self.services.role_reader.start(replace(target, identity=known))

            self.services.with_secret(asked, identity.name)

        self._where_meant(read)

    def _where_meant(self, then: Callable[[CheckTarget, Identity], None]) -> None:
        """Call `then`, after asking where the identity's secret is not known to be meant for the
        current environment's login host, and it has no token there."""
        target, identity, state = self.app_state.target, self._identity, self.app_state
        if target is None or identity is None or state.settings is None:
            return
        environment, login = target.environment, state.login_endpoints
        meant = state.settings.is_known_at(identity, environment, login)
        if meant or identity.credential is None or self._token(target, identity) is not None:
            then(target, identity)
            return
        from stacktui.tui.screens.send_secret import SendSecret

        def confirmed(done: str | None) -> None:
            if done is not None:
                then(target, identity)

        screen = SendSecret(environment, identity, login.get(environment.name, ""))
        self.app.push_screen(screen, confirmed)

    def action_managed_identity(self) -> None:
        """Make a managed identity and give it to a VM, as the highlighted identity."""
        from stacktui.tui.screens.managed_identity import ManagedIdentity

        group = self._group.name if self._group else ""

        def walk(target: CheckTarget, identity: Identity) -> None:
            def opened() -> None:
                asked = replace(target, identity=self._identity)
                self.app.push_screen(ManagedIdentity(asked, group))

            if identity.name == target.environment.identity:
                self.services.when_signed_in(opened)
            elif identity.needs_person and self._token(target, identity) is None:
                text = f"{identity.name} signs in with a person's help: T first, then M"
                self.notice(text, TextStyle.WARNING)
            else:
                opened()

        self._where_meant(walk)

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
