"""How everything is drawn: the signs of this terminal, and each role in the colours of a theme."""

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
_BOLD = {TextStyle.STRONG, TextStyle.KEY, TextStyle.WARNING, TextStyle.ERROR, TextStyle.FOCUS}
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
}


@dataclass(frozen=True, slots=True)
class ScreenStyle:
    """The signs, and Rich styles by role: `plain`, and `chosen` on the bar of a list."""

    glyphs: Glyphs
    plain: Mapping[TextStyle, Style]
    chosen: Mapping[TextStyle, Style]


def screen_style_of(colours: Mapping[str, str], glyphs: Glyphs, *, no_colour: bool) -> ScreenStyle:
    """The look of a theme's colours (the keys are `COLOURS`).

    Without colour, weight and reverse video carry what is left to carry; the words say the rest.
    """
    if no_colour:
        plain = {role: Style(bold=role in _BOLD, dim=role is TextStyle.FRAME) for role in TextStyle}
        return ScreenStyle(
            glyphs, plain, {role: style + Style(reverse=True) for role, style in plain.items()}
        )
    background = colours["background"]
    plain = {
        role: Style(color=colours[_COLOUR[role]], bgcolor=background, bold=role in _BOLD)
        for role in TextStyle
    }
    # On the bar, states keep their colour where the theme says that they can be read there.
    bar = Style(bgcolor=colours["selection"])
    text = Style(color=colours["selected"])
    chosen = {
        role: style + bar if role in _STATES and _legible(style, bar) else style + bar + text
        for role, style in plain.items()
    }
    return ScreenStyle(glyphs, plain, chosen)


def _legible(text: Style, bar: Style) -> bool:
    """Whether the text can be read on the bar: 4.5:1, WCAG 2.2 section 1.4.3."""
    if text.color is None or bar.bgcolor is None:
        return False
    if ColorType.TRUECOLOR not in (text.color.type, bar.bgcolor.type):
        return False  # the terminal's own colours: nobody knows how they look
    dark, light = sorted((_luminance(text.color), _luminance(bar.bgcolor)))
    return (light + 0.05) / (dark + 0.05) >= 4.5


def _luminance(colour: Color) -> float:
    red, green, blue = (_linear(part / 255) for part in colour.get_truecolor())
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
