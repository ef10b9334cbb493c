"""What a certificate says in words, the same on the screen and on the command line."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from stacktui.certificates.chain import Certificate, describe
from stacktui.certificates.formatting import fields_of, time_left
from tests.support.authority import localhost

END = datetime(2027, 6, 1, 12, tzinfo=UTC)
CERTIFICATE = Certificate("AA", not_before=END - timedelta(days=400), not_after=END)


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (timedelta(days=-214, hours=-3), "214 days left"),
        (timedelta(days=-1, hours=-1), "1 day left"),
        (timedelta(hours=-1), "0 days left"),
        (timedelta(hours=1), "ended less than a day ago"),
        (timedelta(days=1, hours=20), "ended 1 day ago"),
        (timedelta(days=3, hours=20), "ended 3 days ago"),
        (timedelta(days=-401), "not valid yet"),
    ],
)
def test_how_long_it_has(after: timedelta, said: str) -> None:
    assert time_left(CERTIFICATE, END + after) == said


def test_every_field_is_reported() -> None:
    found = describe(localhost().der)
    told = dict(fields_of(found, datetime.now(UTC)))
    for value in (found.subject, found.issuer, found.serial, found.key, found.signature,
                  found.sha256, found.sha1, found.md5):  # fmt: skip
        assert value in told.values()
    assert told["names"] == "localhost, 127.0.0.1"
    assert told["key usage"] == "any: it names none"
    assert dict(fields_of(replace(found, key_usage=()), END))["key usage"] == "none"


def test_what_cannot_be_read_says_why() -> None:
    told = dict(fields_of(describe(b"junk"), END))
    assert list(told) == ["unreadable", "SHA-256"]
    assert told["unreadable"]
    assert time_left(describe(b"junk"), END) == ""
