"""Importing the service principals that `az` is signed in with: ticked, shown, then written."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType

from stacktui.azure_cli.service_principals import entries_file, read_service_principals
from stacktui.exchange.identity_import import (
    FoundIdentity,
    IdentityPlan,
    SecretPlace,
    find_identities,
    plan_identities,
)
from stacktui.identities.model import CertificateRef
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, label_value, line
from stacktui.tui.screens.action_screen import ActionScreen, question
from stacktui.tui.widgets.list_pane import ListPane, Row

# What the config gets in place of a secret, in words.
_PLACES = {
    SecretPlace.PROMPT: "is asked for in each run; it is not copied",
    SecretPlace.ENV: "comes from a variable, which you set; it is not copied",
    SecretPlace.FILE: "is copied to a file of its own beside the config, mode 0600",
    SecretPlace.KEYRING: "is copied to an entry of the system's keyring",
}


class ImportIdentities(ActionScreen):
    """Lists what az's file has; writes those that are ticked. az's file is only read."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "ask", "import", priority=True),
        Binding("space", "tick", "tick"),
        Binding("s", "place", "where secrets go"),
        # A key that is bound here loses its bindings of the base class.
        Binding("y", "confirm", "yes"),
        Binding("escape", "decline", "no"),
        Binding("escape", "leave", "back"),
    ]

    def __init__(self, config: Path) -> None:
        super().__init__("Import from az", "Service principals")
        self._config = config
        self._file = entries_file()
        self._found: Sequence[FoundIdentity] = ()
        self._ticked: set[int] = set()
        self._places: list[SecretPlace] = [
            each for each in SecretPlace if each is not SecretPlace.KEYRING
        ]
        if find_spec("keyring") is not None:
            self._places.append(SecretPlace.KEYRING)
        self._plan: IdentityPlan | None = None

    def on_mount(self) -> None:
        self.wait(f"Reading {self._file}.")
        config, file = self._config, self._file
        self.run(lambda: find_identities(config, read_service_principals(file)), self._show_found)

    def _show_found(self, found: Sequence[FoundIdentity]) -> None:
        self._found = found
        self._ticked = {each.number for each in found if each.is_new}
        if found:
            self._list()
        self._show()

    def _list(self) -> None:
        self.set_choices([self._row(each) for each in self._found])

    def _row(self, found: FoundIdentity) -> Row:
        glyphs, entry = self.services.screen_style.glyphs, found.entry
        tick = "[x] " if found.number in self._ticked else "[ ] " if found.is_new else "    "
        name = found.name or entry.client_id or f"entry {found.number}"
        state, style = "", TextStyle.DIM
        if entry.problem:
            state, style = f"{glyphs.failed} cannot be used", TextStyle.ERROR
        elif found.is_there:
            state = f"{glyphs.ok} is there already"
        elif found.file is not None and found.file.problem:
            state, style = f"{glyphs.warning} {found.file.word}", TextStyle.WARNING
        kind = "certificate" if found.file is not None or entry.certificate else "secret"
        sets = ((Span(entry.tenant, TextStyle.DIM),), (Span(kind, TextStyle.DIM),))
        column = (Span(state, style),)
        spans = (Span(tick), Span(name))
        return Row(str(found.number), spans, ((*sets, column), (sets[1], column), (column,)))

    @property
    def _chosen(self) -> FoundIdentity | None:
        known = {str(each.number): each for each in self._found}
        return known.get(self.choices.chosen or "")

    @on(ListPane.Chosen)
    def _show(self) -> None:
        self.asking = False
        lines = [label_value("file", str(self._file))]
        if not self._found:
            lines += [BLANK, line("az has no service principal there.")]
        if (found := self._chosen) is not None:
            lines += self._lines_of(found)
        self.set_text(lines)

    def _lines_of(self, found: FoundIdentity) -> list[Line]:
        entry = found.entry
        lines = [label_value("client id", entry.client_id), label_value("tenant", entry.tenant)]
        if entry.problem:
            return [*lines, label_value("why not", Span(entry.problem, TextStyle.ERROR))]
        if found.is_there:
            there = f"is the identity {found.name} already, which stays as it is"
            return [*lines, label_value("here", there)]
        if found.file is None:
            return [*lines, label_value("secret", _PLACES[self._places[0]])]
        problem = "; ".join(filter(None, (found.file.problem, found.file.remedy)))
        lines.append(label_value("certificate", str(found.file.path)))
        if problem:
            lines.append(label_value("", Span(problem, TextStyle.WARNING)))
        return lines

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "ask":
                return bool(self._ticked) and not self.asking and not self.busy
            case "tick":
                return self._chosen is not None and self._chosen.is_new and not self.asking
            case "place":
                secrets = any(each.is_new and each.file is None for each in self._found)
                return secrets and not self.asking
            case _:
                return super().check_action(action, parameters)

    def action_tick(self) -> None:
        if (found := self._chosen) is not None:
            self._ticked ^= {found.number}
            self._list()
            self._show()

    def action_place(self) -> None:
        """Choose the next place for secrets."""
        self._places.append(self._places.pop(0))
        self._show()

    def action_ask(self) -> None:
        """Show what would be written."""
        # The config takes a relative path for one below its own folder.
        config, source = self._config.absolute(), str(self._file.absolute())
        place = self._places[0]
        chosen = {each.name: each for each in self._found if each.number in self._ticked}

        def plan() -> IdentityPlan:
            planned = plan_identities(config, chosen, place, source)
            planned.check()
            return planned

        self.run(plan, self._ask)

    def _ask(self, plan: IdentityPlan) -> None:
        self._plan, self.asking = plan, True
        self.choices.display = False
        self.set_focus(self._text)
        lines = []
        for name, table in plan.tables.items():
            reference = plan.reference(name)
            signs_in = "certificate" if isinstance(reference, CertificateRef) else "secret"
            lines += [
                line(Span(f"[identities.{name}]", TextStyle.STRONG)),
                label_value("tenant", str(table["tenant"])),
                label_value("client id", str(table["client_id"])),
                label_value(signs_in, str(reference).removeprefix("certificate ")),
            ]
        ask = question(f"Add this to {self._config}?")
        self.set_text([ask, BLANK, *lines])

    def action_decline(self) -> None:
        self.choices.display = True
        self._list()
        self._show()

    def action_confirm(self) -> None:
        if (plan := self._plan) is not None:
            self.run(plan.carry_out, self._added, changes=True)

    def _added(self, _: None) -> None:
        added = ", ".join(self._plan.tables) if self._plan else ""
        self.dismiss(f"added {added}; T tests the highlighted one")
