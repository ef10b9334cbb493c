"""Themes, colours and glyphs."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.color import Color
from rich.style import Style

from stacktui.config.locations import packaged_themes
from stacktui.tui.glyphs import ASCII, CONSOLE, UNICODE, glyphs_for
from stacktui.tui.lines import TextStyle
from stacktui.tui.screen_style import screen_style_of
from stacktui.tui.themes import ThemeError, ThemeFile, load_themes, read_theme

NOWHERE = Path("/nonexistent")
GOOD = """
name = "mine"
dark = true
[colours]
accent = "#ff00ff"
"""


def themes() -> dict[str, ThemeFile]:
    return load_themes(packaged_themes(), NOWHERE)[0]


def test_the_product_brings_four() -> None:
    assert set(themes()) == {"dark", "light", "sixteen", "contrast"}


def contrast(style: Style, background: str) -> float:
    def luminance(colour: Color) -> float:
        parts = [part / 255 for part in colour.get_truecolor()]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    assert style.color is not None
    low, high = sorted((luminance(style.color), luminance(Color.parse(background))))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("name", "least"), [("dark", 4.5), ("light", 4.5), ("contrast", 7.0)])
def test_every_text_can_be_read(name: str, least: float) -> None:
    theme = themes()[name]
    screen_style = screen_style_of(theme.colours, UNICODE, no_colour=False)
    for style in set(TextStyle) - {TextStyle.FRAME}:
        assert contrast(screen_style.plain[style], theme.colours["background"]) >= least, style
        assert contrast(screen_style.chosen[style], theme.colours["selection"]) >= 4.5, style


def test_sixteen_uses_the_terminals_own_colours_only() -> None:
    theme = themes()["sixteen"]
    assert theme.native
    assert not any(colour.startswith("#") for colour in theme.colours.values())


def test_without_colour_there_is_none_and_the_bar_can_still_be_seen() -> None:
    screen_style = screen_style_of(themes()["dark"].colours, UNICODE, no_colour=True)
    for style in (*screen_style.plain.values(), *screen_style.chosen.values()):
        assert style.color is None
        assert style.bgcolor is None
    assert all(style.reverse for style in screen_style.chosen.values())


def test_a_users_theme_borrows_what_it_leaves_out(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD)
    found, notices = load_themes(packaged_themes(), tmp_path)
    assert not notices
    assert found["mine"].colours["accent"] == "#ff00ff"
    assert found["mine"].colours["text"] == found["dark"].colours["text"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = [", "is not valid TOML"),
        ("name = 3\n[colours]\n", "name must be a string"),
        ('name = "x"\n', "has no table [colours]"),
        ('[colours]\naccent = "pink\\u001b[31m"\n', r"\x1b"),
        ('[colours]\naccent = "#12"\n', "accent must be #rrggbb"),
        ('[colours]\nacent = "#123456"\n', "acent is no colour; known: background"),
        ("[colours]\naccent = 3\n", "accent must be #rrggbb"),
    ],
)
def test_a_broken_theme_is_one_line_that_names_the_file(
    tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "odd.toml").write_text(text)
    found, notices = load_themes(packaged_themes(), tmp_path)
    assert len(found) == 4
    assert len(notices) == 1
    assert notices[0].startswith("theme odd.toml: ")
    assert said in notices[0].replace("\\\\", "\\")
    assert notices[0].isprintable()


def test_binary_and_huge_and_unreadable_files_are_broken_themes(tmp_path: Path) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "huge.toml").write_text("#" * 70_000)
    (tmp_path / "folder.toml").mkdir()
    assert len(load_themes(packaged_themes(), tmp_path)[1]) == 3
    with pytest.raises(ThemeError):
        read_theme(tmp_path / "gone.toml")


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({"LANG": "en_GB.UTF-8", "TERM": "xterm"}, UNICODE),
        ({"LANG": "en_GB.utf8"}, UNICODE),
        ({"LC_CTYPE": "UTF-8"}, UNICODE),
        ({"LANG": "de_DE@euro"}, ASCII),
        ({"LANG": "C"}, ASCII),
        ({}, ASCII),
        ({"LC_ALL": "C", "LANG": "en_GB.UTF-8"}, ASCII),
        # Python sets this itself in the C locale.
        ({"LC_CTYPE": "C.UTF-8"}, ASCII),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "C"}, ASCII),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "C.UTF-8"}, UNICODE),
        ({"LANG": "C.UTF-8", "TERM": "linux"}, CONSOLE),
        ({"LANG": "C.UTF-8", "STACKTUI_ASCII": "1"}, ASCII),
        ({"STACKTUI_ASCII": "0"}, UNICODE),
    ],
)
def test_the_glyphs_suit_the_terminal(environ: dict[str, str], wanted: object) -> None:
    assert glyphs_for(environ) is wanted
