"""The token service and the tokens that it issues."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from stacktui.stamp.clock import Clock
from stacktui.stamp.directory import Application, Directory, ManagedIdentity, User
from stacktui.stamp.hosts import Hosts
from stacktui.stamp.identity_provider import IdentityProvider
from stacktui.stamp.oauth_errors import Reason
from stacktui.stamp.options import StampOptions
from stacktui.stamp.signin.device_codes import DeviceCodes
from stacktui.stamp.signin.jwt import Signer, base64url_json

LIFETIME = {IdentityProvider.AAD: 3599, IdentityProvider.ADFS: 3600}
"""Lifetime of an access token in seconds."""

MAX_REFRESH_TOKENS = 256


@dataclass(frozen=True, slots=True)
class RefreshGrant:
    """Client and user of a refresh token."""

    client_id: str
    user: User


@dataclass(slots=True)
class TokenService:
    """State of the token service. `edit_claims` and `error` are those of the fault."""

    options: StampOptions
    hosts: Hosts
    clock: Clock
    directory: Directory
    signer: Signer
    devices: DeviceCodes
    edit_claims: Callable[[dict[str, Any]], None] | None = None
    error: Reason | None = None
    _grants: OrderedDict[str, RefreshGrant] = field(default_factory=OrderedDict)

    @property
    def idp(self) -> IdentityProvider:
        return self.options.idp

    @property
    def issuer(self) -> str:
        """`iss` of access tokens: Entra's version 1.0 form, or AD FS's trust identifier."""
        match self.idp:
            case IdentityProvider.AAD:
                return f"{self.hosts.login}{self.directory.tenant}/"
            case IdentityProvider.ADFS:
                return f"{self.hosts.login}/services/trust"

    def app_token(
        self, app: Application | ManagedIdentity, method: str, audience: str | None = None
    ) -> str:
        """Return an access token for an application; `method` is Entra's `appidacr`.

        `audience` None is the metadata's.
        """
        claims = self._common(app.client_id, app.object_id, audience)
        claims |= {"idtyp": "app", "sub": app.object_id}
        match self.idp:
            case IdentityProvider.AAD:
                claims |= {"appidacr": method, "idp": self.issuer}
            case IdentityProvider.ADFS:
                claims |= {"apptype": "Confidential"}
        return self._sign_access(claims)

    def user_token(self, client_id: str, user: User, audience: str | None = None) -> str:
        """Return an access token for a user of a public client."""
        claims = self._common(client_id, user.object_id, audience)
        claims |= {"idtyp": "user", "sub": _subject(client_id, user), "scp": "user_impersonation"}
        claims |= {"upn": user.name, "unique_name": user.name, "name": "Stamp Operator"}
        match self.idp:
            case IdentityProvider.AAD:
                claims |= {"acr": "1", "amr": ["pwd"], "appidacr": "0"}
            case IdentityProvider.ADFS:
                claims |= {"apptype": "Public"}
        return self._sign_access(claims)

    def id_token(self, client_id: str, user: User) -> str:
        """Return an ID token (OpenID Connect Core section 2)."""
        now = self.clock.epoch()
        claims = {
            "aud": client_id,
            "iat": now,
            "nbf": now,
            "exp": now + LIFETIME[self.idp],
            "sub": _subject(client_id, user),
        }
        match self.idp:
            case IdentityProvider.AAD:
                claims |= {
                    "iss": f"{self.hosts.login}{self.directory.tenant}/v2.0",
                    "name": "Stamp Operator",
                    "oid": user.object_id,
                    "preferred_username": user.name,
                    "tid": self.directory.tenant,
                    "ver": "2.0",
                }
            case IdentityProvider.ADFS:
                # az 2.66 reads `tid` from AD FS's ID token too: there is no other source.
                claims |= {
                    "iss": self.hosts.login,
                    "upn": user.name,
                    "unique_name": user.name,
                    "tid": self.directory.tenant,
                }
        return self.signer.sign(claims)

    def client_info(self, user: User) -> str:
        """Return Entra's `client_info`, from which MSAL makes the account id."""
        return base64url_json({"uid": user.object_id, "utid": self.directory.tenant})

    def refresh_token(self, client_id: str, user: User) -> str:
        """Return a new refresh token; only the last MAX_REFRESH_TOKENS are kept."""
        token = f"0.{secrets.token_urlsafe(96)}"
        self._grants[token] = RefreshGrant(client_id, user)
        if len(self._grants) > MAX_REFRESH_TOKENS:
            self._grants.popitem(last=False)
        return token

    def grant(self, refresh_token: str) -> RefreshGrant | None:
        return self._grants.get(refresh_token)

    def _common(self, client_id: str, object_id: str, audience: str | None) -> dict[str, Any]:
        now = self.clock.epoch()
        return {
            "aud": audience or self.directory.audience,
            "iss": self.issuer,
            "iat": now,
            "nbf": now,
            "exp": now + LIFETIME[self.idp],
            "appid": client_id,
            "oid": object_id,
            "tid": self.directory.tenant,
            "uti": secrets.token_urlsafe(16),
            "jti": str(uuid4()),
            "ver": "1.0",
        }

    def _sign_access(self, claims: dict[str, Any]) -> str:
        if self.edit_claims:
            self.edit_claims(claims)
        return self.signer.sign(claims)


def _subject(client_id: str, user: User) -> str:
    """Return the pairwise `sub`: it differs by client (OpenID Connect Core section 8)."""
    return f"{user.object_id[:13]}.{client_id[:8]}"
