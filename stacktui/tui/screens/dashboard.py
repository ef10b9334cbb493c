"""The dashboard: the board of panes, and the keys that act on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from stacktui.text.counts import count_of
from stacktui.tui.keys import keys_of
from stacktui.tui.lines import Line, Role
from stacktui.tui.panes import certificates, environments, identities, resources
from stacktui.tui.screens.board import Board
from stacktui.tui.session import Session
from stacktui.tui.widgets.framed import Framed
from stacktui.tui.widgets.listing import ListPane
from stacktui.tui.widgets.still import StillScreen
from stacktui.tui.words import command_of

if TYPE_CHECKING:
    from stacktui.diagnosis.finding import Diagnosis
    from stacktui.tui.mending import Mend
    from stacktui.tui.owner import Owner

# What the bottom line shows first; the rest follows in the order of the bindings.
HINT_ORDER = (
    "cancel_look",
    "cancel",
    "clear_filter",
    "back",
    "screen.look(False)",
    "screen.trust",
    "screen.zoom",
    "check",
    "mend",
    "copy",
    "screen.copy_report",
    "screen.look(True)",
    "screen.export",
    "add",
    "demo",
    "zoom",
    "use",
)
ALWAYS = ("help", "app.quit")
# Keys for fingers, not commands for a list.
MOVES = ("move", "scroll", "page", "step", "go", "palette", "interrupt", "app.interrupt")


class Dashboard(StillScreen[None], inherit_bindings=False):
    """Shows a session. It holds no knowledge of its own but where the user is."""

    AUTO_FOCUS = "#environments"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel_look", "cancel the look"),
        Binding("escape", "cancel", "cancel the check"),
        Binding("escape", "clear_filter", "clear the filter"),
        Binding("escape", "back", "back"),
        Binding("c", "check", "check"),
        Binding("f", "mend", "fix"),
        Binding("y", "copy", "copy command"),
        Binding("Y", "copy_report", "copy report"),
        Binding("enter", "zoom", "open"),
        Binding("a", "add", "add environment"),
        Binding("d", "demo", "demo"),
        Binding("r", "app.reload", "read the config again", show=False),
        Binding("t", "app.choose_theme", "theme", show=False),
        Binding("colon,ctrl+p", "palette", "all commands", show=False),
        Binding("1", "go('environments')", "jump to a pane", show=False),
        Binding("2", "go('certificates')", "jump to a pane", show=False),
        Binding("3", "go('identities')", "jump to a pane", show=False),
        Binding("4", "go('resources')", "jump to a pane", show=False),
        Binding("0", "go('check')", "jump to a pane", show=False),
        Binding("tab", "step(1)", "next pane, previous pane", show=False),
        Binding("shift+tab", "step(-1)", "next pane, previous pane", show=False),
        Binding("question_mark", "help", "keys"),
        Binding("q", "app.quit", "quit"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.board = Board()

    def compose(self) -> ComposeResult:
        yield self.board

    @property
    def owner(self) -> Owner:
        return cast("Owner", self.app)

    def on_mount(self) -> None:
        # Before the first layout, so that the first frame is the right one.
        self.board.environments.choose(self.session.current)
        self.update()

    def update(self) -> None:
        """Show the session as it is now; what did not change is not repainted."""
        board = self.board
        board.environments.update(self.session)
        board.certificates.update(self.session)
        board.identities.update(self.session)
        board.resources.update(self.session)
        board.check.update(self.session)
        board.top.show(self.session)
        self._show_detail()
        self.show_hints()
        board.settle()

    def show_hints(self) -> None:
        """The bottom line: the keys of the focused place."""
        keys = [key for key in keys_of(self.active_bindings.values(), self.focused) if key.shown]
        order = {action: index for index, action in enumerate(HINT_ORDER)}
        keys.sort(key=lambda key: order.get(key.action, len(order)))
        self.board.hints.show(
            [(key.keys[0], key.does) for key in keys if key.action not in ALWAYS],
            [(key.keys[0], key.does) for key in keys if key.action in ALWAYS],
        )

    def notice(self, text: str, role: Role = Role.ACCENT) -> None:
        self.board.hints.notice(text, role)

    # What is chosen

    @on(ListPane.Chosen)
    def _chosen(self, event: ListPane.Chosen) -> None:
        if event.pane is self.board.environments and event.key is not None:
            self.session.current = event.key
            self.update()
        else:
            self._show_detail()
            self.show_hints()
            self.board.settle()

    def _show_detail(self) -> None:
        name, lines = self._detail()
        self.board.detail.show(name, lines)

    def _detail(self) -> tuple[str, tuple[Line, ...]]:
        """The chosen thing of the open pane: its name, and what there is to say of it."""
        board, session, glyphs = self.board, self.session, self.owner.look.glyphs
        key = board.open.chosen
        if key is None:
            return "", ()
        if board.open is board.environments and session.environment:
            return key, environments.detail(session.environment, session, glyphs)
        if board.open is board.certificates:
            # Most of what it tells comes with the first look or check.
            from stacktui.tui.panes.certificate_story import detail

            return detail(key, session, glyphs, whole=board.certificates.whole)
        if board.open is board.identities and session.settings:
            return key, identities.detail(session.settings.identities[key], session, glyphs)
        found = resources.groups(session)
        for group in found.groups if found and board.open is board.resources else ():
            if group.name == key:
                return key, resources.detail(group, session, glyphs)
        return "", ()

    # Where the user is

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if isinstance(event.widget, Framed) and event.widget is not self.board.front:
            self.board.bring_to_front(event.widget)
            if event.widget is self.board.certificates and self.session.identity_files is None:
                self.owner.read_identity_files()
            self._show_detail()
            self.board.settle()
            self.show_hints()

    def action_go(self, name: str) -> None:
        pane = next(pane for pane in self.board.panes if pane.id == name)
        self.set_focus(pane, scroll_visible=False)

    def action_step(self, steps: int) -> None:
        panes = self.board.in_reach()
        front = self.board.front
        index = panes.index(front) if front in panes else 0
        self.set_focus(panes[(index + steps) % len(panes)], scroll_visible=False)

    def action_zoom(self) -> None:
        if self.board.zoomed is None:
            self.board.zoom(self.board.front)
            self._show_detail()
            self.show_hints()

    def action_back(self) -> None:
        zoomed = self.board.zoomed
        self.board.zoom(None)
        if zoomed is not None:
            self.set_focus(zoomed, scroll_visible=False)
        self._show_detail()
        self.show_hints()

    def action_clear_filter(self) -> None:
        if isinstance(self.board.front, ListPane):
            self.board.front.clear_filter()
        self.show_hints()

    # What the user does

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that would do nothing here are neither shown nor heard."""
        session = self.session
        match action:
            case "cancel_look":
                # Where both run, `esc` cancels what one is looking at.
                mine = self.board.open is self.board.certificates
                return self.owner.scan_runner.running and (mine or not self.owner.checking)
            case "cancel":
                return self.owner.checking
            case "look":
                return session.environment is not None
            case "trust":
                return session.settings is not None and bool(self._chain())
            case "untrust" | "export":
                return session.settings is not None
            case "clear_filter":
                front = self.board.front
                return isinstance(front, ListPane) and front.filtered
            case "back":
                return self.board.zoomed is not None
            case "zoom":
                front = self.board.front
                return self.board.zoomed is None and not (
                    isinstance(front, ListPane) and front.chosen is None
                )
            case "check":
                return session.environment is not None
            case "mend":
                return session.settings is not None and bool(self._mends())
            case "copy":
                return bool(self._command())
            case "copy_report":
                return session.check is not None and session.check.diagnosis is not None
            case "use":
                return session.current is not None
            case "add":
                return session.settings is not None
            case "demo":
                return session.demo_on_offer and not session.environments
            case _:
                return True

    def action_check(self) -> None:
        self.owner.check()

    def action_cancel_look(self) -> None:
        self.owner.scan_runner.cancel()

    def action_look(self, whole: bool) -> None:
        self.owner.scan(whole=whole)

    def action_trust(self) -> None:
        from stacktui.tui.screens.trust import Trust

        target, settings, chain = self.session.target, self.session.settings, self._chain()
        if target is not None and settings is not None and chain:
            host = (self.board.certificates.chosen or "").removesuffix(":443")
            self.app.push_screen(Trust(target, settings, host, chain), self._trust_changed)

    def action_untrust(self) -> None:
        from stacktui.tui.screens.untrust import Untrust

        if self.session.settings is not None:
            self.app.push_screen(Untrust(self.session.settings), self._trust_changed)

    def action_export(self) -> None:
        from stacktui.tui.screens.export import Export

        self.app.push_screen(Export(self.session.settings))

    def _trust_changed(self, done: str | None) -> None:
        if done is not None:
            self.owner.trust_changed(done)

    def action_cancel(self) -> None:
        self.owner.cancel_check()

    def action_use(self) -> None:
        self.owner.use(self.session.current)

    def action_add(self) -> None:
        from stacktui.tui.screens.add_environment import AddEnvironment

        self.app.push_screen(AddEnvironment(self.session), self.owner.added)

    def action_demo(self) -> None:
        self.owner.demo()

    def action_copy(self) -> None:
        command = self._command()
        if command:
            self.app.copy_to_clipboard(command)
            self.notice(f"copied: {command.splitlines()[0]}", Role.OK)

    def action_copy_report(self) -> None:
        """For a ticket: the whole check as Markdown."""
        check = self.session.check
        if check is None or check.report is None or check.diagnosis is None:
            return
        from stacktui.diagnosis.markdown import report_markdown

        text = report_markdown(check.report, check.diagnosis)
        self.app.copy_to_clipboard(text)
        found = check.verdict.id if check.verdict else "healthy"
        name = check.target.environment.name
        lines = count_of(text.count("\n"), "line")
        self.notice(f"copied the report for a ticket: {name}, {found}, {lines}", Role.OK)

    def action_mend(self) -> None:
        """Carry out what the verdict, else what was also seen, names first."""
        check, settings, mends = self.session.check, self.session.settings, self._mends()
        if check is None or check.report is None or settings is None or not mends:
            return
        from stacktui.tui.screens.mend import screen_for

        self.app.push_screen(screen_for(check.report, settings, mends), self._mended)

    def _mended(self, done: str | None) -> None:
        if done is not None:
            self.owner.mended(done)

    def action_help(self) -> None:
        from stacktui.tui.screens.help import Help

        keys = keys_of(self.active_bindings.values(), self.focused)
        self.app.push_screen(Help(self.board.front.caption, keys))

    def action_palette(self) -> None:
        from stacktui.tui.screens.chooser import Choice, Chooser

        keys = {
            key.action: key
            for key in keys_of(self.active_bindings.values(), self.focused)
            if not key.action.startswith(MOVES)
        }

        async def run(action: str | None) -> None:
            if action is not None:
                await self.app.run_action(action, keys[action].node)

        choices = [Choice(key.action, key.does, key.keys[0]) for key in keys.values()]
        self.app.push_screen(Chooser("Commands", choices), run)

    def _chain(self) -> tuple[bytes, ...]:
        """What the chosen host presents, DER, leaf first."""
        chosen = self.board.certificates.chosen
        return certificates.chain_of(chosen, self.session) if chosen else ()

    def _command(self) -> str:
        """The command that `y` copies."""
        if self._diagnosis is None:
            return ""
        from stacktui.tui.mending import copied_of

        remedy = copied_of(self._diagnosis)
        return command_of(remedy) if remedy else ""

    def _mends(self) -> tuple[Mend, ...]:
        """What `f` can carry out."""
        if self._diagnosis is None:
            return ()
        from stacktui.tui.mending import mends_of

        return mends_of(self._diagnosis)

    @property
    def _diagnosis(self) -> Diagnosis | None:
        return self.session.check.diagnosis if self.session.check else None
