"""Signing in: a token from an identity and a stamp's metadata (PROTOCOL.md section 2).

MSAL implements the protocol over our transport. Its own errors are discarded: the fault is read
from the sign-in service's response.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Union

from stacktui.environments.metadata import IdentityProvider, Metadata
from stacktui.errors import is_exhaustion
from stacktui.identities.device_code import Prompt, acquire_by_device_code
from stacktui.identities.faults import IdentityError, SignInFault, SignInProblem
from stacktui.identities.model import CertificateRef, Identity, IdentityKind
from stacktui.identities.refusal import (
    TokenRequest,
    parse_token,
    restrict_to_authority,
    sign_in_error,
)
from stacktui.identities.secrets import resolve_secret
from stacktui.identities.token import Token
from stacktui.text.sanitize import Redactor, escape_control_chars
from stacktui.transport.msal_client import NoHttpCache, ReplayHttpClient, run_msal
from stacktui.transport.session import HttpSession

if TYPE_CHECKING:
    from stacktui.identities.credential import ClientCertificate

# A secret or password ("" where none is needed), or a checked certificate with its key.
Credential = Union[str, "ClientCertificate"]
# The code of an AD FS that does not know `.default`: the resource's `openid` scope works instead.
_ADFS_DEFAULT_SCOPE_REFUSED = "MSIS9605"
# Entra's name for the directory of whoever signs in. Applications must name theirs.
_OF_THE_USER = "organizations"
_GRANT_REFUSED = ("invalid_grant", "interaction_required")
# The scopes that az adds for a user.
_OF_USERS = ("openid", "profile", "offline_access")


def authority_of(metadata: Metadata, identity: Identity) -> str:
    """Return the MSAL authority. Raises IdentityError (NO_TENANT) where Entra needs a tenant.

    A user without one signs in to the directory of the user name, as with az.
    """
    login = metadata.login_endpoint
    if metadata.identity_provider is IdentityProvider.ADFS:
        return login if login.lower().endswith("/adfs") else f"{login}/adfs"
    tenant = identity.tenant or metadata.tenant
    if not tenant and identity.kind in (IdentityKind.USER, IdentityKind.DEVICE_CODE):
        tenant = _OF_THE_USER
    if not tenant:
        raise IdentityError(SignInFault(SignInProblem.NO_TENANT, escape_control_chars(login), None))
    return f"{login}/{tenant}"


def scopes_of(metadata: Metadata) -> tuple[str, ...]:
    """Return the scopes to try in turn. The audience is opaque, so it is not trimmed."""
    default = f"{metadata.audience}/.default"
    if metadata.identity_provider is IdentityProvider.ADFS:
        return default, f"{metadata.audience}/openid"
    return (default,)


def read_secret(identity: Identity, redactor: Redactor) -> str | None:
    """Return the identity's secret, and add it to `redactor`; None where there is none.

    Blocks on disk. Raises IdentityError.
    """
    if identity.secret is None:
        return None
    secret = resolve_secret(identity.secret)
    redactor.add_secret(secret)
    return secret


def prepare(identity: Identity, secret: str | None) -> Credential:
    """Return the credential, and import MSAL: all that can be done before metadata is there.

    Blocks on disk and on imports. Raises IdentityError.
    """
    if identity.kind in (IdentityKind.MANAGED_IDENTITY, IdentityKind.AZURE_CLI):
        return ""
    import msal  # noqa: F401

    # Failures are read from the response; MSAL's log may quote it unsanitised.
    logging.getLogger("msal").setLevel(logging.CRITICAL)
    reference = identity.credential
    if not isinstance(reference, CertificateRef):
        return secret or ""
    from stacktui.identities.credential import load_certificate

    return load_certificate(reference, datetime.now(UTC), secret)


async def acquire_token(
    session: HttpSession,
    metadata: Metadata,
    identity: Identity,
    credential: Credential,
    prompt: Prompt | None,
    refresh_token: str = "",
    *,
    arm: str = "",
) -> Token:
    """Return a token for the stamp's ARM. Raises IdentityError and what `HttpSession.fetch` raises.

    `arm` is the stamp's ARM endpoint, by which az knows it.

    For a device code, `prompt` is called, and then the user is waited for; not where the
    `refresh_token` of an earlier sign-in still works. Without a `prompt` nobody is there to ask.
    """
    if identity.kind is IdentityKind.MANAGED_IDENTITY:
        from stacktui.identities.imds import acquire_from_imds

        return await acquire_from_imds(session, metadata.audience, identity)
    if identity.kind is IdentityKind.AZURE_CLI:
        from stacktui.identities.az_account import acquire_from_az

        return await acquire_from_az(session, metadata, identity, arm)
    provider, redactor = metadata.identity_provider, session.redactor
    request = TokenRequest(
        authority_of(metadata, identity),
        identity.client_id,
        scopes_of(metadata),
        _for_msal(credential, provider),
        _thumbprint(credential, provider),
        identity.username,
    )

    async def acquire(request: TokenRequest) -> Token:
        check_url = restrict_to_authority(request.authority, redactor)
        return await run_msal(
            session, lambda replay: _acquire(request, replay, redactor), check_url
        )

    if identity.kind is IdentityKind.DEVICE_CODE:
        if refresh_token:
            redactor.add_secret(refresh_token)
            try:
                token = await acquire(replace(request, refresh_token=refresh_token))
            except IdentityError as error:
                if prompt is None and not _is_grant_refused(error):
                    raise
            else:  # the old one stays valid where no other came (RFC 6749 section 6)
                return replace(token, refresh_token=token.refresh_token or refresh_token)
        return await acquire_by_device_code(session, request, prompt)
    token = await acquire(request)
    if isinstance(credential, str):
        return token
    return replace(token, facts=replace(token.facts, certificate_ends=credential.ends))


def _is_grant_refused(error: IdentityError) -> bool:
    """Return whether an earlier sign-in has ended (RFC 6749 section 5.2; Entra has two words)."""
    fault = error.fault
    return isinstance(fault, SignInFault) and fault.error in _GRANT_REFUSED


def _for_msal(credential: Credential, provider: IdentityProvider) -> str | Mapping[str, str]:
    """Return the credential as MSAL takes it (`client_credential`)."""
    if isinstance(credential, str):
        return credential
    if provider is IdentityProvider.ADFS:
        return {"private_key": credential.key_pem, "thumbprint": credential.sha1}
    # MSAL takes the SHA-256 thumbprint when it gets the certificate and no thumbprint.
    return {
        "private_key": credential.key_pem,
        "public_certificate": credential.certificate_pem,
    }


def _thumbprint(credential: Credential, provider: IdentityProvider) -> str:
    if isinstance(credential, str):
        return ""
    return credential.sha1 if provider is IdentityProvider.ADFS else credential.sha256


def _acquire(request: TokenRequest, client: ReplayHttpClient, redactor: Redactor) -> Token:
    try:
        application = client.once(lambda: _application(request, client))
    except Exception as error:  # MSAL raises many kinds; none can be a network fault here
        if is_exhaustion(error):
            raise
        raise sign_in_error(SignInProblem.DISCOVERY, request, *client.said, redactor) from None
    tried: list[str] = []
    for scope in request.scopes:
        tried.append(scope)
        try:
            result = _ask(application, request, scope)
        except Exception as error:  # likewise
            if is_exhaustion(error):
                raise
            raise sign_in_error(
                SignInProblem.REFUSED, request, *client.said, redactor, tried
            ) from None
        if token := parse_token(result, request, scope, client.said[0], redactor):
            return token
        if _ADFS_DEFAULT_SCOPE_REFUSED not in str(result):
            break
    raise sign_in_error(SignInProblem.REFUSED, request, *client.said, redactor, tried)


def _application(request: TokenRequest, client: ReplayHttpClient) -> Any:
    import msal

    settings = {
        "authority": request.authority,
        # Else MSAL would ask a public host about ours, and hang on a disconnected site.
        "instance_discovery": False,
        "http_client": client,
        "http_cache": NoHttpCache(),
    }
    if request.username or request.refresh_token:
        return msal.PublicClientApplication(request.client_id, **settings)
    return msal.ConfidentialClientApplication(
        request.client_id, client_credential=request.credential, **settings
    )


def _ask(application: Any, request: TokenRequest, scope: str) -> Any:
    """Return MSAL's result of one token request."""
    if request.refresh_token:
        return application.acquire_token_by_refresh_token(request.refresh_token, [scope])
    if not request.username:
        return application.acquire_token_for_client([scope])
    # Not the application's own method: it would first ask for the user's realm, at the login host
    # without its port, and then send the password to whichever federation host that names.
    return application.client.obtain_token_by_username_password(
        request.username, request.credential, scope=[scope, *_OF_USERS]
    )
