"""The top line and the bottom line of the dashboard."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, cast

from textual.strip import Strip

from stacktui.config.read_only import is_read_only
from stacktui.environments.naming import is_operator_endpoint
from stacktui.tui.app_state import AppState
from stacktui.tui.formatting import PROVIDERS
from stacktui.tui.frame import strip
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.layout import MIN_HEIGHT, MIN_WIDTH
from stacktui.tui.lines import Line, Span, TextStyle, dotted, fit, sanitize_spans, width_of
from stacktui.tui.widgets.no_repaint import NoRepaintWidget

if TYPE_CHECKING:
    from stacktui.tui.app_services import HasScreenStyle
    from stacktui.tui.screen_style import ScreenStyle


# Marks an environment of operators' ARM endpoint, with a sign beside it in the list.
OPERATOR = "operator"


class Bar(NoRepaintWidget):
    """One line of spans, some of them right-aligned."""

    can_focus = False

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._shown: Line | None = None

    @abstractmethod
    def content(self) -> Line:
        """Return the spans at the left and at the right."""

    @property
    def screen_style(self) -> ScreenStyle:
        return cast("HasScreenStyle", self.app).screen_style

    def redraw(self) -> None:
        """Repaint if the content has changed."""
        if self.content() != self._shown:
            self.refresh()

    def render_line(self, y: int) -> Strip:
        glyphs = self.screen_style.glyphs
        width = self.size.width
        if y > 0:
            return strip(Line(), width, self.screen_style)
        self._shown = self.content()
        right = fit(sanitize_spans(self._shown.right, glyphs), width // 2, glyphs)
        room = width - 2 - (width_of(right) + 2 if right else 0)
        left = fit(sanitize_spans(self._shown.spans, glyphs), room, glyphs)
        gap = width - 2 - width_of(left) - width_of(right)
        spans = (Span(" ", TextStyle.DIM), *left, Span(" " * gap, TextStyle.DIM), *right)
        return strip(Line(spans), width, self.screen_style)


class TopBar(Bar):
    """Environment, ARM host, sign-in, profile and identity; at the right the trust sources."""

    app_state: AppState | None = None

    def show(self, app_state: AppState) -> None:
        self.app_state = app_state
        self.redraw()

    def content(self) -> Line:
        width, height = self.app.size
        if width < MIN_WIDTH or height < MIN_HEIGHT:
            size = f"{MIN_WIDTH}x{MIN_HEIGHT}"
            needs = f"needs {size}, this is {width}x{height}: enlarge it, or q leaves"
            return Line(
                (Span(needs if width >= len(needs) + 2 else f"enlarge to {size}; q leaves"),)
            )
        if self.app_state is None or self.app_state.environment is None:
            # An environment that cannot be used has nothing but its name.
            name = self.app_state.current if self.app_state and self.app_state.unusable else None
            return Line(
                (Span(name or "stacktui", TextStyle.STRONG),),
                (Span("read-only", TextStyle.WARNING),) if is_read_only() else (),
            )
        right = trust(self.app_state, self.screen_style.glyphs)
        room = width - 2 - (width_of(right) + 2 if right else 0)
        # Without room for all, drop first what is shown elsewhere too.
        for spans in where(self.app_state, self.screen_style.glyphs):
            if width_of(spans) <= room:
                break
        return Line(spans, right)


def where(app_state: AppState, glyphs: Glyphs) -> Iterator[tuple[Span, ...]]:
    """Return the forms of the top line, the longest first; unknown values are left out."""
    environment, target = app_state.environment, app_state.target
    if environment is None or target is None:
        return
    operator = is_operator_endpoint(environment.arm)
    name = Span(environment.name, TextStyle.OPERATOR if operator else TextStyle.STRONG)
    badge = Span(OPERATOR if operator else "", TextStyle.OPERATOR)
    host = Span(environment.arm.removeprefix("https://"))
    metadata = app_state.check.metadata if app_state.check else None
    provider = PROVIDERS[metadata.identity_provider] if metadata else ""
    profile = Span(environment.profile, TextStyle.DIM)
    who = Span(target.identity.name if target.identity else "")
    kind = f" ({target.identity.kind.words})" if target.identity else ""
    for parts in (
        (name, badge, host, Span(provider), profile, Span(who.text + kind)),
        (name, badge, host, Span(provider), profile, who),
        (name, badge, host, Span(provider), who),
        (name, badge, host, Span(provider)),
        (name, badge, host),
        (badge, name),
    ):
        yield dotted((part for part in parts if part.text), glyphs)


def trust(app_state: AppState, glyphs: Glyphs) -> tuple[Span, ...]:
    """Return the trust sources that the last check used, and the mode: `certifi + ca`."""
    used = app_state.check.trust if app_state.check else None
    sources = " + ".join(source.setting for source in used.sources) if used else ""
    mode = "read-only" if is_read_only() else ""
    parts = (Span(sources, TextStyle.DIM), Span(mode, TextStyle.WARNING))
    return dotted((part for part in parts if part.text), glyphs)


class HintBar(Bar):
    """The enabled keys, or a notice until the next key."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._hints: tuple[tuple[str, str], ...] = ()
        self._always: tuple[tuple[str, str], ...] = ()
        self._notice: Span | None = None

    def show(self, hints: Iterable[tuple[str, str]], always: Iterable[tuple[str, str]]) -> None:
        """Show keys and what they do, the most useful first; `always` is right-aligned."""
        self._hints, self._always = tuple(hints), tuple(always)
        self.redraw()

    def notice(self, text: str, style: TextStyle = TextStyle.ACCENT) -> None:
        """Show one line until the next key."""
        self._notice = Span(text, style)
        self.redraw()

    def clear_notice(self) -> None:
        if self._notice is not None:
            self._notice = None
            self.redraw()

    def content(self) -> Line:
        if self._notice is not None:
            return Line((self._notice,))
        right = _hints(self._always)
        room = self.size.width - 4 - width_of(right)
        shown: tuple[Span, ...] = ()
        for count in range(len(self._hints), 0, -1):
            shown = _hints(self._hints[:count])
            if width_of(shown) <= room:
                return Line(shown, right)
        return Line((), right)


def _hints(hints: Iterable[tuple[str, str]]) -> tuple[Span, ...]:
    spans: list[Span] = []
    for key, does in hints:
        spans += [
            Span("  " if spans else "", TextStyle.DIM),
            Span(key, TextStyle.KEY),
            Span(f" {does}", TextStyle.DIM),
        ]
    return tuple(spans)
