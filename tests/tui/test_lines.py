"""Wrapping and drawing lines keep any text, and the width."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from stacktui.tui.frame import PanelContent, draw, strip
from stacktui.tui.glyphs import ASCII, CONSOLE, UNICODE, Glyphs
from stacktui.tui.lines import Line, Span, TextStyle, fit, label_value, line, width_of, wrap
from stacktui.tui.screen_style import screen_style_of

STYLES = st.sampled_from(list(TextStyle))
SPANS = st.lists(st.builds(Span, st.text(max_size=60), STYLES), max_size=6)
GLYPHS = st.sampled_from([UNICODE, CONSOLE, ASCII])


def text_of(spans: Iterable[Span]) -> str:
    return "".join(span.text for span in spans)


def test_keys_never_stand_inside_a_sentence() -> None:
    keys = (Span("y copies"),)
    text = Line((Span("one two three four five"),), keys, right_last=True)
    beside = wrap(text, 20, UNICODE)
    below = wrap(text, 15, UNICODE)
    assert [text_of(each.spans) for each in beside] == ["one two three four", "five"]
    assert [bool(each.right) for each in beside] == [False, True]
    assert [text_of(each.spans) for each in below] == ["one two three", "four five", ""]
    assert [bool(each.right) for each in below] == [False, False, True]
    assert len(wrap(text, 40, UNICODE)) == 1


@given(SPANS, st.integers(0, 40), GLYPHS)
def test_a_cut_fits(spans: list[Span], width: int, glyphs: Glyphs) -> None:
    assert width_of(fit(spans, width, glyphs)) <= max(0, width)


@given(SPANS, st.integers(8, 60), st.integers(0, 30), GLYPHS)
def test_rows_fit_and_lose_nothing_but_blanks(
    spans: list[Span], width: int, indent: int, glyphs: Glyphs
) -> None:
    rows = wrap(line(*spans, indent=indent), width, glyphs)
    assert all(width_of(row.spans) <= width for row in rows)
    whole = "".join(text_of(row.spans) for row in rows).replace(" ", "")
    wanted = "".join(text_of(row.spans) for row in wrap(line(*spans), 10_000, glyphs))
    assert whole == wanted.replace(" ", "")


@given(st.text(max_size=200), st.integers(20, 60), st.integers(1, 8), GLYPHS)
def test_a_panel_is_drawn_at_exactly_its_size(
    text: str, width: int, height: int, glyphs: Glyphs
) -> None:
    rows = wrap(label_value("label", text), width - 4, glyphs)
    content = PanelContent((Span(text),), (Span(text),), rows, (Span(text),))
    drawn = draw(content, width, height, glyphs)
    assert len(drawn) == height
    assert [width_of(row.spans) for row in drawn] == [width] * height


def test_words_are_not_split_and_values_are_aligned() -> None:
    rows = wrap(label_value("why", "the root is not trusted here", width=6), 20, UNICODE)
    assert [text_of(row.spans) for row in rows] == [
        "why   the root is",
        "      not trusted",
        "      here",
    ]


def test_a_fingerprint_is_broken_between_bytes() -> None:
    rows = wrap(label_value("SHA", "9F:2C:51:07:BA:33:1D:64:E0:11:5B:7C", width=5), 16, UNICODE)
    assert all(text_of(row.spans).rstrip().endswith((":", "7C")) for row in rows)


def test_a_wide_character_is_never_halved() -> None:
    rows = wrap(line("環境" * 12), 9, UNICODE)
    assert all(width_of(row.spans) == 8 for row in rows)


def test_control_characters_are_escaped() -> None:
    rows = wrap(line("[bold]x[/] \x1b[31mred\x1b[0m\n\u202eevil"), 80, UNICODE)
    assert [text_of(row.spans) for row in rows] == [r"[bold]x[/] \x1b[31mred\x1b[0m\n\u202eevil"]


def test_plain_ascii_is_plain_ascii() -> None:
    text = text_of(wrap(line("„déjà“ – 18 × … 環"), 80, ASCII)[0].spans)
    assert text.isascii()
    assert text.startswith('"d?j?" - 18 x ...')


def test_neighbours_of_one_style_are_one_segment() -> None:
    colours = dict.fromkeys(
        ("background", "text", "dim", "accent", "ok", "warning", "error", "frame", "selected"),
        "#ffffff",
    ) | {"selection": "#000000"}
    drawn = strip(
        line("a", "b", Span("c", TextStyle.TEXT)),
        3,
        screen_style_of(colours, UNICODE, no_colour=False),
    )
    assert len(list(drawn)) == 1
    assert cell_len(drawn.text) == 3


def test_a_cut_line_is_one_row() -> None:
    long = Line(
        (Span("store "), Span("/opt/az/lib/python3.11/cacert.pem", TextStyle.DIM)), cut=True
    )
    rows = wrap(long, 16, UNICODE)
    assert [text_of(row.spans) for row in rows] == ["store /opt/az/l…"]
    assert [text_of(row.spans) for row in wrap(long, 80, UNICODE)] == [text_of(long.spans)]


@pytest.mark.parametrize("width", range(-3, 6))
@pytest.mark.timeout(10)
def test_no_width_is_too_small_to_wrap_to(width: int) -> None:
    text = line("a-long-word 環環 and more", right=(Span("right"),), indent=14)
    rows = wrap(text, width, UNICODE)
    assert "".join(text_of(row.spans) for row in rows).replace(" ", "").endswith("andmore")
