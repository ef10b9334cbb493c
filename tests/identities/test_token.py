"""What a token tells of itself; the token itself is never shown."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from datetime import UTC, datetime
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacktui.identities.token import Token, TokenFacts, read_token
from stacktui.text.sanitize import Redactor


def encoded(claims: object) -> str:
    body = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    middle = urlsafe_b64encode(body).decode().rstrip("=")
    return f"eyJhbGciOiJub25lIn0.{middle}.c2lnbmF0dXJl"


def facts(claims: object) -> TokenFacts:
    return read_token(encoded(claims), "https://login/t", "aud/.default", Redactor()).facts


def test_every_claim_is_read() -> None:
    found = facts(
        {"aud": "a", "iss": "i", "tid": "t", "oid": "o", "appid": "p", "exp": 1_700_000_000}
    )
    assert found == TokenFacts(
        authority="https://login/t",
        scope="aud/.default",
        audience="a",
        issuer="i",
        tenant="t",
        object_id="o",
        subject="p",
        expires=datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC),
        claims=(
            ("aud", "a"),
            ("iss", "i"),
            ("tid", "t"),
            ("oid", "o"),
            ("appid", "p"),
            ("exp", "1700000000"),
        ),
    )


def test_claims_are_texts_and_all_are_harmless_and_bounded() -> None:
    hostile = {"roles": ["a", "\x1b[2J"], "wids": [1, "a"], "x\x1by": {"é": 1}, "long": "y" * 1000}
    assert facts(hostile).claims == (
        ("roles", r"a, \x1b[2J"),
        ("wids", '[1, "a"]'),
        (r"x\x1by", '{"é": 1}'),
        ("long", "y" * 199 + "…"),
    )
    assert len(facts({str(number): number for number in range(1000)}).claims) == 60


def test_no_claim_shows_a_token_or_a_secret() -> None:
    redactor = Redactor()
    redactor.add_secret("hunter2-hunter2")
    held = [encoded({"a": 1}), "hunter2-hunter2", b64encode(b"hunter2-hunter2").decode()]
    shown = read_token(encoded({"x": held, "y": held[0], "z": held[2]}), "a", "s", redactor).facts
    for secret in (*held, "eyJ"):
        assert secret not in repr(shown)


@pytest.mark.parametrize(
    ("claimed", "named", "arm_host", "fits"),
    [
        ("https://m/1", "https://m/1", "management.west.example", True),
        ("https://m/1/", "https://m/1", "management.west.example", False),
        ("https://M/1", "https://m/1", "management.west.example", False),
        ("", "https://m/1", "management.west.example", False),
        ("a\u202eb", "a\u202eb", "management.west.example", True),
        ("x" * 300, "x" * 300, "management.west.example", True),
        *(
            (f"https://management.{domain}{end}", f"https://management.{cloud}/", host, fits)
            for end in ("", "/")
            for cloud, host, domain, fits in (
                ("core.windows.net", "management.azure.com", "azure.com", True),
                ("core.windows.net", "management.azure.com", "core.windows.net", True),
                ("core.windows.net", "management.azure.com", "usgovcloudapi.net", False),
                ("core.windows.net", "management.west.example", "azure.com", False),
                ("usgovcloudapi.net", "management.usgovcloudapi.net", "azure.com", False),
                ("core.usgovcloudapi.net", "management.usgovcloudapi.net", "usgovcloudapi.net",
                 True),
            )
        ),
    ],
)  # fmt: skip
def test_whether_a_token_is_for_an_arm(claimed: str, named: str, arm_host: str, fits: bool) -> None:
    assert facts({"aud": claimed}).is_for(named, arm_host) is fits


@pytest.mark.parametrize(
    ("claims", "subject"),
    [
        ({"upn": "u", "preferred_username": "p", "appid": "a"}, "u"),
        ({"preferred_username": "p", "unique_name": "n"}, "p"),
        ({"upn": "", "unique_name": "n"}, "n"),
        ({"upn": 5, "azp": "z", "sub": "s"}, "z"),
        ({"sub": "s"}, "s"),
        ({}, None),
    ],
)
def test_the_most_telling_subject_counts(claims: object, subject: str | None) -> None:
    assert facts(claims).subject == subject


@pytest.mark.parametrize(
    "exp", ["1700000000", True, None, [], 1e300, -1e300, float("inf"), float("nan")]
)
def test_an_expiry_that_is_none_is_left_out(exp: object) -> None:
    assert facts({"exp": exp}).expires is None


@pytest.mark.parametrize(
    "value",
    [
        "",
        "opaque",
        "a.b",
        "a.b.c",
        "a..c",
        "a.!!!.c",
        "a.é.c",
        ".....",
        encoded(b"[1]"),
        encoded(b"\xff"),
        encoded(b"{"),
    ],
)
def test_an_opaque_token_just_has_no_claims(value: str) -> None:
    found = read_token(value, "authority", "scope", Redactor())
    assert found == Token(value, TokenFacts("authority", "scope"))


def test_facts_are_cleaned() -> None:
    found = read_token(
        encoded({"aud": "\x1b[31m", "upn": "a\u202eb"}),
        "https://l/\x1b",
        "s\x1b/.default",
        Redactor(),
    ).facts
    assert (found.audience, found.subject) == (r"\x1b[31m", r"a\u202eb")
    assert (found.authority, found.scope) == (r"https://l/\x1b", r"s\x1b/.default")


def test_a_token_does_not_show() -> None:
    token = read_token(encoded({"aud": "a"}), "x", "y", Redactor())
    assert token.value not in repr(token)
    assert token.value not in str(token)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
_CLAIMS = st.dictionaries(st.sampled_from(["aud", "iss", "tid", "oid", "upn", "sub", "exp"]), _JSON)


@given(
    st.text(max_size=60)
    | st.text("aA0._-=+/é", max_size=30)
    | _CLAIMS.map(encoded)
    | st.binary(max_size=40).map(encoded)
)
def test_any_string_is_a_token(value: str) -> None:
    found = read_token(value, "a", "s", Redactor())
    assert found.value == value
    for text in (found.facts.audience, found.facts.subject, found.facts.tenant):
        # Another width of space does no harm, and is no printable character to Python.
        assert all(char.isprintable() or category(char) == "Zs" for char in text or "")
