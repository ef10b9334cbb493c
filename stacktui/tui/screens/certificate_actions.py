"""The dashboard's actions on certificates: scan, trust a root or take it back, export."""

from __future__ import annotations

from abc import abstractmethod

from stacktui.tui.panes.certificates import chain_of
from stacktui.tui.screens.check_actions import CheckActions


class CertificateActions(CheckActions, inherit_bindings=False):
    """A screen with the actions on certificates; the subclass shows what was scanned."""

    @property
    @abstractmethod
    def chosen_host(self) -> str | None:
        """The highlighted host with its port."""

    @property
    @abstractmethod
    def scan_in_use(self) -> bool:
        """Whether the pane with the scan is the one in use."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        app_state = self.app_state
        match action:
            case "cancel_scan":
                # If both run, `esc` cancels the one whose pane is in use.
                checking = self.services.check_runner.runs(app_state.current)
                return self.services.scan_runner.running and (self.scan_in_use or not checking)
            case "scan":
                return app_state.environment is not None
            case "trust":
                return app_state.settings is not None and bool(self._chain())
            case "untrust" | "export":
                return app_state.settings is not None
            case _:
                return super().check_action(action, parameters)

    def action_cancel_scan(self) -> None:
        self.services.scan_runner.cancel()

    def action_scan(self, whole: bool) -> None:
        self.services.scan(whole=whole)

    def action_trust(self) -> None:
        from stacktui.tui.screens.trust import Trust

        target, settings, chain = self.app_state.target, self.app_state.settings, self._chain()
        if target is not None and settings is not None and chain:
            host = (self.chosen_host or "").removesuffix(":443")
            self.app.push_screen(Trust(target, settings, host, chain), self._trust_changed)

    def action_untrust(self) -> None:
        from stacktui.tui.screens.untrust import Untrust

        if self.app_state.settings is not None:
            self.app.push_screen(Untrust(self.app_state.settings), self._trust_changed)

    def action_export(self) -> None:
        from stacktui.tui.screens.export import Export

        self.app.push_screen(Export(self.app_state.settings))

    def _trust_changed(self, done: str | None) -> None:
        if done is not None:
            self.services.trust_changed(done)

    def _chain(self) -> tuple[bytes, ...]:
        """Return the chain that the highlighted host presents (DER, leaf first)."""
        chosen = self.chosen_host
        return chain_of(chosen, self.app_state) if chosen else ()
