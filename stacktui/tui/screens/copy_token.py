"""The question before a token is copied. The token itself never comes here."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from stacktui.tui.formatting import clock
from stacktui.tui.lines import BLANK, Span, TextStyle, label_value, line
from stacktui.tui.panes.identity_state import now, time_left
from stacktui.tui.screens.action_screen import ActionScreen, question

if TYPE_CHECKING:
    from stacktui.environments.model import Environment
    from stacktui.identities.model import Identity
    from stacktui.identities.token import TokenFacts

_FOR_GOOD = "It cannot be called back, not even by a new secret."
_IN_TMUX = "It goes into tmux's buffer: whoever shares this tmux can read it there."


class CopyToken(ActionScreen):
    """Returns a text if the token is to be copied; `facts` are those of the token."""

    def __init__(self, environment: Environment, identity: Identity, facts: TokenFacts) -> None:
        super().__init__(f"Copy a token of {identity.name}", "")
        self._environment, self._identity, self._facts = environment, identity, facts
        self.asking = True

    def on_mount(self) -> None:
        name, where = self._identity.name, self._environment.name
        until, expires = "its end, which it does not say", self._facts.ends
        if expires is not None:
            left = max(0.0, (expires - now()).total_seconds())
            until = f"{clock(expires)}, {time_left(left)} from now"
        who = line(
            "Whoever has this token may do what ",
            Span(name, TextStyle.STRONG),
            f" may in {where} until {until}. {_FOR_GOOD}",
        )
        self.set_text(
            [
                who,
                *([line(_IN_TMUX)] if os.environ.get("TMUX") else []),
                BLANK,
                label_value("for", self._environment.arm),
                label_value("as", self._facts.subject or name),
                BLANK,
                question("Copy it?"),
            ]
        )

    def action_confirm(self) -> None:
        self.dismiss("confirmed")

    def action_decline(self) -> None:
        self.dismiss(None)
