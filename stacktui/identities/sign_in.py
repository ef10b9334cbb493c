"""Signing in: from an identity and a stamp's metadata to a token (PROTOCOL.md section 2).

MSAL speaks the protocol over our transport. What it makes of a failure is discarded: the verdict
comes from the answer that the sign-in service really gave.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Union

from stacktui.environments.metadata import (
    IdentityProvider,
    Metadata,
    looks_like_html,
    page_title,
)
from stacktui.identities.authority import host_of, may_ask
from stacktui.identities.faults import IdentityError, SignInFault, SignInProblem
from stacktui.identities.model import CertificateRef, Identity
from stacktui.identities.secrets import resolve_secret
from stacktui.identities.token import Token, read_token
from stacktui.transport.json_body import JsonError, parse_json
from stacktui.transport.msal_client import MsalResponse, Replay, run_msal
from stacktui.transport.session import Session
from stacktui.transport.text import Cleaner, visible

if TYPE_CHECKING:
    from stacktui.identities.credential import ClientCertificate

# What `prepare` gives: a secret, or a checked certificate with its key.
Credential = Union[str, "ClientCertificate"]
# Only what starts a description is the service's: further on, it may quote what we sent.
_CODE = re.compile(r"\s*((?:AADSTS|MSIS)\d{3,9})\b")
# RFC 6750 section 2.1: anything else could not be sent in a header.
_BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")
# A token with the claims of 200 groups has about 8 KiB; common servers refuse such a header whole.
MAX_TOKEN = 16 * 1024
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# AD FS knows no `.default`; where it says so, the resource's `openid` scope works instead.
_ADFS_DEFAULT_SCOPE_REFUSED = "MSIS9605"


@dataclass(frozen=True, slots=True)
class _Request:
    """One token request: whom to ask, as whom, with what, for what."""

    authority: str
    client_id: str
    credential: str | Mapping[str, str] = field(repr=False)
    scopes: tuple[str, ...]
    thumbprint: str = ""


def authority_of(metadata: Metadata, identity: Identity) -> str:
    """The MSAL authority. Raises IdentityError (NO_TENANT) where Entra needs one to be named."""
    login = metadata.login_endpoint
    if metadata.identity_provider is IdentityProvider.ADFS:
        return login if login.lower().endswith("/adfs") else f"{login}/adfs"
    tenant = identity.tenant or metadata.tenant
    if not tenant:
        raise IdentityError(SignInFault(SignInProblem.NO_TENANT, visible(login), None))
    return f"{login}/{tenant}"


def scopes_of(metadata: Metadata) -> tuple[str, ...]:
    """The scopes to ask for, in turn: the audience is opaque, so nothing of it is trimmed."""
    default = f"{metadata.audience}/.default"
    if metadata.identity_provider is IdentityProvider.ADFS:
        return default, f"{metadata.audience}/openid"
    return (default,)


def prepare(identity: Identity, cleaner: Cleaner) -> Credential:
    """Read the identity's credential and import MSAL: all that can be done before metadata comes.

    Blocks on disk and on imports, so it belongs in a worker thread. Raises IdentityError.
    """
    import msal  # noqa: F401

    # What MSAL logs of a failure is told from the answer itself; its own words may quote one.
    logging.getLogger("msal").setLevel(logging.CRITICAL)
    reference = identity.credential
    if not isinstance(reference, CertificateRef):
        secret = resolve_secret(reference)
        cleaner.hide(secret)
        return secret
    from stacktui.identities.credential import load_certificate

    return load_certificate(reference, datetime.now(UTC))


async def acquire_token(
    session: Session, metadata: Metadata, identity: Identity, credential: Credential
) -> Token:
    """A token for the stamp's ARM. Raises IdentityError and what `Session.fetch` raises."""
    request = _Request(
        authority_of(metadata, identity),
        identity.client_id,
        _for_msal(credential, metadata.identity_provider),
        scopes_of(metadata),
        _thumbprint(credential, metadata.identity_provider),
    )
    cleaner = session.cleaner

    def permit(url: str) -> None:
        if not may_ask(request.authority, url):
            raise _foreign(request, url, cleaner)

    token = await run_msal(session, lambda replay: _acquire(request, replay, cleaner), permit)
    if isinstance(credential, str):
        return token
    return replace(token, facts=replace(token.facts, certificate_ends=credential.ends))


def _foreign(request: _Request, url: str, cleaner: Cleaner) -> IdentityError:
    there, here = cleaner.quote(host_of(url), 120), cleaner.line(host_of(request.authority), 120)
    fault = SignInFault(
        SignInProblem.FOREIGN_TOKEN_ENDPOINT,
        cleaner.line(request.authority, 200),
        None,
        description=f"the token endpoint it names is on {there}, not on {here}",
    )
    return IdentityError(fault)


def _for_msal(credential: Credential, provider: IdentityProvider) -> str | Mapping[str, str]:
    """The credential as MSAL takes it (`client_credential`)."""
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


def _acquire(request: _Request, client: Replay, cleaner: Cleaner) -> Token:
    import msal

    try:
        application = msal.ConfidentialClientApplication(
            request.client_id,
            client_credential=request.credential,
            authority=request.authority,
            # Else MSAL asks a public host about a private one, and a disconnected site hangs.
            instance_discovery=False,
            http_client=client,
        )
    except Exception:  # MSAL raises many kinds; none of them can be a network fault here
        raise _failed(SignInProblem.DISCOVERY, request, client.last, cleaner) from None
    result: Any = None
    tried: list[str] = []
    for scope in request.scopes:
        tried.append(scope)
        try:
            result = application.acquire_token_for_client([scope])
        except Exception:  # likewise
            raise _failed(SignInProblem.REFUSED, request, client.last, cleaner, tried) from None
        value = result.get("access_token") if isinstance(result, dict) else None
        if isinstance(value, str) and _BEARER.fullmatch(value):
            if len(value) > MAX_TOKEN:
                raise _too_long(request, client.last, cleaner, len(value))
            return read_token(value, request.authority, scope, cleaner)
        if _ADFS_DEFAULT_SCOPE_REFUSED not in str(result):
            break
    raise _failed(SignInProblem.REFUSED, request, client.last, cleaner, tried)


def _too_long(
    request: _Request, last: MsalResponse | None, cleaner: Cleaner, length: int
) -> IdentityError:
    fault = SignInFault(
        SignInProblem.UNUSABLE_TOKEN,
        cleaner.line(request.authority, 200),
        last.status_code if last else None,
        description=f"the token has {length} characters, more than a request can carry",
    )
    return IdentityError(fault)


def _failed(
    problem: SignInProblem,
    request: _Request,
    last: MsalResponse | None,
    cleaner: Cleaner,
    scopes: list[str] | None = None,
) -> IdentityError:
    """What the sign-in service's last answer says, whatever MSAL made of it."""
    status = last.status_code if last else None
    authority = cleaner.line(request.authority, 200)
    tried = tuple(cleaner.line(scope, 200) for scope in scopes or ())
    try:
        answer = parse_json(last.text.encode()) if last else {}
    except JsonError as broken:
        kind = SignInProblem.SERVER_ERROR if (status or 0) >= 500 else SignInProblem.NOT_JSON
        page = last.text.encode() if last else b""
        title = page_title(page, cleaner) if looks_like_html(page) else None
        fault = SignInFault(
            kind,
            authority,
            status,
            description=str(broken),
            scopes=tried,
            page_title=title or "",
        )
        return IdentityError(fault)
    answer = answer if isinstance(answer, dict) else {}
    error, description = _text(answer, "error"), _text(answer, "error_description")
    if (status or 0) >= 500 and not error:
        problem = SignInProblem.SERVER_ERROR
    fault = SignInFault(
        problem,
        authority,
        status,
        error=cleaner.quote(error, 80),
        code=_code(answer, description),
        description=cleaner.quote(description.split("Trace ID")[0].strip()),
        scopes=tried,
        correlation_id=cleaner.quote(_text(answer, "correlation_id"), 80),
        secret_looks_like_id=_looks_like_id(request.credential),
        thumbprint=request.thumbprint,
    )
    return IdentityError(fault)


def _looks_like_id(credential: object) -> bool:
    return isinstance(credential, str) and _GUID.fullmatch(credential.strip()) is not None


def _text(answer: Mapping[str, Any], key: str) -> str:
    value = answer.get(key)
    return value if isinstance(value, str) else ""


def _code(answer: Mapping[str, Any], description: str) -> str:
    """`AADSTS7000215` or `MSIS9612`: Entra's `error_codes`, else what starts the description."""
    codes = answer.get("error_codes")
    first = codes[0] if isinstance(codes, list) and codes else None
    if type(first) is int and 0 < first < 10**9:
        return f"AADSTS{first}"
    found = _CODE.match(description)
    return found[1] if found else ""
