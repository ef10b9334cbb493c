"""An input for one line of text that may be pasted from anywhere."""

from __future__ import annotations

from typing import Any

from textual import events
from textual.widgets import Input


class TextInput(Input):
    """Takes of what is pasted the first line that has text, without characters that show nothing.

    Textual's own writes them to the terminal: an escape sequence would be carried out there, and a
    bidi override reorders the line. Typed ones it does not take.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.cursor_blink = False

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()  # Textual's own handler
        event.stop()
        line = next((each for each in event.text.splitlines() if each.strip()), "")
        self.replace("".join(filter(str.isprintable, line)), *self.selection)
