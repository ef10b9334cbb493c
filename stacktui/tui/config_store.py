"""The config as the app uses it: read into the app's state, and changed in the background."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from stacktui.check.settings import Settings, load_settings
from stacktui.check.target import CheckTarget
from stacktui.config.document import ConfigError
from stacktui.transport.background import in_background
from stacktui.tui.app_state import AppState
from stacktui.tui.keymap import Place, keymap_of


class ConfigStore:
    """Reads the config of `app_state` and changes it.

    `on_changed` is called with the environments that another read has given other settings.
    `wanted` is the environment to show first, else the active one. `places` are those that have
    keys. `notices` are lines about what the last read found, `keymap` has the user's own keys.
    """

    def __init__(
        self,
        app_state: AppState,
        wanted: str | None,
        places: Mapping[str, Place],
        on_changed: Callable[[Collection[str]], None],
    ) -> None:
        self._app_state = app_state
        self._on_changed = on_changed
        self._wanted = wanted
        self._places = places
        self.notices: list[str] = []
        self.keymap: Mapping[str, str] = {}

    def read(self) -> None:
        """Read the config into the state.

        A broken one is reported there, and never written; what was read before is kept.
        """
        app_state = self._app_state
        self.notices, before = [], app_state.settings
        try:
            settings = load_settings(app_state.config, app_state.limits)
            app_state.settings = settings.with_secrets(app_state.typed)
            app_state.config_error = None
        except ConfigError as error:
            app_state.config_error = error
            return
        # What cannot be used is a row of its pane, so no notice hides the keys for it.
        self.notices += settings.warnings
        self.keymap, refused = keymap_of(settings.keys, self._places)
        self.notices += refused
        names = settings.names
        if self._wanted is not None and self._wanted not in names:
            self.notices.append(f"there is no environment {self._wanted!r}")
        first = (app_state.current, self._wanted, settings.active, *settings.environments, *names)
        app_state.current = next((each for each in first if each in names), None)
        if before is not None:
            old, new = _targets(before), _targets(app_state.settings)
            self._on_changed({name for name in old | new if old.get(name) != new.get(name)})

    @property
    def broken(self) -> str:
        """Say that the config cannot be used, and what is shown instead."""
        error = self._app_state.config_error
        line = f" (line {error.line})" if error and error.line else ""
        kept = "kept what was read before; " if self._app_state.settings else ""
        return f"the config is broken{line}: {kept}ctrl+e opens it"

    @property
    def read_again(self) -> str:
        """Say that the config was read, and how many of it cannot be used."""
        settings = self._app_state.settings
        unusable = len(settings.errors) + len(settings.identity_errors) if settings else 0
        return "the config was read again" + (
            f": {unusable} of it cannot be used" if unusable else ""
        )

    async def change(self, write: Callable[[Path], None]) -> None:
        """Let `write` change the file in the background, and read it again. Raises ConfigError."""
        path = self._app_state.config
        await in_background(lambda: write(path))
        self.read()


def _targets(settings: Settings) -> dict[str, CheckTarget]:
    return {name: settings.target(name) for name in settings.environments}
