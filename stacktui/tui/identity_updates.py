"""When the pane of identities is shown anew: an idle app wakes for no more than that."""

from __future__ import annotations

from asyncio import TimerHandle
from collections.abc import Callable

from stacktui.tui.app_state import AppState
from stacktui.tui.coalescer import Coalescer
from stacktui.tui.panes.identities import IdentitiesPane
from stacktui.tui.panes.identity_state import seconds_to_change


class IdentityUpdates:
    """Updates the pane, and again when the time left of a token has other words.

    `on_minute` is called after the latter.
    """

    def __init__(
        self,
        pane: IdentitiesPane,
        app_state: AppState,
        coalescer: Coalescer,
        on_minute: Callable[[], None],
    ) -> None:
        self._pane = pane
        self._app_state = app_state
        self._coalescer = coalescer
        self._on_minute = on_minute
        self._timer: TimerHandle | None = None
        self._sign_ins = 0

    def show(self) -> None:
        """Show the identities as they are now."""
        app_state = self._app_state
        self._sign_ins = app_state.tokens.sign_ins if app_state.tokens else 0
        self._pane.update(app_state)
        if self._timer is not None:
            self._timer.cancel()
        left = seconds_to_change(app_state)
        self._timer = None if left is None else self._coalescer.after(left, self._show_minute)

    def show_sign_ins(self) -> None:
        """Show them if somebody has signed in since, as reading ARM may do."""
        if self._app_state.tokens and self._app_state.tokens.sign_ins != self._sign_ins:
            self.show()

    def _show_minute(self) -> None:
        self.show()
        self._on_minute()
