"""A screen about one deed: what it means, a list to choose from, the keys, and the doing of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from stacktui.config.error_file import describe_error
from stacktui.tui.arrangement import LEAST
from stacktui.tui.background import NotDoneError, in_background
from stacktui.tui.keys import keys_of
from stacktui.tui.lines import BLANK, Line, Role, Span, field, line
from stacktui.tui.panes.detail import DetailPane
from stacktui.tui.widgets.bars import HintBar
from stacktui.tui.widgets.listing import ListPane, Row

if TYPE_CHECKING:
    from stacktui.tui.owner import Owner

T = TypeVar("T")
# Lines of a list, its frame included, before it scrolls; columns of the whole, as in the styles.
MOST_ROWS, MOST_WIDTH = 8, 100


class ChoicesPane(ListPane):
    """What there is to choose from, below the text about what is chosen."""

    def __init__(self, caption: str) -> None:
        super().__init__(id="places")
        self.caption = caption
        self.in_front = True

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return False if action == "filter" else super().check_action(action, parameters)


class Deed(ModalScreen[str], inherit_bindings=False):
    """Returns what was done, for a notice; None when nothing was.

    Subclasses show text with `tell` and choices with `offer`, and do things with `do`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "back"),
        Binding("down", "move(1)", "move the bar", show=False, priority=True),
        Binding("up", "move(-1)", "move the bar", show=False, priority=True),
        Binding("pagedown", "page(1)", "a page on, a page back", show=False, priority=True),
        Binding("pageup", "page(-1)", "a page on, a page back", show=False, priority=True),
    ]

    def __init__(self, title: str, caption: str) -> None:
        super().__init__()
        self._title = title
        self._story = DetailPane(id="story")
        self.choices = ChoicesPane(caption)
        self._hints = HintBar(id="deed-hints")
        self.busy = self._changing = False
        self.below = 1  # lines that the text cannot have: those of the keys, so far
        self._rows = 0
        self._waiting = False

    @property
    def owner(self) -> Owner:
        return cast("Owner", self.app)

    def compose(self) -> ComposeResult:
        self.choices.display = False
        with Vertical():
            yield self._story
            yield self.choices
            yield from self.extra()
            yield self._hints

    def extra(self) -> ComposeResult:
        """What stands between the list and the keys."""
        yield from ()

    def on_key(self) -> None:
        self._hints.clear_notice()

    # For subclasses

    def tell(self, lines: Sequence[Line]) -> None:
        """The text of the screen."""
        self._waiting = False
        self._story.show(self._title, tuple(lines))
        width, height = min(MOST_WIDTH, self.app.size.width) - 2, self.app.size.height
        # It only grows, so that nothing jumps while the bar moves.
        self._rows = max(self._rows, self._story.wanted_height(width))
        self._story.styles.height = max(LEAST, min(self._rows, height - self.below))
        self.show_hints()

    def wait(self, text: str) -> None:
        """Say what is being found out; if that fails, the failure is all there is to tell."""
        self.tell((line(Span(text, Role.DIM)),))
        self._waiting = True

    def offer(self, rows: Sequence[Row]) -> None:
        """The choices; without any there is no list."""
        height = min(len(rows) + 2, MOST_ROWS)
        self.choices.display = bool(rows)
        self.choices.styles.height = height
        self.below += height if rows else 0
        self.choices.show(rows, ())
        self.choices.focus()

    def warn(self, text: str) -> None:
        self._hints.notice(text, Role.ERROR)

    def say(self, text: str) -> None:
        self._hints.notice(text, Role.OK)

    def do(
        self, work: Callable[[], T], then: Callable[[T], None], *, changes: bool = False
    ) -> None:
        """Run `work` beside the screen, one at a time; what it cannot do is told in a line.

        Work that `changes` files is seen to its end before the screen can be left.
        """
        if self.busy:
            return
        self.busy, self._changing = True, changes
        self.run_worker(self._do(work, then), exit_on_error=False)

    async def _do(self, work: Callable[[], T], then: Callable[[T], None]) -> None:
        try:
            result = await in_background(work)
        except NotDoneError as error:
            self.busy = False
            self.failed(str(error))
        except Exception as error:
            self.busy = False
            self.failed(f"internal error: {describe_error(error)}")
        else:
            self.busy = False
            if self.is_current:
                then(result)
                self.show_hints()

    def failed(self, why: str) -> None:
        """What was to be done was not; nothing was changed."""
        if self._waiting:
            self.tell((line(Span("That could not be done.", Role.ERROR)), BLANK, field("why", why)))
        else:
            self.warn(why)

    def show_hints(self) -> None:
        keys = [key for key in keys_of(self.active_bindings.values(), None) if key.shown]
        keys.sort(key=lambda key: key.keys[0] == "esc")
        self._hints.show([(key.keys[0], key.does) for key in keys], ())

    # Keys

    def action_leave(self) -> None:
        if self.busy and self._changing:
            self.warn("a moment: files are being written")
        else:
            self.dismiss(None)

    def action_move(self, steps: int) -> None:
        if self.choices.display:
            self.choices.action_move(steps)
        else:
            self._story.action_scroll(steps)

    def action_page(self, pages: int) -> None:
        self._story.action_page(pages)
