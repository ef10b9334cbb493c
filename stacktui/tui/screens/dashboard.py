"""The dashboard screen: the grid of panes and its keys."""

from __future__ import annotations

from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from stacktui.tui.app_state import AppState
from stacktui.tui.coalescer import PAUSE, PROGRESS_PAUSE, Change, Coalescer
from stacktui.tui.identity_updates import IdentityUpdates
from stacktui.tui.keys import keys_of, may_run
from stacktui.tui.layout import Arrangement
from stacktui.tui.lines import TextStyle
from stacktui.tui.screens.identity_actions import IdentityActions
from stacktui.tui.screens.pane_grid import PaneGrid
from stacktui.tui.screens.row_detail import detail_of_row
from stacktui.tui.widgets.list_pane import ListPane
from stacktui.tui.widgets.panel import Panel

# The keys that the bottom line shows first; the others follow in the order of the bindings.
HINT_ORDER = (
    "cancel_scan",
    "stop_reading",
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
    "screen.export_environment",
    "add",
    "screen.add_identity",
    "screen.edit",
    "screen.edit_identity",
    "screen.test_identity",
    "screen.read_roles",
    "screen.open_group",
    "screen.create_group",
    "screen.choose_subscription",
    "screen.count_resources",
    "screen.tag_group",
    "screen.delete_group",
    "demo",
    "zoom",
    "screen.use",
    "sort",
)
ALWAYS = ("help", "app.quit")


class Dashboard(IdentityActions, inherit_bindings=False):
    """Shows the app's state. Its own state is only the focus, the zoom and the filters."""

    AUTO_FOCUS = "#environments"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel_scan", "cancel the scan"),
        Binding("escape", "stop_reading", "stop reading"),
        Binding("escape", "cancel", "cancel the check"),
        Binding("escape", "clear_filter", "clear the filter"),
        Binding("escape", "back", "back"),
        Binding("escape", "cancel_all", "twice: cancel all"),
        Binding("c", "check", "check", id="check"),
        Binding("C", "check_all", "check all", id="check_all"),
        Binding("f", "fix", "fix", id="fix"),
        Binding("y", "copy", "copy command", id="copy_command"),
        Binding("Y", "copy_report", "copy report", id="copy_report"),
        Binding(
            "w", "write_copied", "write what was copied to a file", show=False, id="write_file"
        ),
        Binding("enter", "zoom", "open", id="open"),
        Binding("a", "add", "add environment", id="add"),
        Binding("d", "demo", "demo", id="demo"),
        Binding("r", "refresh", "refresh", show=False, id="refresh"),
        Binding("ctrl+e", "app.edit_config", "edit the config", show=False, id="edit_config"),
        Binding("t", "app.choose_theme", "theme", show=False, id="theme"),
        Binding(
            "colon,ctrl+p",
            "palette",
            "go to, or run",
            show=False,
            id="palette",
        ),
        Binding("1", "go('environments')", "jump to a pane", show=False, id="go_environments"),
        Binding("2", "go('certificates')", "jump to a pane", show=False, id="go_certificates"),
        Binding("3", "go('identities')", "jump to a pane", show=False, id="go_identities"),
        Binding("4", "go('resources')", "jump to a pane", show=False, id="go_resources"),
        Binding("0", "go('check')", "jump to a pane", show=False, id="go_check"),
        Binding("tab", "step(1)", "next pane, previous pane", show=False, id="pane_after"),
        Binding("shift+tab", "step(-1)", "next pane, previous pane", show=False, id="pane_before"),
        Binding("R", "requests", "requests", show=False, id="requests"),
        Binding("O", "operations", "operations", show=False, id="operations"),
        Binding("W", "write_probe", "write probe", show=False, id="write_probe"),
        Binding("question_mark", "help", "keys", id="help"),
        Binding("q", "app.quit", "quit", id="quit"),
    ]

    def __init__(self, app_state: AppState) -> None:
        super().__init__(app_state)
        self.grid = PaneGrid()
        self._single = False
        self.coalescer = Coalescer(self.call_later, self._show_changed)
        self._ticking = False
        self._identities = IdentityUpdates(
            self.grid.identities, app_state, self.coalescer, self._show_minute
        )

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
        self._identities.show()
        grid.resources.update(self.app_state)
        grid.check.update(self.app_state)
        grid.top.show(self.app_state)
        self._show_detail()
        self.show_hints()
        grid.settle()

    def _show_minute(self) -> None:
        """Show the time that is left of the tokens."""
        self.grid.strip.show(self.grid.open)
        if self.grid.open is self.grid.identities:
            self._show_detail()

    def _show_groups(self) -> None:
        """Show the groups of the current environment, which no other pane depends on."""
        self.grid.resources.update(self.app_state)
        self._identities.show_sign_ins()
        if self.grid.open is self.grid.resources:
            self._show_detail()
        self.show_hints()
        self.grid.settle()

    def show_soon(
        self, name: str | None, *, groups_only: bool = False, progress: bool = False
    ) -> None:
        """Show the new state of an environment, with those of others that come close together.

        `progress` is of a list that is being read: it is shown less often.
        """
        self.coalescer.add(Change(name, groups_only), PROGRESS_PAUSE if progress else PAUSE)

    def _show_changed(self, changed: set[Change]) -> None:
        known = self.app_state.settings.environments if self.app_state.settings else {}
        names = {each.environment for each in changed if not each.groups_only}
        if names:
            usable = [each for each in names if each is not None and each in known]
            self.grid.environments.update(self.app_state, usable)
        if self.app_state.current in names:
            self._show_current()
        elif Change(self.app_state.current, groups_only=True) in changed:
            self._show_groups()
        else:
            if names:
                self._identities.show()  # which others may have too
            self.grid.strip.show(self.grid.open)
            self.show_hints()
        if not self._ticking and self._is_busy:
            self._ticking = True
            self.coalescer.after(1.0, self._tick)

    def _tick(self) -> None:
        """Show the seconds of the running checks, of the scan, and of a wait for ARM."""
        self._ticking, grid = self._is_busy, self.grid
        if self._ticking:
            grid.environments.redraw()
            grid.check.redraw()
            if self.services.scan_runner.running:
                grid.certificates.update(self.app_state)
                grid.strip.show(grid.open)
                self._show_detail()
            if self.services.arm_reader.running or self.services.resource_counter.running:
                grid.resources.update(self.app_state)
            if self.services.role_reader.running:
                self._show_detail()
            self.coalescer.after(1.0, self._tick)

    @property
    def _is_busy(self) -> bool:
        services = self.services
        checks, scan = services.check_runner.running, services.scan_runner.running
        return bool(checks or scan) or any(each.running for each in self._readers)

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
        glyphs = self.services.screen_style.glyphs
        self.grid.detail.show(*detail_of_row(self.grid, self.app_state, glyphs))

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
            shows_files = event.widget in (self.grid.certificates, self.grid.identities)
            if shows_files and self.app_state.identity_files is None:
                self.services.read_identity_files()
            if event.widget is self.grid.resources and self.app_state.group_list is None:
                self.read_groups()
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
        if self.lists_resources:
            self.list_resources()
        elif self.grid.zoomed is None:
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
        if not may_run(action):
            return False
        app_state = self.app_state
        match action:
            case "clear_filter":
                front = self.grid.front
                return isinstance(front, ListPane) and front.filtered
            case "back":
                return self.grid.zoomed is not None
            case "zoom":
                front = self.grid.front
                if self.lists_resources:
                    return True
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

    def action_refresh(self) -> None:
        """Read again what the pane in use shows; the config, wherever it could not be read."""
        grid, app_state = self.grid, self.app_state
        pane = grid.open if grid.front is grid.detail else grid.front
        if app_state.environment is None or app_state.config_error or pane is grid.environments:
            self.services.reload()
        elif pane is grid.certificates:
            last = app_state.last_scan
            self.services.scan(whole=last is not None and last.whole)
        elif pane is grid.identities:
            self.services.read_identity_files()
            self.notice("the files of the identities were read again")
        elif pane is grid.resources:
            self.services.when_signed_in(self.read_groups)
        else:
            self.action_check()

    def action_requests(self) -> None:
        """Show the requests of this session."""
        from stacktui.tui.screens.requests import RequestsScreen

        self.app.push_screen(RequestsScreen(self.app_state.requests))

    @property
    def chosen_host(self) -> str | None:
        return self.grid.certificates.chosen

    @property
    def scan_in_use(self) -> bool:
        return self.grid.open is self.grid.certificates

    @property
    def chosen_identity(self) -> str | None:
        return self.grid.identities.chosen

    @property
    def chosen_group(self) -> str | None:
        return self.grid.resources.chosen

    @property
    def detail_in_use(self) -> bool:
        return self.grid.front is self.grid.detail and self.grid.open is self.grid.resources

    def zoom_group(self) -> None:
        self.grid.zoom(self.grid.resources)
        self.set_focus(self.grid.detail, scroll_visible=False)

    def highlight_group(self, key: str) -> None:
        self.grid.resources.choose(key)
        self._show_groups()

    def show_group(self) -> None:
        self._show_detail()
        self.show_hints()

    def action_demo(self) -> None:
        self.services.demo()

    def action_help(self) -> None:
        from stacktui.tui.screens.help import Help, groups_of

        groups = groups_of(self.grid.front, self.grid.panes, self)
        self.app.push_screen(Help(groups))

    def action_palette(self) -> None:
        from stacktui.tui.screens.palette import Palette

        names = self.app_state.settings.names if self.app_state.settings else ()
        bindings = self.active_bindings.values()
        palette = Palette(bindings, self.focused, self.grid.panes, names)

        async def run(value: str | None) -> None:
            kind, _, what = (value or "").partition(" ")
            if kind == "command":
                await palette.run_command(self.app, what)
            elif kind == "pane":
                self.action_go(what)
            elif kind == "environment":
                self._go_to_environment(what)

        self.app.push_screen(palette, run)

    def _go_to_environment(self, name: str) -> None:
        """Highlight an environment, which all panes then show."""
        self.app_state.current = name
        self.grid.environments.clear_filter()
        self.grid.environments.choose(name)
        self.action_go("environments")
        self._show_current()
