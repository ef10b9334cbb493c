"""Granting Reader to an identity that ARM refused, as another identity of the config."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar, cast

from textual import on
from textual.binding import Binding, BindingType

from stacktui.check import role_grant
from stacktui.check.report import Report
from stacktui.check.role_grant import Grantor, grantee, grantors
from stacktui.check.settings import Settings
from stacktui.diagnosis.fixes import Fix
from stacktui.resources.role_paths import READER, assignment_name, assignment_path, scope_words
from stacktui.tui.check_runner import session_tokens
from stacktui.tui.formatting import command_of
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, label_value, line
from stacktui.tui.screens.action_screen import ActionScreen, question
from stacktui.tui.widgets.list_pane import ListPane, Row


class GrantScreen(ActionScreen):
    """Asks who may grant the role, and grants it; else has the line to send to the owner."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "ask_as", "ask as it", priority=True),
        Binding("y", "copy", "copy the command"),
        # A key that is bound here loses its bindings of the base class.
        Binding("y", "confirm", "yes"),
        Binding("w", "write_copied", "write what was copied to a file", show=False),
    ]

    def __init__(self, report: Report, settings: Settings, fix: Fix) -> None:
        super().__init__(f"Grant {READER.name}", "As")
        self._report, self._settings = report, settings
        self._scope, self._principal = fix.action.key, grantee(report, fix.action.value)
        self._command = command_of(fix.remedy)
        self._grantors: tuple[Grantor, ...] = ()
        # Why an identity cannot grant the role, empty if it can; those that were asked.
        self._why_not: dict[str, str] = {}

    def on_mount(self) -> None:
        self.wait("Reading who could grant it.")
        report, settings = self._report, self._settings
        self.run(lambda: grantors(report, settings), self._found)

    def _found(self, found: tuple[Grantor, ...]) -> None:
        self._grantors = found
        self._ask([each for each in found if each.known_here and self._signs_in(each)])

    def _signs_in(self, grantor: Grantor) -> bool:
        """Return whether it signs in now, with nobody there."""
        signed_in = session_tokens().refresh_token(grantor.sign_in)
        return bool(signed_in) or not grantor.identity.needs_person

    def _ask(self, asked: Sequence[Grantor]) -> None:
        """Ask ARM as these identities whether they may."""
        wanted, tokens, scope = [each.sign_in for each in asked], session_tokens(), self._scope
        if wanted:
            names = ", ".join(each.identity.name for each in wanted)
            longest = self._report.target.environment.limits.step
            self.wait(f"Asking ARM whether {names} may grant it, for {longest:g} s at most.")
            self.run(lambda: asyncio.run(role_grant.why_not(wanted, tokens, scope)), self._asked)
        else:
            self._asked({})

    def _asked(self, found: dict[str, str]) -> None:
        self._why_not |= found
        glyphs = self.services.screen_style.glyphs
        self.set_choices([self._row(each, glyphs) for each in self._grantors])
        may = (name for name, why in found.items() if not why)
        self.choices.choose(next(may, self.choices.chosen))
        self._show()

    def _row(self, grantor: Grantor, glyphs: Glyphs) -> Row:
        name, why = grantor.identity.name, self._why_not.get(grantor.identity.name)
        if why is None:
            state = (Span(f"{glyphs.pending} not asked", TextStyle.DIM),)
        elif why:
            state = (Span(f"{glyphs.failed} cannot", TextStyle.ERROR),)
        else:
            state = (Span(f"{glyphs.ok} may grant it", TextStyle.OK),)
        kind = (Span(grantor.identity.kind.words, TextStyle.DIM),)
        return Row(name, (Span(name),), ((kind, state), (state,)))

    @property
    def _chosen(self) -> Grantor | None:
        """The highlighted one, else the first; None until they are known."""
        name = self.choices.chosen
        found = (each for each in self._grantors if name in (None, each.identity.name))
        return next(found, None)

    @on(ListPane.Chosen)
    def _show(self) -> None:
        if (chosen := self._chosen) is None:
            return
        name = chosen.identity.name
        why = self._why_not.get(name)
        self.asking = why == ""
        if self.asking:
            self.set_text([*self._written(chosen), BLANK, question("Grant it?")])
        elif why is None:
            self.set_text(self._not_asked(chosen))
        else:
            self.set_text(self._to_send(f"{name} cannot grant it: {why}."))

    def _written(self, grantor: Grantor) -> list[Line]:
        """Return all that is written: what, for whom, where and by whom."""
        name = assignment_name(self._scope, READER, self._principal)
        identity = grantor.identity
        return [
            label_value("role", Span(READER.name, TextStyle.STRONG)),
            label_value("to", str(self._principal)),
            label_value("on", scope_words(self._scope)),
            label_value("as", f"{identity.name} ({identity.kind.words})"),
            label_value("writes", f"PUT {assignment_path(self._scope, name)}"),
            BLANK,
            line(Span("Then the check runs again.", TextStyle.DIM)),
        ]

    def _not_asked(self, grantor: Grantor) -> list[Line]:
        target, name = self._report.target, grantor.identity.name
        if not self._signs_in(grantor):
            why = f"{name} needs you to sign in: esc, T on it in pane 3, then f again."
            return self._to_send(why)
        doubt = (
            f"Nothing says that {name} belongs to {target.environment.name}: asking as it sends its"
            " secret to the login host of this environment."
        )
        asks = line(Span("enter", TextStyle.KEY), f" asks as {name} whether it may grant the role.")
        return [line(Span(doubt, TextStyle.WARNING)), BLANK, asks]

    def _to_send(self, why: str) -> list[Line]:
        return [
            line(Span(why, TextStyle.WARNING)),
            BLANK,
            line(f"An owner of {scope_words(self._scope)} runs:"),
            *(line(Span(each, TextStyle.ACCENT)) for each in self._command.splitlines()),
        ]

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        chosen = self._chosen
        match action:
            case "ask_as":
                asked = chosen is None or chosen.identity.name in self._why_not
                return not (asked or self.busy) and self._signs_in(cast("Grantor", chosen))
            case "copy":
                return not (self.asking or self.busy)
            case "write_copied":
                return bool(self.services.copier.text)
            case _:
                return super().check_action(action, parameters)

    def action_ask_as(self) -> None:
        if (chosen := self._chosen) is not None:
            self._ask([chosen])

    def action_copy(self) -> None:
        self.services.copier.copy(self._command, self._command, self._hints.notice)

    async def action_write_copied(self) -> None:
        await self.services.copier.write(self._hints.notice)

    def action_decline(self) -> None:
        self.dismiss(None)

    def action_confirm(self) -> None:
        """Grant the role, as the highlighted identity."""
        if (chosen := self._chosen) is None:
            return
        wanted, tokens = chosen.sign_in, session_tokens()
        scope, principal = self._scope, self._principal

        def work() -> str:
            granted = asyncio.run(role_grant.grant_reader(wanted, tokens, scope, principal))
            has = "now has" if granted.changed else "already had"
            return f"{principal} {has} {READER.name} on {scope_words(scope)}"

        self.run(work, self._granted, changes=True)

    def _granted(self, done: str) -> None:
        self.services.granted(self._report.target.environment.name)
        self.dismiss(done)
