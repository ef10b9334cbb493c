"""Theme files: the packaged `themes/*.toml`, and the user's own next to the config.

A theme has a `name`, `dark` (true or false) and a table `colours` with the keys of
`screen_style.COLOURS`; a value is `#rrggbb`, one of the 16 names of the terminal's own colours, or
`default`. A user's theme may omit colours: they come from the packaged dark or light theme.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.theme import Theme

from stacktui.errors import StacktuiError, is_exhaustion
from stacktui.tui.screen_style import COLOURS

DEFAULT, LIGHT, SIXTEEN = "dark", "light", "sixteen"
_NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
TERMINAL_COLOURS = frozenset({"default", *_NAMES, *(f"bright_{name}" for name in _NAMES)})
_HEX = re.compile(r"#[0-9a-fA-F]{6}")
MAX_SIZE = 64 * 1024


@dataclass(frozen=True, slots=True)
class ThemeFile:
    """A valid theme; `colours` has every key of `COLOURS`."""

    name: str
    dark: bool
    colours: Mapping[str, str]

    @property
    def native(self) -> bool:
        """Whether it uses the terminal's own colours, so that 16 of them are enough."""
        return any(colour in TERMINAL_COLOURS for colour in self.colours.values())

    def textual(self) -> Theme:
        """Return the theme for Textual's own widgets."""
        colour = {
            key: f"ansi_{value}" if value in TERMINAL_COLOURS else value
            for key, value in self.colours.items()
        }
        return Theme(
            name=f"stacktui-{self.name}",
            dark=self.dark,
            ansi=self.native,
            primary=colour["accent"],
            foreground=colour["text"],
            background=colour["background"],
            surface=colour["background"],
            panel=colour["background"],
            success=colour["ok"],
            warning=colour["warning"],
            error=colour["error"],
            variables={
                "frame": colour["frame"],
                "dim": colour["dim"],
                "selection": colour["selection"],
                "selected": colour["selected"],
                # Textual's stylesheet needs these in a theme with `ansi=True`.
                "ansi-background": colour["background"],
                "ansi-foreground": colour["text"],
            },
        )


class ThemeError(StacktuiError):
    """A theme file cannot be used; `str()` names the file and the reason."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(f"theme {path.name}: {message}")


def load_themes(packaged: Path, user: Path) -> tuple[dict[str, ThemeFile], list[str]]:
    """Load all themes by name, and one line for each broken file of the user's.

    A user's theme replaces a packaged one of the same name. Raises ThemeError if a packaged theme
    is broken: that is a bug.
    """
    themes = {theme.name: theme for theme in map(read_theme, _files(packaged))}
    notices = []
    for path in _files(user):
        try:
            theme = read_theme(path, themes)
        except ThemeError as error:
            notices.append(str(error))
        else:
            themes[theme.name] = theme
    return themes, notices


def _files(folder: Path) -> Iterable[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == ".toml")
    except OSError:
        return ()


def read_theme(path: Path, known: Mapping[str, ThemeFile] | None = None) -> ThemeFile:
    """Read a theme file; omitted colours come from `known` themes. Raises ThemeError."""
    try:
        if path.stat().st_size > MAX_SIZE:
            raise ThemeError(path, "is too large for a theme")
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        if is_exhaustion(error):
            raise
        raise ThemeError(path, f"cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:  # of UTF-8, of TOML, of an absurdly long number
        raise ThemeError(path, f"is not valid TOML ({error})") from None
    name, dark = values.get("name", path.stem), values.get("dark", True)
    if not isinstance(name, str) or not name.strip() or not isinstance(dark, bool):
        raise ThemeError(path, "name must be a string, and dark true or false")
    base = (known or {}).get(DEFAULT if dark else LIGHT)
    return ThemeFile(name, dark, _colours(path, values.get("colours"), base))


def _colours(path: Path, table: Any, base: ThemeFile | None) -> dict[str, str]:
    if not isinstance(table, dict):
        raise ThemeError(path, "has no table [colours]")
    if unknown := [key for key in table if key not in COLOURS]:
        raise ThemeError(path, f"{unknown[0]} is no colour; known: {', '.join(COLOURS)}")
    colours = dict(base.colours) if base else {}
    for key, value in table.items():
        if not isinstance(value, str) or not (_HEX.fullmatch(value) or value in TERMINAL_COLOURS):
            raise ThemeError(path, f"{key} must be #rrggbb or a colour's name, not {value!r}")
        colours[key] = value
    if missing := [key for key in COLOURS if key not in colours]:
        raise ThemeError(path, f"has no colour for {missing[0]}")
    return colours
