"""Bytes of a form: `python -m tests.benchmarks.forms`. Prints, asserts nothing.

What the program writes to a pty from the key that opens the form of an environment until it rests,
and from `esc` until the dashboard is back; beside it a bare Textual application with the same
widgets on a modal screen, unstyled, in the same terminal.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Checkbox, Footer, Input, Label, Select, Static

from tests.benchmarks.measure import terminal_environment
from tests.tui.canned import CONFIG
from tests.tui.terminal import Terminal

# TERM, COLORTERM, columns, rows, and the most bytes of closing.
TERMINALS = (
    ("screen-256color", "", 80, 24, 7 * 1024),
    ("xterm-256color", "truecolor", 120, 40, 14 * 1024),
)
LABELS = ("ARM URL", "Name", "CA file", "Proxy", "Subscription")


class StockForm(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "back")]

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Label("Add an environment")
            for label in LABELS:
                with Horizontal():
                    yield Label(label)
                    yield Input(placeholder="https://management.<region>.<fqdn>", compact=True)
            for label in ("Identity", "Profile"):
                with Horizontal():
                    yield Label(label)
                    yield Select.from_values(("one", "two"), compact=True)
            yield Checkbox("what stacktui check takes without a name", compact=True)
            yield Static("Paste the ARM URL, or what you have of the stamp: a host name, its URL.")
        yield Footer()


class StockApp(App[None]):
    CSS = "Horizontal { height: 1; } Label { width: 15; } Input, Select { width: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("a", "form", "add environment")]

    def compose(self) -> ComposeResult:
        yield Label("Environments")
        yield Footer()

    def action_form(self) -> None:
        self.push_screen(StockForm())


def bytes_of(command: list[str], folder: Path, size: tuple[str, str, int, int]) -> tuple[int, int]:
    """Return the bytes of opening the form with `a`, and of leaving it with `esc`."""
    term, colorterm, width, height = size
    environ = terminal_environment(folder, term, colorterm)
    with Terminal(command, environ, width, height) as terminal:
        terminal.until("Environments")
        terminal.rest(1.5)
        written = []
        for key in ("a", "\x1b"):
            before = len(terminal.written)
            terminal.press(key)
            terminal.rest(1.5)
            written.append(len(terminal.written) - before)
    return written[0], written[1]


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = folder / "config.toml"
        config.write_text(CONFIG, encoding="utf-8")
        ours = [sys.executable, "-m", "stacktui", "--config", str(config)]
        stock = [sys.executable, "-m", "tests.benchmarks.forms", "stock"]
        for term, colorterm, width, height, bound in TERMINALS:
            size = term, colorterm, width, height
            opened, closed = bytes_of(ours, folder, size)
            bare, _ = bytes_of(stock, folder, size)
            where = f"{width}x{height} {term} {colorterm}".rstrip()
            word = "within" if opened <= bare else "ABOVE"
            print(f"bytes of opening a form, {where:<32} {opened:6}  {word} stock {bare}")
            word = "within" if closed <= bound else "ABOVE"
            print(f"bytes of closing a form, {where:<32} {closed:6}  {word} {bound}")


if __name__ == "__main__":
    if sys.argv[1:] == ["stock"]:
        StockApp().run(mouse=False)
    else:
        main()
