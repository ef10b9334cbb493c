"""The protocols through which screens and widgets call the app.

Textual types it as `App`; importing `StacktuiApp` for its type would be an import circle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable
    from pathlib import Path

    from stacktui.certificates.chain import Certificate
    from stacktui.check.target import CheckTarget
    from stacktui.tui.arm_reader import ArmReader
    from stacktui.tui.arm_task import StreamTask
    from stacktui.tui.check_runner import CheckRunner
    from stacktui.tui.clipboard import Copier
    from stacktui.tui.config_change import ConfigChange
    from stacktui.tui.deletions import Deletions
    from stacktui.tui.identity_walker import IdentityWalker
    from stacktui.tui.live_check import LiveCheck
    from stacktui.tui.live_walk import LiveWalk
    from stacktui.tui.resource_counter import ResourceCounter
    from stacktui.tui.role_reader import RoleReader
    from stacktui.tui.scan_runner import ScanRunner
    from stacktui.tui.screen_style import ScreenStyle
    from stacktui.tui.task_state import TaskState

S = TypeVar("S", bound="TaskState")


class HasScreenStyle(Protocol):
    """Has the style that every widget draws with."""

    screen_style: ScreenStyle


class AppServices(HasScreenStyle, Protocol):
    """Runs checks and certificate scans, reads ARM, and applies changes of the config."""

    check_runner: CheckRunner
    scan_runner: ScanRunner
    arm_reader: ArmReader
    resource_counter: ResourceCounter
    role_reader: RoleReader
    deletions: Deletions
    copier: Copier

    def new_check_runner(
        self,
        on_state: Callable[[LiveCheck], None],
        on_certificates: Callable[[dict[bytes, Certificate]], None],
        *,
        only_sign_in: bool = False,
    ) -> CheckRunner: ...
    def new_identity_walker(self, on_state: Callable[[LiveWalk], None]) -> IdentityWalker: ...
    def new_task(self, on_state: Callable[[S], None]) -> StreamTask[S]: ...
    def follow_deletions(self) -> None: ...
    def with_secret(self, then: Callable[[], None], name: str | None = None) -> None: ...
    def check(self, prepare: Callable[[CheckTarget], CheckTarget] | None = None) -> None: ...
    def when_signed_in(self, then: Callable[[], None]) -> None: ...
    def check_all(self) -> None: ...
    def on_certificates_read(self, certificates: dict[bytes, Certificate]) -> None: ...
    def scan(self, *, whole: bool) -> None: ...
    def trust_changed(self, done: str) -> None: ...
    def granted(self, environment: str) -> None: ...
    def fixed(self, done: str) -> None: ...
    def read_identity_files(self) -> None: ...
    def reload(self) -> None: ...
    def use(self, name: str | None) -> None: ...
    async def change_config(self, write: Callable[[Path], None]) -> None: ...
    def config_changed(self, change: ConfigChange | None) -> None: ...
    def demo(self) -> None: ...
    def end(self, number: signal.Signals) -> None: ...
