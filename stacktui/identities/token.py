"""A token, and its claims."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from stacktui.environments.public_resources import accepted_audiences
from stacktui.text.json_fields import number, text
from stacktui.text.sanitize import Redactor, escape_control_chars
from stacktui.transport.json_body import parse_object

# The most characters of a claim's name and value, and the most claims that are kept.
_NAME, _VALUE, _CLAIMS = 60, 200, 60
# AD FS of builds before it refuses `/.default`, and takes `/openid` (PROTOCOL.md section 2).
ADFS_HOTFIX = "1.2108.2.130"


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """A token's claims, sanitised; never the token itself. Times are UTC.

    `subject` is the user name, or the application's id. The claims are not verified here; the stamp
    does that. `scope` is the one that the sign-in service accepted. `lifetime_ends` is by this
    machine's clock, as the response says (`expires_in`). `certificate_ends` is the end of the
    certificate that signed in, if one did. `claims` are the token's, in its order, each value as
    text: texts of a list with commas between them, all else as JSON.
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
    lifetime_ends: datetime | None = None
    certificate_ends: datetime | None = None
    claims: tuple[tuple[str, str], ...] = ()

    @property
    def resource(self) -> str:
        """The audience that was asked for, which is what `az` takes as `--resource`."""
        return self.scope.removesuffix("/.default").removesuffix("/openid")

    @property
    def is_of_old_adfs(self) -> bool:
        """Whether only the scope of an AD FS older than ADFS_HOTFIX worked."""
        return self.scope.endswith("/openid")

    @property
    def ends(self) -> datetime | None:
        """When it ends, as it says itself, else as came with it."""
        return self.expires or self.lifetime_ends

    def is_for(self, audience: str, arm_host: str) -> bool:
        """Return whether the token is for `audience`, which an ARM names: byte for byte.

        As far as a claim is kept. A public cloud's ARM takes each of that cloud's audiences.
        """
        kept = _VALUE - 1  # where a claim was cut, its last character tells that
        accepted = (escape_control_chars(each) for each in accepted_audiences(audience, arm_host))
        return (self.audience or "")[:kept] in {each[:kept] for each in accepted}


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token for one ARM origin, in memory only.

    `lifetime` is in seconds (`expires_in`), None where the response had none; `refresh_token` is
    what came with it for a user, if it did.
    """

    value: str = field(repr=False)
    facts: TokenFacts
    lifetime: float | None = None
    refresh_token: str = field(default="", repr=False)

    def ends(self, asked: float) -> float | None:
        """Return when it ends, in seconds since the epoch by this machine's clock, None if unknown.

        By `expires_in` from when it was `asked` for, which no clock can make wrong, else by its
        claim.
        """
        if self.lifetime is not None:
            return asked + self.lifetime
        return self.facts.expires.timestamp() if self.facts.expires else None


# The claims that name the subject, best first: Entra and AD FS users, then applications.
_SUBJECT_CLAIMS = ("upn", "preferred_username", "unique_name", "appid", "azp", "sub")


def read_token(value: str, authority: str, scope: str, redactor: Redactor) -> Token:
    """Return the token with its claims (RFC 7519 section 4); an opaque token has none."""
    claims = _claims(value)

    def shown(name: str) -> str | None:
        return redactor.sanitize(text(claims, name), _VALUE) or None

    facts = TokenFacts(
        authority=redactor.sanitize(authority, _VALUE),
        scope=redactor.sanitize(scope, _VALUE),
        audience=shown("aud"),
        issuer=shown("iss"),
        tenant=shown("tid"),
        object_id=shown("oid"),
        subject=next(filter(None, map(shown, _SUBJECT_CLAIMS)), None),
        expires=_time(claims, "exp"),
        begins=_time(claims, "nbf"),
        claims=tuple(
            (redactor.sanitize_untrusted(name, _NAME), _as_text(found, redactor))
            for name, found in islice(claims.items(), _CLAIMS)
        ),
    )
    return Token(value, facts)


def _claims(value: str) -> Mapping[str, Any]:
    parts = value.split(".")
    if len(parts) != 3:
        return {}
    try:
        return parse_object(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return {}


def _as_text(value: object, redactor: Redactor) -> str:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        value = ", ".join(value)
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return redactor.sanitize_untrusted(shown, _VALUE)


def _time(claims: Mapping[str, Any], name: str) -> datetime | None:
    seconds = number(claims, name)
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
