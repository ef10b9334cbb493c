"""What is written of the differences shows the same as the whole screen would."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from stacktui.tui.screen_diff import ScreenDiff

WIDTH, HEIGHT = 24, 3
STYLES = [
    Style.null(),
    *(Style.parse(each) for each in (
        "red", "bold red on #101010", "dim #ff00aa on #101010", "on #202020", "reverse",
        "bold reverse red", "underline", "italic bright_green on blue", "bold dim", "color(99)",
    )),
]  # fmt: skip
Look = tuple[tuple[str, str], ...]
TOKEN = re.compile(r"\x1b\[([\d;]*)([A-Za-z])|([^\x1b])")


class Grid:
    """A terminal: a character and the SGR state of each cell."""

    def __init__(self) -> None:
        self.cells: dict[tuple[int, int], tuple[str, Look]] = {}
        self.x = self.y = 0
        self.codes: dict[str, str] = {}

    def write(self, text: str) -> None:
        for numbers, kind, char in TOKEN.findall(text):
            if char:
                self.cells[self.x, self.y] = (char, self.seen(char))
                self.x += 1
            elif kind == "H":
                self.y, self.x = (int(each) - 1 for each in numbers.split(";"))
            elif kind == "C":
                self.x += int(numbers)
            else:
                assert kind == "m"
                self.sgr(numbers)

    def sgr(self, numbers: str) -> None:
        codes = iter((numbers or "0").split(";"))
        for code in codes:
            number = int(code)
            if number == 0:
                self.codes = {}
            elif number in (38, 48):
                kind = next(codes)
                rest = [next(codes) for _ in range(3 if kind == "2" else 1)]
                self.codes["f" if number == 38 else "b"] = ";".join((code, kind, *rest))
            elif 30 <= number <= 37 or 90 <= number <= 97:
                self.codes["f"] = code
            elif 40 <= number <= 47 or 100 <= number <= 107:
                self.codes["b"] = code
            elif number in (39, 49):
                self.codes.pop("f" if number == 39 else "b", None)
            elif number == 22:
                self.codes.pop("1", None)
                self.codes.pop("2", None)
            elif number in (23, 24, 27):
                self.codes.pop(str(number - 20), None)
            else:
                assert number in (1, 2, 3, 4, 7), number
                self.codes[code] = code

    def seen(self, char: str) -> Look:
        """The state, without what is not seen of a space."""
        shown = dict(self.codes)
        if char == " " and not {"4", "7"} & shown.keys():
            shown = {key: value for key, value in shown.items() if key == "b"}
        return tuple(sorted(shown.items()))


def whole(frame: list[Strip]) -> str:
    """Return what writes every cell, each run with a reset before it."""
    written = []
    for y, strip in enumerate(frame):
        written.append(f"\x1b[{y + 1};1H")
        for text, style, _ in strip:
            shown = strip.render_style(style or Style.null(), text, ColorSystem.TRUECOLOR)
            written.append(f"\x1b[m{shown}")
    return "".join(written)


def strip_of(parts: list[tuple[str, Style]]) -> Strip:
    strip = Strip([Segment(text, style) for text, style in parts])
    return strip.adjust_cell_length(WIDTH)


texts = st.text(alphabet="ab ─✓日\u0301", max_size=12)
strips = st.lists(st.tuples(texts, st.sampled_from(STYLES)), min_size=1, max_size=5).map(strip_of)
frames = st.lists(st.lists(strips, min_size=HEIGHT, max_size=HEIGHT), min_size=1, max_size=4)


@given(frames)
def test_the_terminal_shows_what_a_whole_repaint_would(frames: list[list[Strip]]) -> None:
    diff, shown = ScreenDiff(), Grid()
    for number, frame in enumerate(frames):
        if number % 2 == 0:
            update: LayoutUpdate | ChopsUpdate = LayoutUpdate(
                [[strip] for strip in frame], Region(0, 0, WIDTH, HEIGHT)
            )
        else:
            update = ChopsUpdate(
                [{0: strip} for strip in frame],
                [(y, 0, WIDTH) for y in range(HEIGHT)],
                [[WIDTH]] * HEIGHT,
            )
        shown.write(diff.changes(update, ColorSystem.TRUECOLOR))
        if all(len(strip.text) == WIDTH and "日" not in strip.text and "\u0301" not in strip.text
               for each in frames[: number + 1] for strip in each):  # fmt: skip
            expected = Grid()
            expected.write(whole(frame))
            assert shown.cells == expected.cells
        again = diff.changes(update, ColorSystem.TRUECOLOR)
        assert again == "" or "日" in again or "\u0301" in again


def test_only_what_changes_is_written() -> None:
    diff = ScreenDiff()
    style = Style.parse("red on #101010")
    for text in ("0123456789 and more", "0123x56789 and more"):
        strip = strip_of([(text, style)])
        update = LayoutUpdate([[strip]] * HEIGHT, Region(0, 0, WIDTH, HEIGHT))
        written = diff.changes(update, ColorSystem.TRUECOLOR)
    assert written.count("x") == HEIGHT
    assert "0123" not in written
    assert len(written) < 40 * HEIGHT
