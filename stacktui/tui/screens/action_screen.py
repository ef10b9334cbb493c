"""The base of the screens for one action: a text, a list to choose from, a question, the work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from stacktui.config.error_file import describe_error
from stacktui.errors import StacktuiError
from stacktui.transport.background import in_background
from stacktui.tui.keys import keys_of
from stacktui.tui.layout import LEAST
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, label_value, line
from stacktui.tui.panes.detail import DetailPane
from stacktui.tui.widgets.bars import HintBar
from stacktui.tui.widgets.list_pane import ListPane, Row

if TYPE_CHECKING:
    from stacktui.tui.app_services import AppServices

T = TypeVar("T")
# Most lines of the list with its frame; most columns of the screen, as in the stylesheet.
MOST_ROWS, MOST_WIDTH = 8, 100
LEAST_CHOICES = 3


class ChoicesPane(ListPane):
    """The list of choices, below the text about the highlighted one."""

    has_filter = False

    def __init__(self, caption: str) -> None:
        super().__init__(id="choices")
        self.caption = caption
        self.in_front = True

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        refused = action == "filter" and not self.has_filter
        return False if refused else super().check_action(action, parameters)


def question(text: str) -> Line:
    """A question, and the keys that answer it."""
    yes = (Span("y", TextStyle.KEY), Span(" yes   "), Span("esc", TextStyle.KEY), Span(" no"))
    return line(Span(f"{text}  ", TextStyle.WARNING), *yes)


class ActionScreen(ModalScreen[str], inherit_bindings=False):
    """Returns what was done, for a notice; None when nothing was.

    Subclasses show text with `set_text`, choices with `set_choices`, and do their work with `run`.
    Those that ask before the work set `asking`, and have `action_confirm` and `action_decline`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "confirm", "yes"),
        Binding("escape", "decline", "no"),
        Binding("escape", "leave", "back"),
        Binding("down", "move(1)", "move the bar", show=False, priority=True),
        Binding("up", "move(-1)", "move the bar", show=False, priority=True),
        Binding("pagedown", "page(1)", "a page on, a page back", show=False, priority=True),
        Binding("pageup", "page(-1)", "a page on, a page back", show=False, priority=True),
        Binding("ctrl+d", "page(0.5)", "half a page on, back", show=False),
        Binding("ctrl+u", "page(-0.5)", "half a page on, back", show=False),
    ]

    def __init__(self, title: str, caption: str) -> None:
        super().__init__()
        self._title = title
        self._text = DetailPane(id="text")
        self.choices = ChoicesPane(caption)
        self._hints = HintBar(id="action-hints")
        self.busy = self._changing = self.asking = False
        self.below = 1  # lines below the text and the list: those of the keys, and `extra`
        self._rows = 0
        self._waiting = False

    @property
    def services(self) -> AppServices:
        return cast("AppServices", self.app)

    def compose(self) -> ComposeResult:
        self.choices.display = False
        with Vertical():
            yield self._text
            yield self.choices
            yield from self.extra()
            yield self._hints

    def extra(self) -> ComposeResult:
        """Return the widgets between the list and the keys."""
        yield from ()

    def on_key(self) -> None:
        self._hints.clear_notice()

    # For subclasses

    def set_text(self, lines: Sequence[Line]) -> None:
        """Show the text of the screen."""
        self._waiting = False
        self._text.show(self._title, tuple(lines))
        self.share_height()
        self.show_hints()

    def wait(self, text: str) -> None:
        """Show what the screen is waiting for; `failed` then replaces the text."""
        self.set_text((line(Span(text, TextStyle.DIM)),))
        self._waiting = True

    def set_choices(self, rows: Sequence[Row]) -> None:
        """Show the choices; without any the list is hidden."""
        self.choices.display = bool(rows)
        self.choices.show(rows, ())
        self.share_height()
        self.choices.focus()

    def on_resize(self) -> None:
        self._rows = 0  # of another width, the text has other lines
        self.share_height()

    def share_height(self) -> None:
        """Give the list what it wants, and the text the rest, but neither less than it needs."""
        width, height = min(MOST_WIDTH, self.app.size.width) - 2, self.app.size.height
        # It only grows, so that nothing jumps while the bar moves.
        self._rows = max(self._rows, self._text.wanted_height(width))
        room, choices = height - self.below, 0
        if self.choices.display:
            wanted = min(self.choices.wanted_height(width), MOST_ROWS)
            choices = max(LEAST_CHOICES, min(wanted, room - LEAST))
            self.choices.styles.height = choices
        self._text.styles.height = max(LEAST, min(self._rows, room - choices))

    def warn(self, text: str) -> None:
        self._hints.notice(text, TextStyle.ERROR)

    def say(self, text: str) -> None:
        self._hints.notice(text, TextStyle.OK)

    def run(
        self, work: Callable[[], T], then: Callable[[T], None], *, changes: bool = False
    ) -> None:
        """Run `work` in the background, one at a time; show an error in a line.

        While work that `changes` files runs, the screen cannot be left.
        """
        if self.busy:
            return
        self.busy, self._changing = True, changes
        self.run_worker(self._run_work(work, then), exit_on_error=False)

    async def _run_work(self, work: Callable[[], T], then: Callable[[T], None]) -> None:
        try:
            result = await in_background(work)
        except StacktuiError as error:
            self.busy = False
            self.failed(str(error))
        except Exception as error:
            self.busy = False
            self.failed(describe_error(error))
        else:
            self.busy = False
            if self.is_current:
                then(result)
                self.show_hints()

    def failed(self, why: str) -> None:
        """Show why the work failed; nothing was changed."""
        if self._waiting:
            self.set_text(
                (
                    line(Span("That could not be done.", TextStyle.ERROR)),
                    BLANK,
                    label_value("why", why),
                )
            )
        else:
            self.warn(why)

    def show_hints(self) -> None:
        keys = [key for key in keys_of(self.active_bindings.values(), None) if key.shown]
        keys.sort(key=lambda key: key.keys[0] == "esc")
        self._hints.show([(key.keys[0], key.does) for key in keys], ())

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "confirm" | "decline":
                return self.asking
            case "leave":
                return not self.asking
            case _:
                return True

    def action_leave(self) -> None:
        if self.busy and self._changing:
            self.warn("a moment: files are being written")
        else:
            self.dismiss(None)

    def action_move(self, steps: int) -> None:
        if self.choices.display:
            self.choices.action_move(steps)
        else:
            self._text.action_scroll(steps)

    def action_page(self, pages: float) -> None:
        self._text.action_page(pages)
