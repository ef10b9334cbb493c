"""The dashboard's actions that change the config: environments and identities."""

from __future__ import annotations

from abc import abstractmethod

from stacktui.config.document import ConfigError, read_table
from stacktui.config.edit import ENVIRONMENTS, IDENTITIES
from stacktui.tui.config_change import ConfigChange
from stacktui.tui.lines import TextStyle
from stacktui.tui.screens.certificate_actions import CertificateActions


class ConfigActions(CertificateActions, inherit_bindings=False):
    """A screen with the actions on the config; the subclass shows what was changed."""

    @property
    @abstractmethod
    def chosen_identity(self) -> str | None:
        """The highlighted identity."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        app_state = self.app_state
        match action:
            case "use" | "export_environment" | "image_aliases":
                return app_state.environment is not None
            case "add" | "add_identity" | "import_identities":
                return app_state.settings is not None
            case "edit" | "copy_environment" | "remove":
                return app_state.settings is not None and app_state.current is not None
            case "edit_identity" | "duplicate_identity" | "remove_identity":
                return app_state.settings is not None and self.chosen_identity is not None
            case _:
                return super().check_action(action, parameters)

    def action_use(self) -> None:
        self.services.use(self.app_state.current)

    def action_add(self) -> None:
        self._open_environment_form()

    def action_edit(self) -> None:
        self._open_environment_form(edited=self.app_state.current)

    def action_copy_environment(self) -> None:
        self._open_environment_form(copied=self.app_state.current)

    def action_remove(self) -> None:
        settings, name = self.app_state.settings, self.app_state.current
        if settings is not None and name is not None:
            self._open_remove(ENVIRONMENTS, name, (name,), active=settings.active == name)

    def action_export_environment(self) -> None:
        from stacktui.tui.screens.export_environment import ExportEnvironment

        def exported(done: str | None) -> None:
            if done is not None:
                self.services.config_changed(ConfigChange(done))

        if (target := self.app_state.target) is not None:
            self.app.push_screen(ExportEnvironment(target), exported)

    def action_image_aliases(self) -> None:
        from stacktui.tui.screens.image_aliases import ImageAliases

        if (target := self.app_state.target) is not None:
            self.app.push_screen(ImageAliases(target))

    def action_add_identity(self) -> None:
        self._open_identity_form()

    def action_edit_identity(self) -> None:
        self._open_identity_form(edited=self.chosen_identity)

    def action_duplicate_identity(self) -> None:
        self._open_identity_form(copied=self.chosen_identity)

    def action_import_identities(self) -> None:
        from stacktui.tui.screens.import_identities import ImportIdentities

        self.app.push_screen(ImportIdentities(self.app_state.config), self._imported)

    def _imported(self, done: str | None) -> None:
        if done is not None:
            self.services.config_changed(ConfigChange(done))

    def action_remove_identity(self) -> None:
        if (name := self.chosen_identity) is not None:
            self._open_remove(IDENTITIES, name)

    def _open_environment_form(
        self, *, edited: str | None = None, copied: str | None = None
    ) -> None:
        from stacktui.tui.screens.environment_form import EnvironmentForm

        if (settings := self.app_state.settings) is None:
            return
        if (table := self._table(ENVIRONMENTS, edited or copied)) is not None:
            form = EnvironmentForm(
                self.app_state, settings, table=table, edited=edited, copied=copied
            )
            self.app.push_screen(form, self.services.config_changed)

    def _open_identity_form(self, *, edited: str | None = None, copied: str | None = None) -> None:
        from stacktui.tui.screens.identity_form import IdentityForm

        if (settings := self.app_state.settings) is None:
            return
        if (table := self._table(IDENTITIES, edited or copied)) is not None:
            form = IdentityForm(settings, table=table, edited=edited, copied=copied)
            self.app.push_screen(form, self.services.config_changed)

    def _table(self, group: str, name: str | None) -> dict[str, object] | None:
        """Return a table as it is in the file, empty without a name; None if it cannot be read."""
        if name is None:
            return {}
        try:
            return read_table(self.app_state.config, group, name)
        except ConfigError as error:
            self.notice(str(error), TextStyle.ERROR)
            return None

    def _open_remove(
        self, group: str, name: str, stale: tuple[str, ...] = (), *, active: bool = False
    ) -> None:
        from stacktui.tui.screens.remove import Remove

        settings = self.app_state.settings
        if settings is None:
            return
        named = [each.name for each in settings.environments.values() if each.identity == name]
        users = named if group == IDENTITIES else []

        def removed(done: str | None) -> None:
            if done is not None:
                self.services.config_changed(ConfigChange(done, stale))

        self.app.push_screen(
            Remove(self.app_state.config, group, name, active=active, users=users), removed
        )
