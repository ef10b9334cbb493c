"""ARM's check of the bearer token, before that of the request (PROTOCOL.md section 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from stacktui.stamp.arm.errors import CloudError, Code
from stacktui.stamp.clock import Clock
from stacktui.stamp.directory import Directory
from stacktui.stamp.hosts import Hosts
from stacktui.stamp.identity_provider import IdentityProvider
from stacktui.stamp.signin.jwt import BadSignatureError, MalformedTokenError, Signer

SKEW = 300
"""Seconds by which `nbf` and `exp` may be off."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The principal that a valid token names."""

    object_id: str
    name: str
    """User principal name or client id, which error messages show."""


@dataclass(frozen=True, slots=True)
class BearerAuth:
    """Validates bearer tokens for one audience and one tenant (RFC 6750)."""

    hosts: Hosts
    clock: Clock
    directory: Directory
    signer: Signer

    def authenticate(self, headers: Mapping[str, str]) -> Caller:
        """Return the caller; CloudError 401 with the WWW-Authenticate header that ARM sends."""
        header = headers.get("authorization")
        if header is None:
            reason = "The 'Authorization' header is missing."
            raise self._unauthorized(Code.AUTHENTICATION_FAILED, reason=reason)
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            reason = "The 'Authorization' header is provided in an invalid format."
            raise self._unauthorized(Code.AUTHENTICATION_FAILED, reason=reason)
        try:
            claims = self.signer.verify(token.strip())
        except MalformedTokenError:
            raise self._unauthorized(Code.TOKEN_INVALID, reason="") from None
        except BadSignatureError:
            reason = "Signature validation failed."
            raise self._unauthorized(Code.TOKEN_INVALID, reason=reason) from None
        self._check(claims)
        name = claims.get("upn") or claims.get("appid") or ""
        return Caller(str(claims.get("oid", "")), str(name))

    def wrong_tenant(self, given: object, expected: str) -> CloudError:
        """Return the error for a token of tenant `given` where `expected` is trusted."""
        return self._unauthorized(
            Code.TOKEN_TENANT,
            issuer=f"{self.hosts.login}{given}/",
            expected=f"{self.hosts.login}{expected}/",
            authority=self._authority(expected),
        )

    def _check(self, claims: Mapping[str, Any]) -> None:
        """Check times, audience (byte for byte) and tenant."""
        now = self.clock.epoch()
        expires, begins = claims.get("exp", 0), claims.get("nbf", 0)
        if expires + SKEW <= now:
            times = {"expiry": _us_time(expires), "now": _us_time(now)}
            raise self._unauthorized(Code.TOKEN_EXPIRED, **times)
        if begins - SKEW > now:
            reason = f"It is not valid before '{_us_time(begins)}'."
            raise self._unauthorized(Code.TOKEN_INVALID, reason=reason)
        allowed = self.directory.known_audiences
        if claims.get("aud") not in allowed:
            audience, names = claims.get("aud"), ",".join(allowed)
            raise self._unauthorized(Code.TOKEN_AUDIENCE, audience=audience, allowed=names)
        if claims.get("tid") != self.directory.tenant:
            raise self.wrong_tenant(claims.get("tid"), self.directory.tenant)

    def _authority(self, tenant: str) -> str:
        match self.hosts.idp:
            case IdentityProvider.AAD:
                return f"{self.hosts.login}{tenant}"
            case IdentityProvider.ADFS:
                return self.hosts.login

    def _unauthorized(self, code: Code, **blanks: object) -> CloudError:
        error = "invalid_token"
        description = "The authentication failed because of missing 'Authorization' header."
        if code is not Code.AUTHENTICATION_FAILED:
            description = "The access token is not valid for this service."
        authority = self._authority(self.directory.tenant)
        challenge = (
            f'Bearer authorization_uri="{authority}", error="{error}", '
            f'error_description="{description}"'
        )
        return CloudError(code, {"WWW-Authenticate": challenge}, **blanks)


def _us_time(epoch: float) -> str:
    """Return a time as ARM's messages show it: US date order, 12 hours."""
    moment = datetime.fromtimestamp(epoch, UTC)
    hour = moment.hour % 12 or 12
    day = f"{moment.month}/{moment.day}/{moment.year}"
    return f"{day} {hour}:{moment:%M:%S} {'PM' if moment.hour >= 12 else 'AM'}"
