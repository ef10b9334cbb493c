"""An input for one line of text that may be pasted from anywhere."""

from __future__ import annotations

from typing import Any

from textual import events
from textual.geometry import Size
from textual.reactive import Reactive
from textual.widgets import Input


class TextInput(Input):
    """Takes of what is pasted the first line that has text, without characters that show nothing.

    Textual's own writes them to the terminal: an escape sequence would be carried out there, and a
    bidi override reorders the line. Typed ones it does not take.
    """

    # The room that the text takes, to scroll it in its line. Textual would lay out the whole screen
    # with each key: more than half of what the key costs in a form.
    virtual_size = Reactive(Size(0, 0), layout=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.cursor_blink = False

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()  # Textual's own handler
        event.stop()
        line = next((each for each in event.text.splitlines() if each.strip()), "")
        self.replace("".join(filter(str.isprintable, line)), *self.selection)
