"""The app's glyphs and colours: the themes there are, and the one in use."""

from __future__ import annotations

import os
import re

from textual.app import App

from stacktui.config.locations import packaged_themes, user_themes
from stacktui.tui.glyphs import glyphs_for
from stacktui.tui.screen_diff import DiffApp
from stacktui.tui.screen_style import screen_style_of
from stacktui.tui.themes import DEFAULT, SIXTEEN, load_themes


class ThemedApp(DiffApp):
    """An app whose widgets draw with `screen_style`."""

    def __init__(self) -> None:
        # Without this Textual turns colours to greys, where NO_COLOR asks for none at all.
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self.animation_level = "none"

    def set_up_style(self, wanted: str | None) -> list[str]:
        """Choose glyphs and colours before the first frame, so that it is drawn only once.

        Return a line for each theme that cannot be used.
        """
        self._glyphs = glyphs_for(os.environ)
        self.themes, notices = load_themes(packaged_themes(), user_themes())
        for theme in self.themes.values():
            self.register_theme(theme.textual())
        name = wanted or DEFAULT
        if name not in self.themes:
            notices.append(f"there is no theme {name!r}: {DEFAULT} is used")
            name = DEFAULT
        few_colours = self.console.color_system in (None, "standard") or self.no_color
        self.apply_theme(SIXTEEN if few_colours and not self.themes[name].native else name)
        return notices

    def apply_theme(self, name: str) -> None:
        """Apply a theme by its name, without saving it."""
        theme = self.themes[name]
        self.theme_name = name
        self.screen_style = screen_style_of(theme.colours, self._glyphs, no_colour=self.no_color)
        if self.is_running or theme.native:
            self.theme = theme.textual().name
        else:
            # Setting `theme` would make Textual parse its stylesheet twice before the first frame.
            self.set_reactive(App.theme, theme.textual().name)
            self.stylesheet.set_variables(self.get_css_variables())

    def export_screenshot(self, *, title: str | None = None, simplify: bool = False) -> str:
        """Return the screen as SVG without web fonts: any fixed-width font will do."""
        svg = super().export_screenshot(title=title, simplify=simplify)
        return re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
