"""The screen of a form: shows fields, says what is wrong with each, and saves what it shows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Checkbox, Input, Label, Select
from textual.worker import Worker, WorkerError

from stacktui.config.error_file import describe_error
from stacktui.errors import StacktuiError
from stacktui.text.sanitize import escape_control_chars
from stacktui.transport.background import in_background
from stacktui.tui.keys import keys_of
from stacktui.tui.layout import STRIP_WIDTH
from stacktui.tui.lines import TextStyle
from stacktui.tui.widgets.bars import HintBar
from stacktui.tui.widgets.fields import ChoiceInput, Field, FieldRow

if TYPE_CHECKING:
    from stacktui.tui.app_services import AppServices

T = TypeVar("T")


class FieldList(VerticalScroll, inherit_bindings=False, can_focus=False):
    """Scrolls to the focused field; `up` and `down` go from field to field, they do not scroll."""


class FormScreen(ModalScreen[T], inherit_bindings=False):
    """Shows fields, says of each what is wrong while it is typed, and saves what it shows.

    Dismissed with what `save` returns, None if nothing was saved. A subclass implements `save`.
    """

    # Read with the first form, not before the first frame.
    CSS_PATH = Path(__file__).with_name("form.tcss")

    BINDINGS: ClassVar[list[BindingType]] = [
        # With priority over the focused input's own enter.
        Binding("enter", "save", "save", priority=True),
        Binding("ctrl+s", "save_now", "save"),
        Binding("y", "drop", "drop the changes"),
        Binding("escape", "go_on", "go on"),
        Binding("escape", "leave", "back"),
        Binding("tab,down", "app.focus_next", "next field", show=False),
        Binding("shift+tab,up", "app.focus_previous", "previous field", show=False),
        Binding("pagedown", "page(1)", "a page on, a page back", show=False),
        Binding("pageup", "page(-1)", "a page on, a page back", show=False),
    ]

    def __init__(self, title: str, fields: Sequence[Field]) -> None:
        super().__init__()
        self._title = title
        self._fields = fields
        self._rows: dict[str, FieldRow] = {}
        self._initial = {field.key: field.shown for field in fields}
        self.values = dict(self._initial)
        self._touched: set[str] = set()
        # What was read in the background of a field: its text, the remark, what is wrong.
        self._read: dict[str, tuple[str, str, str]] = {}
        self._reading: dict[str, Worker[None]] = {}
        self._asking = self._saving = False
        self._before_asking: Widget | None = None
        self._hints = HintBar(id="form-hints")

    @property
    def services(self) -> AppServices:
        return cast("AppServices", self.app)

    def compose(self) -> ComposeResult:
        glyphs = self.services.screen_style.glyphs
        self.set_class(glyphs.ascii_only, "-ascii")
        self.set_class(self.app.no_color, "-no-colour")
        self._rows = {field.key: FieldRow(field, glyphs) for field in self._fields}
        with FieldList():
            yield Label(glyphs.adapt(escape_control_chars(self._title)), markup=False, id="title")
            yield from self._rows.values()
            yield from self.extra()
        yield self._hints

    def on_mount(self) -> None:
        for key, value in self.values.items():
            if value:
                self.changed(key)
        self.update_rows()

    # For subclasses

    def extra(self) -> ComposeResult:
        """Return the widgets below the fields."""
        yield from ()

    def hidden(self) -> Collection[str]:
        """Return the fields that the values of the others leave no use for."""
        return ()

    def changed(self, key: str) -> None:
        """Called when the value of a field has changed, and at first for those that have one."""

    def problems(self) -> dict[str, str]:
        """Return what is wrong with the values, by field."""
        found = {}
        for field in self._in_use():
            value = self.values[field.key]
            read = self._read.get(field.key)
            wrong = field.problem(value) if value or field.required else ""
            if not wrong and field.required and not value:
                wrong = "is needed"
            if not wrong and read is not None and read[0] == value:
                wrong = read[2]
            if wrong:
                found[field.key] = wrong
        return found

    def remarks(self) -> dict[str, str]:
        """Return what is known about the values, by field."""
        read, values = self._read.items(), self.values
        # Until it is read its line stays, or all below would move twice with each key.
        reading = {key: "…" for key in self._reading if values[key]}
        return reading | {key: remark for key, (text, remark, _) in read if text == values[key]}

    async def save(self) -> T:
        """Save the values. Raises StacktuiError, with nothing changed."""
        raise NotImplementedError

    def changes(self) -> dict[str, str]:
        """Return the values of the fields in use that are not the initial ones."""
        in_use = {field.key for field in self._in_use()}
        return {
            key: value
            for key, value in self.values.items()
            if key in in_use and value != self._initial[key]
        }

    def set_value(self, key: str, value: str) -> None:
        """Fill in a field that is typed into or chosen from."""
        entry = self._rows[key].input
        if isinstance(entry, Input | Select):
            entry.value = value

    def read_beside(self, key: str, read: Callable[[], str]) -> None:
        """Read in the background what the value of a field names, and show it below the field.

        `read` returns a remark; what it raises, a StacktuiError or ValueError, is what is wrong.
        """
        text = self.values[key]

        async def work() -> None:
            remark = wrong = ""
            try:
                remark = await in_background(read)
            except (StacktuiError, ValueError) as error:
                wrong = str(error)
            except Exception as error:
                wrong = describe_error(error)
            self._read[key] = text, remark, wrong
            self.show_notes()

        if (before := self._reading.get(key)) is not None:
            before.cancel()
        self._reading[key] = self.run_worker(work, exit_on_error=False)

    # Showing

    def _in_use(self) -> Iterator[Field]:
        hidden = self.hidden()
        return (field for field in self._fields if field.key not in hidden)

    def update_rows(self) -> None:
        hidden = self.hidden()
        for key, row in self._rows.items():
            row.display = key not in hidden
        self.show_notes()

    def show_notes(self) -> None:
        """Show below each field what is wrong with what was typed, else what is known about it."""
        problems, remarks = self.problems(), self.remarks()
        for key, row in self._rows.items():
            wrong = problems.get(key, "") if key in self._touched else ""
            row.show_note(wrong or remarks.get(key, ""), wrong=bool(wrong))
        self.show_hints()
        self.call_after_refresh(self._keep_in_view)

    def show_hints(self) -> None:
        if self._is_choosing:
            self._hints.show([("enter", "choose"), ("esc", "back")], ())
            return
        keys = [key for key in keys_of(self.active_bindings.values(), None) if key.shown]
        # Where not all fit, the way out comes before the second way to save.
        last = "ctrl+s" if self.size.width < STRIP_WIDTH else "esc"
        keys.sort(key=lambda key: key.keys[0] == last)
        below = self.query_one(FieldList)
        glyphs = self.services.screen_style.glyphs
        more = [(glyphs.down, "more")] if below.scroll_y < below.max_scroll_y else []
        self._hints.show([(key.keys[0], key.does) for key in keys], more)

    def on_descendant_focus(self) -> None:
        self.call_after_refresh(self.show_hints)

    def on_resize(self) -> None:
        self.call_after_refresh(self._keep_in_view)
        self.call_after_refresh(self.show_hints)

    def _keep_in_view(self) -> None:
        """Scroll to what has the focus, with what is said below it."""
        if (focused := self.focused) is not None:
            row = next((each for each in focused.ancestors if isinstance(each, FieldRow)), focused)
            row.scroll_visible(animate=False, immediate=True)

    def on_key(self, event: events.Key) -> None:
        if not self._asking:
            self._hints.clear_notice()

    def notice(self, text: str, style: TextStyle) -> None:
        self._hints.notice(text, style)

    # Typing

    @on(Input.Changed)
    @on(Select.Changed)
    @on(Checkbox.Changed)
    def _on_input(self) -> None:
        for key, row in self._rows.items():
            value = row.value.strip()
            if value != self.values[key]:
                self.values[key] = value
                self._touched.add(key)
                self.changed(key)
                self.update_rows()

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("drop", "go_on"):
            return self._asking
        if self._asking:
            return False
        if action == "save":  # else the list's own enter chooses
            return not self._is_choosing
        return True

    @property
    def _is_choosing(self) -> bool:
        """Whether a list of choices is open."""
        inputs = (row.input for row in self._rows.values())  # a query costs more with each key
        return any(isinstance(each, ChoiceInput) and each.expanded for each in inputs)

    def is_valid(self) -> bool:
        """Return whether nothing is wrong; else say what, and focus the first field that has it."""
        problems = self.problems()
        self._touched |= set(self._rows)
        self.show_notes()
        if problems:
            self._rows[next(iter(problems))].input.focus()
        return not problems

    def action_save(self) -> None:
        if not self._saving:
            self._saving = True
            self.run_worker(self._save(), exit_on_error=False)

    def action_save_now(self) -> None:
        self.action_save()

    async def _save(self) -> None:
        try:
            await self.all_read()
            if self.is_valid():
                self.dismiss(await self.save())
        except StacktuiError as error:
            self.notice(str(error), TextStyle.ERROR)
        finally:
            self._saving = False

    async def all_read(self) -> None:
        """Wait until what the values name has been read."""
        for each in list(self._reading.values()):
            with suppress(WorkerError):  # cancelled by a later one
                await each.wait()

    def action_leave(self) -> None:
        if not self._touched or self.values == self._initial:
            self.dismiss(None)
            return
        self._asking = True
        self._before_asking = self.focused
        self.set_focus(None)  # `y` is an answer now, not a letter
        what = "it" if self.size.width < STRIP_WIDTH else "what was changed"
        self._hints.notice(f"Not saved. y drops {what}, esc goes on", TextStyle.WARNING)

    def action_drop(self) -> None:
        self.dismiss(None)

    def action_go_on(self) -> None:
        self._asking = False
        self._hints.clear_notice()
        before = self._before_asking
        self.set_focus(before)
        if isinstance(before, Input):  # focus selects all: what is typed would replace it
            self.call_after_refresh(before.action_end)

    def _focus_first(self) -> None:
        next(iter(self._rows.values())).input.focus()

    def action_page(self, pages: int) -> None:
        self.query_one(FieldList).scroll_relative(y=pages * 5, animate=False)
        self.call_after_refresh(self.show_hints)
