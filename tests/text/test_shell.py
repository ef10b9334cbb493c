"""Quoting for the shells that users paste into: read back by a real bash, and by rule."""

from __future__ import annotations

import re
import subprocess
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacktui.text.shell import bash, for_az, powershell, toml, toml_table
from tests.support.draws import draws

ODD = [
    "plain", "", " ", "a b", "it's", "$(id)", "`id`", "a;b", "--help", "-n", "*", "~", "!x", "\\",
    "\\x41", "a\nb", "\x1b[2J", "a'\x1b'b", "\u202eabc", "é", "💣", "\u2028", "\x7f", "\x9b1m",
    "a\\\nb",
]  # fmt: skip
PRINTABLE = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


def echoed(word: str) -> str:
    """What a real bash takes a word for."""
    script = f"printf %s {word}."
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=True)
    return done.stdout.decode().removesuffix(".")


@pytest.mark.parametrize("value", ODD)
def test_bash_reads_back_what_was_meant(value: str) -> None:
    assert echoed(bash(value)) == value
    assert bash(value).isprintable()


@settings(max_examples=draws(60), deadline=None)
@given(PRINTABLE)
def test_bash_reads_back_anything(value: str) -> None:
    assert echoed(bash(value)) == value
    assert bash(value).isprintable()


def test_bash_gets_the_bytes_of_a_path_that_is_no_text() -> None:
    assert bash(b"a\xff".decode("utf-8", "surrogateescape")) == r"$'a\xff'"
    assert bash("\ud800").isprintable()


_LITERAL = re.compile(r"'(?:[^'‘’‚‛]|(['‘’‚‛])\1)*'")
_CHAR = r"\[char\]0x[0-9a-f]{4}"


@given(st.text() | st.sampled_from(ODD))
def test_powershell_always_gets_a_string(value: str) -> None:
    quoted = powershell(value)
    assert quoted.isprintable()
    if value.isprintable():
        assert _LITERAL.fullmatch(quoted)
    else:
        literal = _LITERAL.pattern.replace(r"(['‘’‚‛])\1", "''|‘‘|’’|‚‚|‛‛")
        assert re.fullmatch(rf"\({literal}(?:\+(?:{_CHAR}|{literal}))*\)", quoted)


def test_powershell_reads_as_documented() -> None:
    assert powershell("arm.test") == "'arm.test'"
    assert powershell("it's") == "'it''s'"
    assert powershell("a\x1bb") == "('a'+[char]0x001b+'b')"
    assert powershell("\U000e0041") == "(''+[char]0xdb40+[char]0xdc41+'')"


@given(PRINTABLE | st.sampled_from(ODD))
def test_toml_reads_back_what_was_meant(value: str) -> None:
    assert toml(value).isprintable()
    assert tomllib.loads(f"key = {toml(value)}") == {"key": value}
    assert tomllib.loads(toml_table("environments", value)) == {"environments": {value: {}}}


@pytest.mark.parametrize(
    "value",
    ["0a-b_c.d", "https://arm.east.example:8443/a", "@user@fabrikam.example", r"@C:\keys\a.pem"],
)
def test_plain_words_of_az_commands_are_for_powershell_too(value: str) -> None:
    shown = for_az(lambda quote: f"az account show -s {quote(value)}")
    assert shown == (f"az account show -s {bash(value)}", f"az account show -s '{value}'")


@pytest.mark.parametrize(
    "value",
    [
        "a&calc.exe&",
        "a|b",
        "a b",
        "%PATH%",
        "a^b",
        "a>b",
        "(a)",
        'a"b',
        "a!b",
        "a,b",
        "a\nb",
        "",
        "é",
    ],
)
def test_words_that_cmd_would_read_are_for_bash_alone(value: str) -> None:
    """On Windows az is a batch file, whose words cmd.exe reads again."""
    shown = for_az(lambda quote: f"az account show -s {quote(value)} -o {quote('json')}")
    assert shown == (f"az account show -s {bash(value)} -o json", "")
