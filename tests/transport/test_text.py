"""Hostile text becomes one harmless line, and no secret gets through."""

from __future__ import annotations

import html
import json
import unicodedata
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from stacktui.transport.text import REDACTED, Cleaner, visible

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJ4In0.c2lnbmF0dXJl"
UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=300)


def hiding(*secrets: str) -> Cleaner:
    cleaner = Cleaner()
    for secret in secrets:
        cleaner.hide(secret)
    return cleaner


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain [markup] text", "plain [markup] text"),
        ("Zürich 東京 🙂", "Zürich 東京 🙂"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\x9b31m", r"\x9b31m"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("abc\u202etxt", r"abc\u202etxt"),
        ("\u2066\u200f\u200b\ufeff", r"\u2066\u200f\u200b\ufeff"),
        ("a\nb\r\u2028\u0085", r"a\nb\r\u2028\x85"),
        ("a\tb", "a b"),
        ("\U000e0041", r"\U000e0041"),
        ("\ud800", r"\ud800"),
        ("\0", r"\x00"),
    ],
)
def test_unsafe_characters_are_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(ANY_TEXT)
def test_nothing_visible_can_act_on_a_terminal(text: str) -> None:
    assert not {unicodedata.category(char) for char in visible(text)} & UNSAFE


@given(ANY_TEXT, st.integers(1, 60))
def test_a_line_is_harmless_and_bounded(text: str, limit: int) -> None:
    line = Cleaner().line(text, limit)
    assert len(line) <= limit
    assert not {unicodedata.category(char) for char in line} & UNSAFE


@given(st.binary(max_size=300), st.integers(1, 60))
def test_an_excerpt_of_any_bytes_is_harmless_and_bounded(body: bytes, limit: int) -> None:
    excerpt = Cleaner().excerpt(body, limit)
    assert len(excerpt) <= limit
    assert not {unicodedata.category(char) for char in excerpt} & UNSAFE


ENCODERS: list[Callable[[str], str]] = [str, quote, quote_plus, html.escape, json.dumps]
_SECRETS = st.text("aB3~.+/ &\"'<%é\n", min_size=6, max_size=12)


@given(
    _SECRETS, st.lists(st.sampled_from([" ", "\n", "x", "=", "%2b", "é"]), max_size=4), st.data()
)
def test_a_hidden_secret_never_gets_through(
    secret: str, around: list[str], data: st.DataObject
) -> None:
    assume(secret.strip() == secret and secret not in REDACTED)
    encode = data.draw(st.sampled_from(ENCODERS))
    encoded = encode(secret)
    text = "".join([*around, encoded, *reversed(around), encoded])
    line = hiding(secret).line(text, 10_000)
    for form in {secret, encoded, quote(secret, safe=""), quote_plus(secret)}:
        assert form not in line
    assert hiding(secret).line(encoded.replace("%C3%A9", "%c3%a9")) == REDACTED or '"' in encoded
    assert REDACTED in line


def test_percent_codes_may_be_of_either_case() -> None:
    assert hiding("p+/w=rd").line("x=p%2b%2fw%3drd;") == f"x={REDACTED};"
    assert hiding("p+/w=rd").line("x=p%2B%2Fw%3Drd;") == f"x={REDACTED};"


def test_a_secret_that_only_joined_lines_make_is_found() -> None:
    assert hiding("open sesame").line("open\n   sesame") == REDACTED


def test_a_longer_secret_is_found_before_its_part() -> None:
    assert hiding("hunter2", "hunter2-longer").line("hunter2-longer!") == f"{REDACTED}!"


def test_a_cut_never_shows_part_of_a_secret() -> None:
    secret = "s3cret-s3cret-s3cret-s3cret"
    for blanks in range(6350, 6420):
        assert "s3cr" not in hiding(secret).excerpt(b"x" + b" \n" * (blanks // 2) + secret.encode())
    for before in range(360, 420):
        assert "s3cr" not in hiding(secret).line("x" * before + secret)


def test_very_short_secrets_are_let_through() -> None:
    assert hiding("abc").line("abc") == "abc"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"Bearer {TOKEN} end", f"Bearer {REDACTED} end"),
        (f"x_{TOKEN}", f"x_{REDACTED}"),
        ("eyJhbGciOiJub25lIn0..", REDACTED),
        ("see eyJ and eyJabc.d", "see eyJ and eyJabc.d"),
        ("client_secret=abc&x=1", f"client_secret={REDACTED}&x=1"),
        ('{"access_token": "abc", "b": 1}', f'{{"access_token": "{REDACTED}", "b": 1}}'),
        ("PASSWORD : abc", f"PASSWORD : {REDACTED}"),
        ("my_password=abc", "my_password=abc"),
        ("the password is wrong", "the password is wrong"),
    ],
)
def test_what_looks_like_a_credential_is_redacted(text: str, shown: str) -> None:
    assert Cleaner().line(text) == shown


def test_white_space_is_joined() -> None:
    assert Cleaner().line(" a\r\n\t b ") == "a b"


def test_a_cut_is_marked() -> None:
    assert Cleaner().line("abcdef", 4) == "abc…"
    assert Cleaner().line("abcd", 4) == "abcd"


def test_an_excerpt_marks_what_is_no_text() -> None:
    assert Cleaner().excerpt(b"\xef\xbb\xbf a\xff\x00b ") == "a\ufffd\\x00b"


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "part", ["eyJ", "eyJ.", "password ", "password=", "é", "\x1b", " \n", "a-"]
)
def test_megabytes_of_hostile_text_take_no_time(part: str) -> None:
    cleaner = hiding("s3cret-s3cret")
    for _ in range(20):
        assert len(cleaner.line(part * 400_000)) <= 400
        assert len(cleaner.excerpt(part.encode() * 400_000)) <= 400
