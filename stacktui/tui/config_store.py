"""The config as the app uses it: read into the app's state, and changed in the background."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from stacktui.check.settings import load_settings
from stacktui.config.document import ConfigError
from stacktui.transport.background import in_background
from stacktui.tui.app_state import AppState


class ConfigStore:
    """Reads the config of `app_state` and changes it.

    `wanted` is the environment to show first, else the active one. `notices` are lines about what
    the last read found.
    """

    def __init__(self, app_state: AppState, wanted: str | None) -> None:
        self._app_state = app_state
        self._wanted = wanted
        self.notices: list[str] = []

    def read(self) -> None:
        """Read the config into the state. A broken one is reported there, and never written."""
        app_state = self._app_state
        self.notices = []
        try:
            settings = load_settings(app_state.config, app_state.limits)
            app_state.settings = settings.with_secrets(app_state.typed)
            app_state.config_error = ""
        except ConfigError as error:
            app_state.settings, app_state.config_error = None, str(error)
            return
        self.notices += (*settings.warnings, *settings.left_out())
        names = settings.names
        if self._wanted is not None and self._wanted not in names:
            self.notices.append(f"there is no environment {self._wanted!r}")
        first = (app_state.current, self._wanted, settings.active, *settings.environments, *names)
        app_state.current = next((each for each in first if each in names), None)

    async def change(self, write: Callable[[Path], None]) -> None:
        """Let `write` change the file in the background, and read it again. Raises ConfigError."""
        path = self._app_state.config
        await in_background(lambda: write(path))
        self.read()
