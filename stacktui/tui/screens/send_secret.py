"""The question before an identity signs in where nothing says that it belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from stacktui.identities.model import CertificateRef
from stacktui.tui.lines import BLANK, Span, TextStyle, label_value, line
from stacktui.tui.screens.action_screen import ActionScreen, question

if TYPE_CHECKING:
    from stacktui.environments.model import Environment
    from stacktui.identities.model import Identity


class SendSecret(ActionScreen):
    """Returns a text if it may sign in; `login_endpoint` is empty where it is not known yet."""

    def __init__(self, environment: Environment, identity: Identity, login_endpoint: str) -> None:
        super().__init__(f"Sign in as {identity.name}", "")
        self._environment, self._identity = environment, identity
        self._host = urlsplit(login_endpoint).hostname or ""
        self.asking = True

    def on_mount(self) -> None:
        identity, where = self._identity, self._environment.name
        what, name = f"its {identity.secret_name}", identity.name
        if isinstance(identity.credential, CertificateRef):
            what = "what its certificate signs"
        there = ", ".join(filter(None, (self._host, f"the login host of {where}")))
        self.set_text(
            [
                line(Span(f"Nothing says that {name} belongs to {where}.", TextStyle.WARNING)),
                BLANK,
                label_value("identity", f"{name} ({identity.kind.words})"),
                label_value("sends", what),
                label_value("to", there),
                BLANK,
                question("Send it?"),
            ]
        )

    def action_confirm(self) -> None:
        self.dismiss("confirmed")

    def action_decline(self) -> None:
        self.dismiss(None)
