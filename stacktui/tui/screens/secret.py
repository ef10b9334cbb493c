"""Asking for the secret or password of an identity, which is kept for this run alone."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Label

from stacktui.identities.model import Identity, NamedSecret, PromptSecret, TypedSecret
from stacktui.tui.lines import BLANK, Span, TextStyle, label_value, line
from stacktui.tui.screens.action_screen import ActionScreen
from stacktui.tui.widgets.text_input import TextInput


class SecretScreen(ActionScreen):
    """Puts the secret of `identity` into `typed`, under the identity's name. It is never shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # With priority over the input's own `enter`, which does nothing here.
        Binding("enter", "keep", "use it", priority=True),
    ]

    def __init__(self, identity: Identity, typed: dict[str, TypedSecret]) -> None:
        self._what = identity.secret_name
        super().__init__(f"The {self._what} of {identity.name}", "")
        self._identity, self._typed = identity, typed
        self._input = TextInput(id="secret", password=True)

    def extra(self) -> ComposeResult:
        yield Horizontal(Label(self._what.capitalize(), markup=False), self._input)

    def on_mount(self) -> None:
        self.below += 1
        identity, reference = self._identity, self._reference
        given = ("in place of", str(reference))
        if isinstance(reference, PromptSecret):
            given = ("asked for by", "a prompt, as the config says")
        kept = "In memory until stacktui ends: it is not written anywhere, nor shown."
        self.set_text(
            (
                line(kept),
                BLANK,
                label_value("identity", Span(identity.name, TextStyle.STRONG)),
                label_value("account", identity.principal),
                label_value(*given),
            )
        )
        self._input.focus()

    @property
    def _reference(self) -> NamedSecret | None:
        found = self._identity.secret
        return found.instead_of if isinstance(found, TypedSecret) else found

    def action_keep(self) -> None:
        value, reference = self._input.value, self._reference
        if not value.strip() or reference is None:
            self.warn(f"nothing was typed: the {self._what} stays as it is")
            return
        self._typed[self._identity.name] = TypedSecret(value, reference)
        self.dismiss(f"the {self._what} of {self._identity.name} is kept until stacktui ends")
