"""The fix screen: show what a fix changes and in which file, ask, and carry it out."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType

from stacktui.check.settings import Settings
from stacktui.diagnosis.finding import Action, ActionKind
from stacktui.diagnosis.fixes import ASKS, Fix, FixPlan, plan_fix
from stacktui.identities.model import TypedSecret
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, label_value, line
from stacktui.tui.screens.action_screen import ActionScreen, question
from stacktui.tui.screens.grant import GrantScreen
from stacktui.tui.screens.probes import RemoveLeftovers
from stacktui.tui.screens.secret import SecretScreen
from stacktui.tui.screens.trust import Trust
from stacktui.tui.widgets.list_pane import ListPane, Row

if TYPE_CHECKING:
    from stacktui.check.report import Report


def screen_for(
    report: Report, settings: Settings, fixes: tuple[Fix, ...], typed: dict[str, TypedSecret]
) -> ActionScreen:
    """Return the screen for `fixes`: that of a single one that asks by itself, if that is the first
    remedy. One that comes later is shown with its title first, which says when it is right."""
    fix = fixes[0]
    if len(fixes) == 1 and fix.action.kind in ASKS and fix.remedy is fix.finding.remedies[0]:
        return asking_screen(report, settings, fix, typed)
    return FixScreen(report, settings, fixes, typed)


def asking_screen(
    report: Report, settings: Settings, fix: Fix, typed: dict[str, TypedSecret]
) -> ActionScreen:
    """Return the screen of a fix whose action is of `ASKS`."""
    identity, action = report.target.identity, fix.action
    if action.kind is ActionKind.ASK_SECRET and identity is not None:
        return SecretScreen(identity, typed)
    if action.kind is ActionKind.REMOVE_LEFTOVERS:
        return RemoveLeftovers(report)
    if action.kind is ActionKind.GRANT:
        return GrantScreen(report, settings, fix)
    return trust_screen(report, settings, action)


def trust_screen(report: Report, settings: Settings, action: Action) -> Trust:
    """Return the screen that trusts the root of what a host of the report presented."""
    port = action.port or 443
    host = action.host if port == 443 else f"{action.host}:{port}"
    chain = report.chain_at(action.host, port)
    return Trust(report.target, settings, host, chain, checks=True)


class FixScreen(ActionScreen):
    """Offers `fixes`, the likeliest first; at least one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "fix", "yes"),
        Binding("escape", "leave", "no"),
    ]

    def __init__(
        self,
        report: Report,
        settings: Settings,
        fixes: tuple[Fix, ...],
        typed: dict[str, TypedSecret],
    ) -> None:
        super().__init__("Fix it", "What stacktui can do")
        self._report, self._settings, self._fixes, self._typed = report, settings, fixes, typed
        self._changes: dict[Action, FixPlan] = {}

    def on_mount(self) -> None:
        if len(self._fixes) > 1:
            self.set_choices([_row(str(at), each) for at, each in enumerate(self._fixes)])
        self._show()

    @on(ListPane.Chosen)
    def _show(self) -> None:
        fix, glyphs = self._chosen, self.services.screen_style.glyphs
        if fix.action.kind in ASKS:
            self.set_text([*_head(fix, glyphs), *_before_asking(fix.action)])
        elif fix.action in self._changes:
            self.set_text([*_head(fix, glyphs), *_change(self._changes[fix.action])])
        else:
            asks = fix.action.kind is ActionKind.ACCEPT
            self.wait("Asking the stamp, without any secret." if asks else "Reading the file.")
            config, checked = self._settings.path, self._report.target.environment

            def plan() -> tuple[Action, FixPlan]:
                return fix.action, plan_fix(fix, config, checked.name, checked.limits)

            self.run(plan, self._planned)

    def _planned(self, planned: tuple[Action, FixPlan]) -> None:
        action, self._changes[action] = planned
        self._show()

    @property
    def _chosen(self) -> Fix:
        return self._fixes[int(self.choices.chosen or 0)]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action != "fix" or self._chosen.action.kind in ASKS:
            return super().check_action(action, parameters)
        change = self._changes.get(self._chosen.action)
        return change is not None and change.carry_out is not None

    def action_fix(self) -> None:
        action = self._chosen.action
        if action.kind in ASKS:
            screen = asking_screen(self._report, self._settings, self._chosen, self._typed)
            self.app.push_screen(screen, self._done)
        elif action in self._changes and (carry_out := self._changes[action].carry_out):
            self.run(carry_out, self._done, changes=True)

    def _done(self, done: str | None) -> None:
        if done is not None:
            self.dismiss(done)


def _row(key: str, fix: Fix) -> Row:
    action = fix.action
    match action.kind:
        case ActionKind.TRUST_ROOT:
            what, value = "trust the root of", action.host
        case ActionKind.ASK_SECRET:
            what, value = "type the secret", "for this run"
        case ActionKind.SET:
            what = f"set {action.key}" if action.value else f"take out {action.key}"
            value = action.value
        case ActionKind.ACCEPT:
            what, value = "accept the stamp", "as it is now"
        case ActionKind.GRANT:
            what, value = "grant Reader to", action.value
        case ActionKind.REMOVE_LEFTOVERS:
            what, value = "delete what probes left", "asks first"
        case ActionKind.REPAIR:
            what, value = "write it as PEM", action.key
        case ActionKind.CHMOD:
            what, value = f"set the mode to {action.value}", action.key
    return Row(key, (Span(what),), (((Span(value, TextStyle.DIM),),), ()))


def _head(fix: Fix, glyphs: Glyphs) -> list[Line]:
    sign, role = (
        (glyphs.warning, TextStyle.WARNING) if fix.also_seen else (glyphs.failed, TextStyle.ERROR)
    )
    return [
        label_value("against", Span(f"{sign} {fix.finding.id}", role)),
        label_value("fix", Span(fix.remedy.title, TextStyle.STRONG)),
    ]


def _before_asking(action: Action) -> list[Line]:
    what = f"The next screen shows the root of what {action.host} presents, and where it can go."
    if action.kind is ActionKind.ASK_SECRET:
        what = "The next screen asks for the secret, and keeps it until stacktui ends."
    elif action.kind is ActionKind.GRANT:
        what = "The next screen shows which identity may grant it."
    elif action.kind is ActionKind.REMOVE_LEFTOVERS:
        what = "The next screen shows the groups."
    return [BLANK, line(what), BLANK, question("Go on?")]


def _change(change: FixPlan) -> list[Line]:
    lines = [label_value("file", str(change.file))]
    if change.carry_out is None:
        why = label_value("why", change.why_not)
        return [*lines, BLANK, line(Span("That cannot be done.", TextStyle.ERROR)), BLANK, why]
    for what, before, after in change.values:
        lines += [
            BLANK,
            label_value("changes", what),
            label_value("  before", before),
            label_value("  after", Span(after, TextStyle.STRONG)),
        ]
    if all(before == after for _, before, after in change.values):
        lines += [
            BLANK,
            line(Span("It is so already, since the check was made.", TextStyle.WARNING)),
        ]
    return [*lines, BLANK, line(Span(change.then, TextStyle.DIM)), BLANK, question("Change it?")]
