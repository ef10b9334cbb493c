"""What widgets draw with: the glyphs of this terminal, and a Rich style for each text style."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich.color import Color, ColorType
from rich.style import Style

from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import TextStyle

COLOURS = (
    "background",
    "text",
    "dim",
    "accent",
    "ok",
    "warning",
    "error",
    "frame",
    "selection",
    "selected",
)
_BOLD = {
    TextStyle.STRONG,
    TextStyle.KEY,
    TextStyle.WARNING,
    TextStyle.ERROR,
    TextStyle.FOCUS,
    TextStyle.OPERATOR,
}
_STATES = {TextStyle.OK, TextStyle.WARNING, TextStyle.ERROR}
_COLOUR = {
    TextStyle.TEXT: "text",
    TextStyle.STRONG: "text",
    TextStyle.DIM: "dim",
    TextStyle.ACCENT: "accent",
    TextStyle.KEY: "accent",
    TextStyle.OK: "ok",
    TextStyle.WARNING: "warning",
    TextStyle.ERROR: "error",
    TextStyle.FRAME: "frame",
    TextStyle.FOCUS: "accent",
    TextStyle.OPERATOR: "warning",
}


@dataclass(frozen=True, slots=True)
class ScreenStyle:
    """The glyphs, and Rich styles: `plain`, and `chosen` for the highlighted row of a list."""

    glyphs: Glyphs
    plain: Mapping[TextStyle, Style]
    chosen: Mapping[TextStyle, Style]


def screen_style_of(colours: Mapping[str, str], glyphs: Glyphs, *, no_colour: bool) -> ScreenStyle:
    """Build the styles from a theme's colours (the keys are `COLOURS`).

    Without colour only bold, dim and reverse video are used.
    """
    if no_colour:
        plain = {each: Style(bold=each in _BOLD, dim=each is TextStyle.FRAME) for each in TextStyle}
        plain[TextStyle.OPERATOR] += Style(reverse=True)
        chosen = {each: style + Style(reverse=True) for each, style in plain.items()}
        return ScreenStyle(glyphs, plain, chosen)
    background = colours["background"]
    plain = {
        each: Style(color=colours[_COLOUR[each]], bgcolor=background, bold=each in _BOLD)
        for each in TextStyle
    }
    plain[TextStyle.OPERATOR] += Style(reverse=True)
    # In the highlighted row a state keeps its colour if that is readable there.
    bar = Style(bgcolor=colours["selection"])
    text = Style(color=colours["selected"])
    chosen = {
        each: style + bar if each in _STATES and _readable(style, bar) else style + bar + text
        for each, style in plain.items()
    }
    return ScreenStyle(glyphs, plain, chosen)


def _readable(text: Style, bar: Style) -> bool:
    """Whether the contrast of the text on the bar is at least 4.5:1 (WCAG 2.2, 1.4.3)."""
    if text.color is None or bar.bgcolor is None:
        return False
    if ColorType.TRUECOLOR not in (text.color.type, bar.bgcolor.type):
        return False  # the terminal defines these colours, so the contrast is unknown
    dark, light = sorted((_luminance(text.color), _luminance(bar.bgcolor)))
    return (light + 0.05) / (dark + 0.05) >= 4.5


def _luminance(colour: Color) -> float:
    """Return the relative luminance, 0 to 1 (WCAG 2.2)."""
    red, green, blue = (_linear(part / 255) for part in colour.get_truecolor())
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
