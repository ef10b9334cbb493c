"""What screens and widgets ask of the application that they are on.

Textual knows it as `App`; importing the application itself for its type would be a circle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from stacktui.certificates.chain import Certificate
    from stacktui.tui.checking import Checker
    from stacktui.tui.live import LiveCheck
    from stacktui.tui.look import Look
    from stacktui.tui.scan_runner import ScanRunner


class Dressed(Protocol):
    """Has a look, which every widget draws with."""

    look: Look


class Owner(Dressed, Protocol):
    """Has the checks, the looks at certificates, and the config that the screens change."""

    scan_runner: ScanRunner

    @property
    def checking(self) -> bool: ...
    def new_checker(
        self, tell: Callable[[LiveCheck], None], certify: Callable[[dict[bytes, Certificate]], None]
    ) -> Checker: ...
    def check(self) -> None: ...
    def cancel_check(self) -> None: ...
    def certified(self, certificates: dict[bytes, Certificate]) -> None: ...
    def scan(self, *, whole: bool) -> None: ...
    def trust_changed(self, done: str) -> None: ...
    def mended(self, done: str) -> None: ...
    def read_identity_files(self) -> None: ...
    def use(self, name: str | None) -> None: ...
    def added(self, check: LiveCheck | None) -> None: ...
    def demo(self) -> None: ...
