"""Fields of a form as data, on Textual's own Input, Select and Checkbox, one line a field."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Checkbox, Input, Label, Select, Static
from textual.widgets._select import SelectOverlay

from stacktui.text.sanitize import escape_control_chars
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.widgets.text_input import TextInput

YES = "yes"
_NEVER_BEFORE = count(2)


@dataclass(frozen=True, slots=True)
class Field:
    """One line of a form; its value is a string.

    With `choices` (text and value of each) it is a list to choose from; a `flag` is `YES` or
    empty, and its `hint` stands beside the box. `problem` returns what is wrong with a value,
    worded to follow the label, or an empty string.
    """

    key: str
    label: str
    hint: str = ""
    value: str = ""
    choices: Sequence[tuple[str, str]] = ()
    flag: bool = False
    required: bool = False
    problem: Callable[[str], str] = lambda _: ""

    @property
    def shown(self) -> str:
        """The value as the form shows it: text to type into without control characters."""
        return self.value if self.choices or self.flag else escape_control_chars(self.value)


class ChoiceInput(Select[str], inherit_bindings=False):
    """A list to choose from; `up` and `down` go to the fields around it, not into the list."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("space", "show_overlay", "choose")]

    # A form that is left while it opens has taken the list away already, and Textual looks for it.
    def _setup_options_renderables(self) -> None:
        if self.query(SelectOverlay):
            super()._setup_options_renderables()

    def _init_selected_option(self, hint: Any = Select.NULL) -> None:
        if self.query(SelectOverlay):
            super()._init_selected_option(hint)

    def show_glyphs(self, glyphs: Glyphs) -> None:
        for arrow in self.query(".arrow").results(Static):
            arrow.update(glyphs.down)


class FlagInput(Checkbox, inherit_bindings=False):
    """A box whose state is a character, not only a colour."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("space", "toggle_button", "change")]

    def render(self) -> Content:
        return Content.assemble(f"[{'x' if self.value else ' '}] ", self.label)


class FieldRow(Vertical):
    """A field with its label, and below it what is wrong with its value or known about it."""

    def __init__(self, field: Field, glyphs: Glyphs) -> None:
        super().__init__()
        self.field = field
        self._glyphs = glyphs
        self._label = Label(f"  {field.label}", markup=False)
        self._note = Label("", markup=False, classes="note")
        self._note.display = False
        self._shown = ("", False)
        self._lines = 0
        self.input = self._make_input()

    def _make_input(self) -> Input | ChoiceInput | FlagInput:
        field, adapt = self.field, self._glyphs.adapt
        if field.choices:
            choices = [
                (Content(adapt(escape_control_chars(text))), value) for text, value in field.choices
            ]
            return ChoiceInput(choices, value=field.value, allow_blank=False, compact=True)
        if field.flag:
            return FlagInput(field.hint, field.value == YES, compact=True)
        return TextInput(field.shown, placeholder=adapt(field.hint), compact=True)

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield self._label
            yield self.input
        yield self._note

    def on_mount(self) -> None:
        if isinstance(self.input, ChoiceInput):
            self.input.show_glyphs(self._glyphs)

    @property
    def value(self) -> str:
        if isinstance(self.input, FlagInput):
            return YES if self.input.value else ""
        if self.input.value is Select.NULL:  # the form is left while it opens
            return self.field.value
        return str(self.input.value)

    def show_note(self, text: str, *, wrong: bool) -> None:
        """Show a line below the field; none without a text."""
        if (text, wrong) != self._shown:
            self._shown = text, wrong
            mark = f"{self._glyphs.failed} " if wrong else ""
            note = mark + self._glyphs.adapt(escape_control_chars(text))
            # To lay out a form takes longer than the rest of a key: only where a line is more.
            lines, self._lines = self._lines, self._lines_of(note)
            self._note.update(note, layout=lines != self._lines)
            self._note.set_class(wrong, "-wrong")
            self._note.display = bool(text)

    def _lines_of(self, note: str) -> int:
        """Return the lines that a note surely takes, or a number of its own where it may wrap."""
        room = self._note.content_size.width
        return int(bool(note)) if cell_len(note) <= room else next(_NEVER_BEFORE)

    def on_descendant_focus(self) -> None:
        self.add_class("-focused")
        self._label.update(f"{self._glyphs.cursor} {self.field.label}")

    def on_descendant_blur(self) -> None:
        self.remove_class("-focused")
        self._label.update(f"  {self.field.label}")
