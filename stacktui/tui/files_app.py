"""What the app reads from files and writes to them: config, history, certificates of identities."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from stacktui.config.edit import remember
from stacktui.errors import StacktuiError
from stacktui.identities.certificate_file import IdentityFile, read_files, references
from stacktui.identities.origin import IdentityOrigin, origins
from stacktui.transport.background import in_background
from stacktui.tui.lines import TextStyle
from stacktui.tui.themed_app import ThemedApp

if TYPE_CHECKING:
    from stacktui.azure_cli.cloud_file import AzClouds
    from stacktui.check.streak import Recalled
    from stacktui.environments.record import StampRecord
    from stacktui.tui.app_state import AppState
    from stacktui.tui.config_store import ConfigStore
    from stacktui.tui.screens.dashboard import Dashboard


def _clouds_of_az() -> AzClouds | None:
    """Return what `az` knows; None where it is not installed or cannot use its files. Blocks."""
    from stacktui.azure_cli.cloud_file import AzFileError, read_clouds
    from stacktui.azure_cli.presence import installed

    with suppress(AzFileError):
        return read_clouds() if installed() else None
    return None


class FilesApp(ThemedApp):
    """An app with a config, whose `dashboard` shows what was read."""

    app_state: AppState
    config: ConfigStore
    dashboard: Dashboard
    read_files = staticmethod(read_files)
    read_clouds = staticmethod(_clouds_of_az)

    # Config

    def use(self, name: str | None) -> None:
        """Save an environment as the active one, for the dashboard and the headless check."""
        if name is not None:
            self._remember("active", name, f"{name} is the active environment")

    async def change_config(self, write: Callable[[Path], None]) -> None:
        """Let `write` change the config in the background. Raises ConfigError."""
        await self.config.change(write)

    def reload(self) -> None:
        """Read the config again, and say what was read."""
        self.config.read()
        self.set_keymap(self.config.keymap)
        self.dashboard.grid.environments.choose(self.app_state.current)
        self.dashboard.update()
        self.read_history()
        if self.app_state.identity_files is not None:
            self.read_identity_files()
        if self.app_state.config_error:
            self.dashboard.notice(self.config.broken, TextStyle.ERROR)
        else:
            self.dashboard.notice("; ".join(self.config.notices) or self.config.read_again)

    async def action_edit_config(self) -> None:
        """Open the config in the user's editor, at the line of its error, and read it again."""
        from stacktui.tui.editor import edit

        error = self.app_state.config_error or self.app_state.unusable
        trouble = await edit(self, self.app_state.config, error.line if error else None)
        self.repaint()
        self.reload()
        if trouble:
            self.dashboard.notice(trouble, TextStyle.ERROR)

    def _remember(self, key: str, value: str, done: str) -> None:
        self.run_worker(self._write(key, value, done), exit_on_error=False)

    async def _write(self, key: str, value: str, done: str) -> None:
        if self.app_state.settings is None:
            self.dashboard.notice("not remembered: the config is broken", TextStyle.WARNING)
            return
        try:
            await self.config.change(lambda path: remember(path, key, value))
        except StacktuiError as error:
            self.dashboard.notice(str(error), TextStyle.WARNING)
            return
        self.dashboard.update()
        self.dashboard.notice(f"{done}: saved in {self.app_state.config}", TextStyle.OK)

    # Theme

    def action_choose_theme(self) -> None:
        from stacktui.tui.screens.picker_screen import Choice, PickerScreen

        before = self.theme_name
        choices = [Choice(name, name, "dark" if theme.dark else "light")
                   for name, theme in self.themes.items()]  # fmt: skip

        def chosen(name: str | None) -> None:
            self.apply_theme(name or before)
            if name is not None:
                self._remember("theme", name, f"theme {name}")

        self.push_screen(
            PickerScreen("Themes", choices, at=before, preview=self.apply_theme), chosen
        )

    # History

    def read_history(self) -> None:
        """Read what the last checks found, before this start too, and recorded."""
        self.run_worker(self._read_history(), group="history", exit_on_error=False)

    async def _read_history(self) -> None:
        settings = self.app_state.settings
        if settings is None:
            return
        targets = [settings.target(name) for name in settings.environments]
        read_clouds, path, environments = (
            self.read_clouds,
            settings.path,
            tuple(settings.environments.values()),
        )

        def read() -> tuple[dict[str, Recalled], dict[str, StampRecord], AzClouds | None]:
            from stacktui.check.history import recall
            from stacktui.environments.record import read_records

            return recall(targets), read_records(path, environments), read_clouds()

        found, records, self.app_state.az_clouds = await in_background(read)
        stale = self.app_state.settings_changed
        self.app_state.history = {name: each for name, each in found.items() if name not in stale}
        self.app_state.records = records
        if records or any(each.last for each in self.app_state.history.values()):
            self.dashboard.update()

    def _on_history_warning(self, text: str) -> None:
        # Called in the writer's thread.
        self.call_later(self.dashboard.notice, text, TextStyle.WARNING)

    # Certificates of identities

    def read_identity_files(self) -> None:
        """Read the certificates that identities sign in with, and where they came from."""
        self.run_worker(self._read_identity_files(), group="identities", exit_on_error=False)

    async def _read_identity_files(self) -> None:
        state, known = self.app_state, self.app_state.identities
        wanted = references(known)
        if state.identity_files is None:
            state.identity_files = {}
            self.dashboard.update()
        if known:
            read, now, config = self.read_files, datetime.now(UTC), state.config

            def read_all() -> tuple[dict[str, IdentityFile], dict[str, IdentityOrigin]]:
                return read(wanted, now) if wanted else {}, origins(config, known)

            state.identity_files, state.identity_origins = await in_background(read_all)
            self.dashboard.update()
