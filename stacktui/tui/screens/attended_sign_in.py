"""Ask a person, before something signs in, for what only they have: a secret, or to type a code."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from stacktui.identities.model import IdentityKind, PromptSecret
from stacktui.tui.app_state import AppState

if TYPE_CHECKING:
    from textual.app import App

    from stacktui.tui.live_check import LiveCheck


class AttendedSignIn:
    """Asks for what the current environment's identity needs of a person.

    `check` checks that environment unless it is being checked: a check asks for a device code.
    """

    def __init__(self, app: App[Any], app_state: AppState, check: Callable[[], None]) -> None:
        self._app = app
        self._state = app_state
        self._check = check
        # What is done once a check has signed in, by its environment.
        self._after: dict[str, Callable[[], None]] = {}

    def with_secret(self, then: Callable[[], None], name: str | None = None) -> None:
        """Call `then`, after asking for a secret that is typed in each run: that of the named
        identity, else of the current environment's."""
        self._state.forget_refused()
        settings, environment = self._state.settings, self._state.environment
        name = name or (environment.identity if environment else None)
        identity = settings.identities.get(name or "") if settings else None
        if identity is None or not isinstance(identity.secret, PromptSecret):
            then()
            return
        from stacktui.tui.screens.secret import SecretScreen

        def asked(typed: str | None) -> None:
            if typed is not None and self._state.settings is not None:
                self._state.settings = self._state.settings.with_secrets(self._state.typed)
            then()

        self._app.push_screen(SecretScreen(identity, self._state.typed), asked)

    def when_signed_in(self, then: Callable[[], None]) -> None:
        """Call `then`, after asking; with a device code, where a check of it gets a token."""
        state, target = self._state, self._state.target
        identity = target.identity if target else None
        by_code = identity is not None and identity.kind is IdentityKind.DEVICE_CODE
        unread = state.group_list is not None and state.group_list.error
        signed_in = state.check is not None and state.check.token is not None and not unread
        if target is not None and by_code and not signed_in:
            self._after[target.environment.name] = then
            self._check()
        else:
            self.with_secret(then)

    def checked(self, live: LiveCheck) -> None:
        """Take what a check has come to: where it has signed in, do what waits for that."""
        name = live.target.environment.name
        if not live.running:
            self._state.forget_refused()
        then = None if live.running else self._after.pop(name, None)
        if then is not None and live.token is not None and name == self._state.current:
            then()
