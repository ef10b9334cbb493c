"""The Textual application: its state, theme, background work, keys and signals."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar
from weakref import WeakSet

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType

from stacktui.check.history_writer import HistoryWriter
from stacktui.config.error_file import describe_error
from stacktui.transport.background import in_background
from stacktui.transport.request_log import logging_requests
from stacktui.tui.app_state import AppState
from stacktui.tui.arm_reader import load_arm_engine
from stacktui.tui.arm_task import ArmTask, StreamTask, now
from stacktui.tui.arm_work import ArmWork
from stacktui.tui.check_runner import CheckRunner, load_engine
from stacktui.tui.check_state import CheckState
from stacktui.tui.clipboard import Copier
from stacktui.tui.config_store import ConfigStore
from stacktui.tui.files_app import FilesApp
from stacktui.tui.group_list import newer, of_check
from stacktui.tui.input_queue import InputQueue
from stacktui.tui.keys import may_run
from stacktui.tui.lines import TextStyle
from stacktui.tui.scan_runner import ScanRunner, load_scan_engine
from stacktui.tui.screens.attended_sign_in import AttendedSignIn
from stacktui.tui.screens.dashboard import Dashboard
from stacktui.tui.screens.pane_grid import PANES

if TYPE_CHECKING:
    from textual.driver import Driver
    from textual.screen import Screen

    from stacktui.certificates.chain import Certificate
    from stacktui.check.target import CheckTarget
    from stacktui.identities.token_source import TokenSource
    from stacktui.tui.app_services import AppServices
    from stacktui.tui.config_change import ConfigChange
    from stacktui.tui.identity_walker import IdentityWalker
    from stacktui.tui.live_check import LiveCheck
    from stacktui.tui.live_walk import LiveWalk
    from stacktui.tui.scan_state import EvaluatedScan, LiveScan
    from stacktui.tui.task_state import TaskState


class _SignsIn(Protocol):
    @property
    def tokens(self) -> TokenSource | None: ...


E = TypeVar("E", bound=_SignsIn)
S = TypeVar("S", bound="TaskState")
# Seconds of rest after the first frame before the engine is imported in the background.
PATIENCE = 0.5


class StacktuiApp(FilesApp):
    """The dashboard on the config at `config`; the file may be missing or broken.

    `environment` is shown first, else the active one. `start_demo` blocks until an embedded stamp
    runs, and returns a config for it; without it no demo is offered. `auto_check` starts a check
    after the first frame. `limits` override those of the config.
    """

    TITLE = "stacktui"
    CSS_PATH = Path(__file__).with_name("stacktui.tcss")
    ENABLE_COMMAND_PALETTE = False
    ESCAPE_TO_MINIMIZE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "interrupt", "cancel, or quit", show=False, priority=True),
        Binding("ctrl+q", "quit", "quit", show=False, priority=True),
        Binding("ctrl+z", "suspend_process", "suspend", show=False, priority=True),
    ]
    load_engine = staticmethod(load_engine)
    load_scan_engine = staticmethod(load_scan_engine)
    load_arm_engine = staticmethod(load_arm_engine)

    def __init__(
        self,
        config: Path,
        *,
        environment: str | None = None,
        start_demo: Callable[[], Path] | None = None,
        auto_check: bool = False,
        limits: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__()
        self._start_demo = start_demo
        self._auto_check = auto_check
        self.copier = Copier(self)
        self.ended_by: signal.Signals | None = None
        self._logging = ExitStack()
        self._input = InputQueue(self, super().on_event)
        self.app_state = AppState(config, demo_on_offer=start_demo is not None, limits=limits or {})
        places = {each.caption: (each, Dashboard, type(self)) for each in PANES}
        self.config = ConfigStore(self.app_state, environment, places, self._forget)
        self.history = HistoryWriter(self._on_history_warning)
        self._attended = AttendedSignIn(self, self.app_state, self._check_once)
        # Of the screens: Ctrl+C cancels these too.
        self._runners: WeakSet[CheckRunner | ArmTask[Any]] = WeakSet()
        self.check_runner = self.new_check_runner(self._on_check_state, self.on_certificates_read)
        self.scan_runner = ScanRunner(
            self, self.load_scan_engine, self._on_scan_state, self._on_scan_finished
        )
        self._load_arm = self._with_tokens(self.load_arm_engine)
        self.arm_work = ArmWork(self, self._load_arm, self.app_state, lambda: self.dashboard)
        self.arm_reader, self.deletions = self.arm_work.reader, self.arm_work.deletions
        self.resource_counter, self.role_reader = self.arm_work.counter, self.arm_work.roles
        self.config.read()
        self._keymap = self.config.keymap  # `set_keymap` needs a screen
        settings = self.app_state.settings
        self._notices = [
            *self.config.notices,
            *self.set_up_style(settings.theme if settings else None),
        ]

    def run(self, **options: Any) -> Any:
        """Run until the user quits. The app leaves the mouse to the terminal, so that text can be
        selected and copied, and mouse movements are not sent over a slow link."""
        try:
            return super().run(**({"mouse": False} | options))
        finally:
            self.history.close()

    # Start

    def get_default_screen(self) -> Screen[None]:
        self.dashboard = Dashboard(self.app_state)
        return self.dashboard

    def on_ready(self) -> None:
        gc.enable()  # disabled since before the imports (`cli/dashboard.py`)
        if self._notices:
            self.dashboard.notice("; ".join(self._notices), TextStyle.WARNING)
        self.read_history()
        self.follow_deletions()
        if self._auto_check:
            self._check()  # nobody has pressed a key: it does not ask for a secret
        else:
            # Import the engine before the first check needs it, but after the first keys.
            self.set_timer(PATIENCE, self._warm_up)

    def _with_tokens(self, load: Callable[[], E]) -> Callable[[], E]:
        """Return `load` for a thread, which also gives the panes what the engine signs in with."""

        def loaded() -> E:
            engine = load()
            self.app_state.tokens = engine.tokens
            return engine

        return loaded

    def _warm_up(self) -> None:
        async def import_engine() -> None:
            await in_background(self.load_engine)

        work: Callable[[], Awaitable[None]] = import_engine
        self.run_worker(work, exit_on_error=False)

    # Config

    def config_changed(self, change: ConfigChange | None) -> None:
        """Show what a screen has changed in the config."""
        if change is None:
            return
        self._forget(change.environments)
        if change.shown is not None:
            self.app_state.current = change.shown
        if change.check is not None and change.shown is not None:
            self.app_state.checks[change.shown] = change.check
        self.reload()
        if change.checks_again:
            self.check()
        self.dashboard.notice(change.done, TextStyle.OK)

    def _forget(self, environments: Collection[str]) -> None:
        """Drop what is known of environments, and cancel what runs: their settings are others."""
        state, scan = self.app_state, self.app_state.live_scan
        for name in environments:
            self.check_runner.cancel(name)
            self.arm_work.forget(name)
            for known in (state.checks, state.scans):
                known.pop(name, None)
        state.settings_changed |= set(environments)
        if state.opened_group is not None and state.opened_group.environment in environments:
            state.opened_group = None
        if scan is not None and scan.target.environment.name in environments:
            self.scan_runner.cancel()
            state.live_scan = None
        if self.is_running and environments:
            self.follow_deletions()

    def follow_deletions(self) -> None:
        """Look in the file for deletions that may go on, and follow them in the background."""
        self.run_worker(self.arm_work.resume(), exit_on_error=False)

    # Demo

    def demo(self) -> None:
        """Start the embedded stamp and open the config that comes with it."""
        if self._start_demo is not None:
            self.dashboard.notice("starting the demo stamp on this machine")
            self.run_worker(self._demo(self._start_demo), group="demo", exit_on_error=False)

    async def _demo(self, start: Callable[[], Path]) -> None:
        try:
            config = await in_background(start)
        except Exception as error:
            self.dashboard.notice(
                f"the demo did not start: {type(error).__name__}", TextStyle.ERROR
            )
            return
        self.app_state.config = config
        self.reload()
        self.dashboard.notice("this is the demo: a simulated stamp on this machine")
        self.check()

    # Check

    def new_check_runner(
        self,
        on_state: Callable[[LiveCheck], None],
        on_certificates: Callable[[dict[bytes, Certificate]], None],
        *,
        only_sign_in: bool = False,
    ) -> CheckRunner:
        """Return a check runner for a screen.

        One that is `only_sign_in` adds nothing to the history.
        """
        history = None if only_sign_in else self.history
        load = self._with_tokens(self.load_engine)
        check_runner = CheckRunner(self, load, on_state, on_certificates, history)
        self._runners.add(check_runner)
        return check_runner

    def new_identity_walker(self, on_state: Callable[[LiveWalk], None]) -> IdentityWalker:
        """Return what does the walk of a managed identity for a screen."""
        from stacktui.tui.identity_walker import IdentityWalker

        walker = IdentityWalker(self, self._load_arm, on_state)
        self._runners.add(walker)
        return walker

    def new_task(self, on_state: Callable[[S], None]) -> StreamTask[S]:
        """Return what does a screen's work on ARM."""
        task = StreamTask(self, self._load_arm, on_state)
        self._runners.add(task)
        return task

    def check(self, prepare: Callable[[CheckTarget], CheckTarget] | None = None) -> None:
        """Check the current environment, anew if it is being checked; other checks continue.

        A secret that is to be asked for is asked for first. `prepare` says what else than to read
        the check is to do.
        """
        self.with_secret(partial(self._check, prepare))

    def _check(self, prepare: Callable[[CheckTarget], CheckTarget] | None = None) -> None:
        if (error := self.app_state.unusable) is not None:
            self.dashboard.notice(str(error), TextStyle.ERROR)
        elif target := self.app_state.target:
            self.check_runner.start(prepare(target) if prepare else target)
            self.dashboard.show_check()

    def with_secret(self, then: Callable[[], None], name: str | None = None) -> None:
        """Call `then`, after asking for a secret that is typed in each run."""
        self._attended.with_secret(then, name)

    def when_signed_in(self, then: Callable[[], None]) -> None:
        """Call `then`, after asking for what only a person has."""
        self._attended.when_signed_in(then)

    def _check_once(self) -> None:
        current = self.app_state.current
        if current is None or not self.check_runner.runs(current):
            self._check()

    def check_all(self) -> None:
        """Check every environment that can be used and is not being checked."""
        settings = self.app_state.settings
        if self.check_runner.round_running:
            self.dashboard.notice("all are being checked already; esc twice cancels that")
        elif settings is not None:
            targets = map(settings.target, settings.environments)
            self.check_runner.start_round(targets, self.app_state.checks)

    def _on_check_state(self, live: LiveCheck) -> None:
        name = live.target.environment.name
        self.app_state.checks[name] = live
        if live.groups is not None and live.report is not None:
            read = of_check(live.target, live.groups, live.report.started)
            self.app_state.groups[name] = newer(self.app_state.groups.get(name), read)
            self.app_state.counts.pop(name, None)  # those of before may be others
        self.dashboard.show_soon(name)
        self.dashboard.show_prompt(live)
        self._attended.checked(live)
        if not live.running:
            self.arm_work.check_ended(live)

    def on_certificates_read(self, certificates: dict[bytes, Certificate]) -> None:
        """Keep the certificates that a check parsed, and show them."""
        self.app_state.certificates |= certificates
        self.dashboard.show_soon(self.app_state.current)

    # Certificates

    def scan(self, *, whole: bool) -> None:
        """Scan the endpoints of the current environment; cancel a running scan."""
        if target := self.app_state.target:
            self.scan_runner.start(target, whole=whole)
            self.read_identity_files()

    def trust_changed(self, done: str) -> None:
        """Read the config and scan again after a root was added or removed."""
        result = self.app_state.last_scan
        self.config.read()  # the environment may have another `ca` now
        self.scan(whole=result is not None and result.whole)
        self.dashboard.notice(done, TextStyle.OK)

    def granted(self, environment: str) -> None:
        """Note that the identity of an environment was granted a role."""
        self.app_state.granted[environment] = now()

    def fixed(self, done: str) -> None:
        """Read the config and check again after a fix was carried out."""
        result = self.app_state.last_scan
        self.config.read()
        self.dashboard.update()
        if result is not None:
            self.scan(whole=result.whole)
        self.check()
        self.dashboard.notice(done, TextStyle.OK)

    def _on_scan_state(self, live: LiveScan) -> None:
        self.app_state.live_scan = live
        if live.running:
            self.dashboard.show_soon(self.app_state.current)
        else:
            self.dashboard.update()
        if live.state is CheckState.CANCELLED:
            self.dashboard.notice("the scan was cancelled")
        elif live.state is CheckState.BROKEN:
            self.dashboard.notice(live.error, TextStyle.ERROR)

    def _on_scan_finished(self, result: EvaluatedScan) -> None:
        self.app_state.scans[result.target.environment.name] = result

    def _fatal_error(self) -> None:
        # Textual would print the local variables of every frame, and some hold secrets.
        error = sys.exc_info()[1]
        what = "internal error without a trace" if error is None else describe_error(error)
        self.panic(Text(f"stacktui: {what}"))

    # Keys

    async def on_event(self, event: events.Event) -> None:
        typed = isinstance(event, events.Key | events.Paste)
        if typed and not self.screen_stack:
            return  # while the app closes nobody takes it
        if typed and not event.is_forwarded:
            self.dashboard.grid.hints.clear_notice()
            await self._input.put(event)
        else:
            await super().on_event(event)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return may_run(action) and super().check_action(action, parameters)

    def action_interrupt(self) -> None:
        workers: Sequence[CheckRunner | ScanRunner | ArmTask[Any]] = (
            *self._runners,
            self.scan_runner,
            *self.arm_work.readings,
        )
        running = [each for each in workers if each.running]
        for each in running:
            each.cancel()
        if not running:
            self.exit()

    # Signals

    def on_unmount(self) -> None:
        self._logging.close()

    def on_mount(self) -> None:
        """Restore the terminal and end, as `q` does, on a signal that ends the process."""
        self._logging.enter_context(logging_requests(self.app_state.requests.add))
        if sys.platform != "win32":
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
                asyncio.get_running_loop().add_signal_handler(number, self.end, number)
        # After `fg` the screen is blank: Textual restores only the terminal's modes.
        self.app_resume_signal.subscribe(self, lambda _: self.repaint())

    def end(self, number: signal.Signals) -> None:
        self.ended_by = number
        self.exit()

    def get_driver_class(self) -> type[Driver]:
        chosen = super().get_driver_class()
        # A test has another driver, and the user's environment may name one.
        if sys.platform != "win32" and chosen.__name__ == "LinuxDriver":
            from stacktui.tui.terminal_driver import TerminalDriver

            return TerminalDriver
        return chosen


if TYPE_CHECKING:
    # mypy checks here that the app implements the protocol.
    _owner: type[AppServices] = StacktuiApp
