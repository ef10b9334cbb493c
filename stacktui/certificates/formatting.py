"""Formatting of a certificate's fields: the same on the screen and on the command line."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from stacktui.text.counts import time_span

if TYPE_CHECKING:
    from stacktui.certificates.chain import Certificate

# The label of the validity.
VALID = "valid"
# The digits of a SHA-256 that are typed to trust a root that only its host presents.
DIGITS = 8
COMPARE = f"Compare its SHA-256 with the stamp operator's, then type its last {DIGITS} digits"
# The purpose of an exported bundle.
EXPORT_NOTES = (
    "It survives upgrades and needs no root rights; nobody's bundle is changed.",
    "After further trust, export again.",
)
LOST_BY_UPGRADE = (
    "An upgrade of certifi writes this file anew: the addition is lost without notice."
)


def fields_of(certificate: Certificate, now: datetime) -> list[tuple[str, str]]:
    """Return labels and values, the most important first."""
    if certificate.unreadable:
        return [("unreadable", certificate.unreadable), ("SHA-256", certificate.sha256)]
    start, end = certificate.not_before, certificate.not_after
    between = f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC" if start and end else ""
    return [
        ("subject", certificate.subject),
        ("issuer", certificate.issuer),
        ("names", ", ".join(certificate.shown_names) or "none"),
        (VALID, f"{between}, {time_left(certificate, now)}"),
        ("serial", certificate.serial),
        ("key", certificate.key),
        ("signature", certificate.signature),
        ("key usage", _uses(certificate.key_usage)),
        ("purposes", _uses(certificate.extended_key_usage)),
        ("SHA-256", certificate.sha256),
        ("SHA-1", certificate.sha1),
        ("MD5", certificate.md5),
    ]


def last_digits(sha256: str) -> str:
    """Return the last digits of a fingerprint, in upper case: those that are typed."""
    return sha256.replace(":", "").replace(" ", "").upper()[-DIGITS:]


def time_left(certificate: Certificate, now: datetime) -> str:
    """Return `214 days left`, `5 hours left`, `ended 3 days ago` or `not valid yet`.

    Empty without dates.
    """
    start, end = certificate.not_before, certificate.not_after
    if start is None or end is None:
        return ""
    if start > now:
        return "not valid yet"
    if end >= now:
        return f"{time_span(end - now)} left"
    return f"ended {time_span(now - end)} ago"


def _uses(uses: tuple[str, ...] | None) -> str:
    return "any: it names none" if uses is None else ", ".join(uses) or "none"
