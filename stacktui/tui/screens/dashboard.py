"""The dashboard screen: the grid of panes and its keys."""

from __future__ import annotations

from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from stacktui.tui.app_state import AppState
from stacktui.tui.coalescer import Coalescer
from stacktui.tui.keys import keys_of
from stacktui.tui.layout import Arrangement
from stacktui.tui.lines import Line, TextStyle
from stacktui.tui.panes import certificates, environments, identities, resources
from stacktui.tui.screens.config_actions import ConfigActions
from stacktui.tui.screens.pane_grid import PaneGrid
from stacktui.tui.widgets.list_pane import ListPane
from stacktui.tui.widgets.panel import Panel

# The keys that the bottom line shows first; the others follow in the order of the bindings.
HINT_ORDER = (
    "cancel_scan",
    "cancel",
    "clear_filter",
    "back",
    "cancel_all",
    "screen.scan(False)",
    "screen.trust",
    "screen.zoom",
    "check",
    "check_all",
    "fix",
    "copy",
    "screen.copy_report",
    "screen.scan(True)",
    "screen.export",
    "add",
    "screen.add_identity",
    "screen.edit",
    "screen.edit_identity",
    "demo",
    "zoom",
    "use",
)
ALWAYS = ("help", "app.quit")
# Keys that move; they are not commands of the palette.
MOVES = ("move", "scroll", "page", "step", "go", "palette", "interrupt", "app.interrupt")


class Dashboard(ConfigActions, inherit_bindings=False):
    """Shows the app's state. Its own state is only the focus, the zoom and the filters."""

    AUTO_FOCUS = "#environments"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel_scan", "cancel the scan"),
        Binding("escape", "cancel", "cancel the check"),
        Binding("escape", "clear_filter", "clear the filter"),
        Binding("escape", "back", "back"),
        Binding("escape", "cancel_all", "twice: cancel all"),
        Binding("c", "check", "check"),
        Binding("C", "check_all", "check all"),
        Binding("f", "fix", "fix"),
        Binding("y", "copy", "copy command"),
        Binding("Y", "copy_report", "copy report"),
        Binding("w", "write_copied", "write what was copied to a file", show=False),
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

    def __init__(self, app_state: AppState) -> None:
        super().__init__(app_state)
        self.grid = PaneGrid()
        self._single = False
        self.coalescer = Coalescer(self.call_later, self._show_changed)
        self._ticking = False

    def compose(self) -> ComposeResult:
        yield self.grid

    def on_mount(self) -> None:
        # Before the first layout, so that the first frame is the right one.
        self.grid.environments.choose(self.app_state.current)
        self.update()

    def update(self) -> None:
        """Show the current state now; repaint only what has changed."""
        self.grid.environments.update(self.app_state)
        self._show_current()

    def _show_current(self) -> None:
        """Show the current environment in all the other panes."""
        grid = self.grid
        grid.certificates.update(self.app_state)
        grid.identities.update(self.app_state)
        grid.resources.update(self.app_state)
        grid.check.update(self.app_state)
        grid.top.show(self.app_state)
        self._show_detail()
        self.show_hints()
        grid.settle()

    def show_soon(self, name: str | None) -> None:
        """Show the new state of an environment, with those of others that come close together."""
        self.coalescer.add(name)

    def _show_changed(self, changed: set[str | None]) -> None:
        known = self.app_state.settings.environments if self.app_state.settings else {}
        names = [each for each in changed if each is not None and each in known]
        self.grid.environments.update(self.app_state, names)
        if self.app_state.current in changed:
            self._show_current()
        else:
            self.grid.strip.show(self.grid.open)
            self.show_hints()
        if not self._ticking and self.services.check_runner.round_running:
            self._ticking = True
            self.coalescer.after(1.0, self._tick)

    def _tick(self) -> None:
        """Show the elapsed seconds of the checks of a round."""
        self._ticking = self.services.check_runner.round_running
        if self._ticking:
            self.grid.environments.redraw()
            self.coalescer.after(1.0, self._tick)

    def show_hints(self) -> None:
        """Show the enabled keys in the bottom line."""
        keys = [key for key in keys_of(self.active_bindings.values(), self.focused) if key.shown]
        order = {action: index for index, action in enumerate(HINT_ORDER)}
        keys.sort(key=lambda key: order.get(key.action, len(order)))
        self.grid.hints.show(
            [(key.keys[0], key.does) for key in keys if key.action not in ALWAYS],
            [(key.keys[0], key.does) for key in keys if key.action in ALWAYS],
        )

    def notice(self, text: str, style: TextStyle = TextStyle.ACCENT) -> None:
        self.grid.hints.notice(text, style)

    # The highlighted row
    @on(ListPane.Chosen)
    def _chosen(self, event: ListPane.Chosen) -> None:
        if event.pane is self.grid.environments and event.key is not None:
            self.app_state.current = event.key
            self._show_current()
        else:
            self._show_detail()
            self.show_hints()
            self.grid.settle()

    def _show_detail(self) -> None:
        name, lines = self._detail()
        self.grid.detail.show(name, lines)

    def _detail(self) -> tuple[str, tuple[Line, ...]]:
        """Return the name and the detail of the open pane's highlighted row."""
        grid, app_state, glyphs = self.grid, self.app_state, self.services.screen_style.glyphs
        key = grid.open.chosen
        if key is None:
            return "", ()
        if grid.open is grid.environments and (error := app_state.unusable):
            return key, environments.unusable_detail(error, glyphs)
        if grid.open is grid.environments and app_state.environment:
            return key, environments.detail(app_state.environment, app_state, glyphs)
        if grid.open is grid.certificates:
            # Imported with the first detail: a scan or a check has already imported most of it.
            from stacktui.tui.panes.certificate_detail import detail

            return detail(key, app_state, glyphs, zoomed=grid.certificates.zoomed)
        if grid.open is grid.identities and app_state.settings:
            return key, identities.detail(app_state.settings.identities[key], app_state, glyphs)
        found = resources.groups(app_state)
        for group in found.groups if found and grid.open is grid.resources else ():
            if group.name == key:
                return key, resources.detail(group, app_state, glyphs)
        return "", ()

    # Focus
    def on_resize(self) -> None:
        """Focus the check when the screen becomes too small for more than one pane."""
        single = self.grid.arrangement is Arrangement.SINGLE
        if single and not self._single and self.app_state.check is not None:
            self.show_check()
        self._single = single

    def show_check(self) -> None:
        """Focus the check, unless it is visible already."""
        if self.grid.arrangement is Arrangement.SINGLE and self.is_current:
            self.set_focus(self.grid.check, scroll_visible=False)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if isinstance(event.widget, Panel) and event.widget is not self.grid.front:
            self.grid.bring_to_front(event.widget)
            if event.widget is self.grid.certificates and self.app_state.identity_files is None:
                self.services.read_identity_files()
            self._show_detail()
            self.grid.settle()
            self.show_hints()

    def action_go(self, name: str) -> None:
        pane = next(pane for pane in self.grid.panes if pane.id == name)
        self.set_focus(pane, scroll_visible=False)

    def action_step(self, steps: int) -> None:
        panes = self.grid.in_reach()
        front = self.grid.front
        index = panes.index(front) if front in panes else 0
        self.set_focus(panes[(index + steps) % len(panes)], scroll_visible=False)

    def action_zoom(self) -> None:
        if self.grid.zoomed is None:
            self.grid.zoom(self.grid.front)
            self._show_detail()
            self.show_hints()

    def action_back(self) -> None:
        zoomed = self.grid.zoomed
        self.grid.zoom(None)
        if zoomed is not None:
            self.set_focus(zoomed, scroll_visible=False)
        self._show_detail()
        self.show_hints()

    def action_clear_filter(self) -> None:
        if isinstance(self.grid.front, ListPane):
            self.grid.front.clear_filter()
        self.show_hints()

    # Actions
    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable the keys that would do nothing here."""
        app_state = self.app_state
        match action:
            case "cancel_scan":
                # If both run, `esc` cancels the one whose pane is in use.
                mine = self.grid.open is self.grid.certificates
                checking = self.services.check_runner.runs(app_state.current)
                return self.services.scan_runner.running and (mine or not checking)
            case "scan":
                return app_state.environment is not None
            case "trust":
                return app_state.settings is not None and bool(self._chain())
            case "untrust" | "export":
                return app_state.settings is not None
            case "clear_filter":
                front = self.grid.front
                return isinstance(front, ListPane) and front.filtered
            case "back":
                return self.grid.zoomed is not None
            case "zoom":
                front = self.grid.front
                return self.grid.zoomed is None and not (
                    isinstance(front, ListPane) and front.chosen is None
                )
            case "demo":
                return app_state.demo_on_offer and not app_state.environments
            case _:
                return super().check_action(action, parameters)

    def action_check(self) -> None:
        super().action_check()
        self.coalescer.flush()  # what stands there of the last check is no longer true

    def action_cancel_scan(self) -> None:
        self.services.scan_runner.cancel()

    def action_scan(self, whole: bool) -> None:
        self.services.scan(whole=whole)

    def action_trust(self) -> None:
        from stacktui.tui.screens.trust import Trust

        target, settings, chain = self.app_state.target, self.app_state.settings, self._chain()
        if target is not None and settings is not None and chain:
            host = (self.grid.certificates.chosen or "").removesuffix(":443")
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

    @property
    def chosen_identity(self) -> str | None:
        return self.grid.identities.chosen

    def action_demo(self) -> None:
        self.services.demo()

    def action_help(self) -> None:
        from stacktui.tui.screens.help import Help

        keys = keys_of(self.active_bindings.values(), self.focused)
        self.app.push_screen(Help(self.grid.front.caption, keys))

    def action_palette(self) -> None:
        from stacktui.tui.screens.picker_screen import Choice, PickerScreen

        keys = {
            key.action: key
            for key in keys_of(self.active_bindings.values(), self.focused)
            if not key.action.startswith(MOVES)
        }

        async def run(action: str | None) -> None:
            if action is not None:
                await self.app.run_action(action, keys[action].node)

        choices = [Choice(key.action, key.does, key.keys[0]) for key in keys.values()]
        self.app.push_screen(PickerScreen("Commands", choices), run)

    def _chain(self) -> tuple[bytes, ...]:
        """Return the chain that the highlighted host presents (DER, leaf first)."""
        chosen = self.grid.certificates.chosen
        return certificates.chain_of(chosen, self.app_state) if chosen else ()
