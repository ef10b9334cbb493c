"""The line above the panes and the line below them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, cast

from textual.strip import Strip

from stacktui.tui.app_state import Session
from stacktui.tui.formatting import PROVIDERS
from stacktui.tui.frame import strip
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.layout import MIN_HEIGHT, MIN_WIDTH
from stacktui.tui.lines import Line, Role, Span, fit, harmless, width_of
from stacktui.tui.widgets.no_repaint import StillWidget

if TYPE_CHECKING:
    from stacktui.tui.app_services import Dressed
    from stacktui.tui.screen_style import Look


class Bar(StillWidget):
    """One line of spans, with some kept at the right edge."""

    can_focus = False

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._shown: Line | None = None

    @abstractmethod
    def content(self) -> Line:
        """What to show now."""

    @property
    def look(self) -> Look:
        return cast("Dressed", self.app).look

    def redraw(self) -> None:
        """Repaint, if there is anything new to show."""
        if self.content() != self._shown:
            self.refresh()

    def render_line(self, y: int) -> Strip:
        glyphs = self.look.glyphs
        width = self.size.width
        if y > 0:
            return strip(Line(), width, self.look)
        self._shown = self.content()
        right = fit(harmless(self._shown.right, glyphs), width // 2, glyphs)
        room = width - 2 - (width_of(right) + 2 if right else 0)
        left = fit(harmless(self._shown.spans, glyphs), room, glyphs)
        gap = width - 2 - width_of(left) - width_of(right)
        spans = (Span(" ", Role.DIM), *left, Span(" " * gap, Role.DIM), *right)
        return strip(Line(spans), width, self.look)


class TopBar(Bar):
    """Where we are: environment, ARM host, sign-in, profile, identity; at the right the trust."""

    session: Session | None = None

    def show(self, session: Session) -> None:
        self.session = session
        self.redraw()

    def content(self) -> Line:
        width, height = self.app.size
        if width < MIN_WIDTH or height < MIN_HEIGHT:
            needs = f"stacktui needs {MIN_WIDTH}x{MIN_HEIGHT}; this terminal is {width}x{height}"
            return Line((Span(needs),))
        if self.session is None or self.session.environment is None:
            return Line((Span("stacktui", Role.STRONG),))
        right = trust(self.session)
        room = width - 2 - (width_of(right) + 2 if right else 0)
        # What is told elsewhere too is left out first where there is no room for all.
        for spans in where(self.session, self.look.glyphs):
            if width_of(spans) <= room:
                break
        return Line(spans, right)


def where(session: Session, glyphs: Glyphs) -> Iterator[tuple[Span, ...]]:
    """What the top line says, from the whole of it to the barest; unknown things are left out."""
    environment, target = session.environment, session.target
    if environment is None or target is None:
        return
    name, host = Span(environment.name, Role.STRONG), Span(environment.arm.removeprefix("https://"))
    metadata = session.check.metadata if session.check else None
    provider = PROVIDERS[metadata.identity_provider] if metadata else ""
    profile = Span(environment.profile, Role.DIM)
    who = Span(target.identity.name if target.identity else "")
    kind = f" ({target.identity.kind.words})" if target.identity else ""
    for parts in (
        (name, host, Span(provider), profile, Span(who.text + kind)),
        (name, host, Span(provider), profile, who),
        (name, host, Span(provider), who),
        (name, host, Span(provider)),
        (name, host),
    ):
        yield _joined(parts, Span(glyphs.dot, Role.DIM))


def _joined(parts: Iterable[Span], dot: Span) -> tuple[Span, ...]:
    return tuple(span for part in parts if part.text for span in (dot, part))[1:]


def trust(session: Session) -> tuple[Span, ...]:
    """The certificates in use, as the last check used them: `certifi + ca`."""
    used = session.check.trust if session.check else None
    if used is None:
        return ()
    return (Span(" + ".join(source.setting for source in used.sources), Role.DIM),)


class HintBar(Bar):
    """The keys of the place you are in, or a notice until the next key."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._hints: tuple[tuple[str, str], ...] = ()
        self._always: tuple[tuple[str, str], ...] = ()
        self._notice: Span | None = None

    def show(self, hints: Iterable[tuple[str, str]], always: Iterable[tuple[str, str]]) -> None:
        """Keys with what they do, most useful first; `always` stands at the right edge."""
        self._hints, self._always = tuple(hints), tuple(always)
        self.redraw()

    def notice(self, text: str, role: Role = Role.ACCENT) -> None:
        """Say something in one line, until the next key."""
        self._notice = Span(text, role)
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
            Span("  " if spans else "", Role.DIM),
            Span(key, Role.KEY),
            Span(f" {does}", Role.DIM),
        ]
    return tuple(spans)
