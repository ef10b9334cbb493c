"""A token, and its claims."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from stacktui.text.sanitize import Redactor
from stacktui.transport.json_body import JsonError, parse_json


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """A token's claims, sanitised; never the token itself. Times are UTC.

    `subject` is the user name, or the application's id. The claims are not verified here; the stamp
    does that. `scope` is the one that the sign-in service accepted. `certificate_ends` is the end
    of the certificate that signed in, if one did.
    """

    authority: str
    scope: str
    audience: str | None = None
    issuer: str | None = None
    tenant: str | None = None
    object_id: str | None = None
    subject: str | None = None
    expires: datetime | None = None
    begins: datetime | None = None
    certificate_ends: datetime | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token for one ARM origin, in memory only."""

    value: str = field(repr=False)
    facts: TokenFacts


# The claims that name the subject, best first: Entra and AD FS users, then applications.
_SUBJECT_CLAIMS = ("upn", "preferred_username", "unique_name", "appid", "azp", "sub")


def read_token(value: str, authority: str, scope: str, redactor: Redactor) -> Token:
    """Return the token with its claims (RFC 7519 section 4); an opaque token has none."""
    claims = _claims(value)

    def text(name: str) -> str | None:
        claim = claims.get(name)
        return redactor.sanitize(claim, 200) if isinstance(claim, str) else None

    facts = TokenFacts(
        authority=redactor.sanitize(authority, 200),
        scope=redactor.sanitize(scope, 200),
        audience=text("aud"),
        issuer=text("iss"),
        tenant=text("tid"),
        object_id=text("oid"),
        subject=next((text(name) for name in _SUBJECT_CLAIMS if text(name)), None),
        expires=_time(claims.get("exp")),
        begins=_time(claims.get("nbf")),
    )
    return Token(value, facts)


def _claims(value: str) -> Mapping[str, Any]:
    parts = value.split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = parse_json(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (JsonError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _time(claim: object) -> datetime | None:
    if not isinstance(claim, int | float) or isinstance(claim, bool):
        return None
    try:
        return datetime.fromtimestamp(claim, UTC)
    except (ValueError, OverflowError, OSError):
        return None
