"""Parsing a sign-in service's response to a token request: a token, or an error."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from stacktui.identities.authority import host_of, may_ask
from stacktui.identities.faults import IdentityError, SignInFault, SignInProblem
from stacktui.identities.token import Token, read_token
from stacktui.text.html_page import looks_like_html, page_title
from stacktui.text.json_fields import items, number, text
from stacktui.text.sanitize import Redactor
from stacktui.transport.json_body import JsonError, is_valid_utf8, parse_json

# Only at the start of a description: further on, it may quote what we sent.
_CODE = re.compile(r"\s*((?:AADSTS|MSIS)\d{3,9})\b")
# RFC 6750 section 2.1: nothing else can be sent in a header.
_BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")
# A token with 200 group claims has about 8 KiB; common servers refuse larger headers.
MAX_TOKEN = 16 * 1024
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """One token request; the scopes are tried in turn.

    `credential` is a user's password where `username` is set, else a service principal's secret or
    certificate as MSAL takes it; None for a device code. `refresh_token` takes the place of them
    all.
    """

    authority: str
    client_id: str
    scopes: tuple[str, ...]
    credential: str | Mapping[str, str] | None = field(default=None, repr=False)
    thumbprint: str = ""
    username: str = ""
    refresh_token: str = field(default="", repr=False)


def restrict_to_authority(authority: str, redactor: Redactor) -> Callable[[str], None]:
    """Return a function that raises IdentityError for a URL that `may_ask` forbids."""

    def check_url(url: str) -> None:
        if may_ask(authority, url):
            return
        there, here = (
            redactor.sanitize_untrusted(host_of(url), 120),
            redactor.sanitize(host_of(authority), 120),
        )
        raise IdentityError(
            SignInFault(
                SignInProblem.FOREIGN_TOKEN_ENDPOINT,
                redactor.sanitize(authority, 200),
                None,
                description=f"the token endpoint it names is on {there}, not on {here}"
                if "@" not in urlsplit(url).netloc
                else "the token endpoint it names holds a user name or password",
            )
        )

    return check_url


def parse_token(
    answer: object, request: TokenRequest, scope: str, status: int | None, redactor: Redactor
) -> Token | None:
    """Return the token of a response with its claims; None where it has none.

    Raises IdentityError (UNUSABLE_TOKEN) for one that is too large to be sent.
    """
    value = text(answer, "access_token")
    if not _BEARER.fullmatch(value):
        return None
    if len(value) > MAX_TOKEN:
        fault = SignInFault(
            SignInProblem.UNUSABLE_TOKEN,
            redactor.sanitize(request.authority, 200),
            status,
            description=f"the token has {len(value)} characters, more than a request can carry",
        )
        raise IdentityError(fault)
    token = read_token(value, request.authority, scope, redactor)
    lifetime = number(answer, "expires_in", quoted=True)
    return replace(
        token,
        facts=replace(token.facts, lifetime_ends=_after(lifetime)),
        lifetime=lifetime,
        refresh_token=_sendable(text(answer, "refresh_token")),
    )


def _after(seconds: float | None) -> datetime | None:
    try:
        return None if seconds is None else datetime.now(UTC) + timedelta(seconds=seconds)
    except OverflowError:
        return None


def _sendable(refresh_token: str) -> str:
    return refresh_token if is_valid_utf8(refresh_token) else ""


def sign_in_error(
    problem: SignInProblem,
    request: TokenRequest,
    status: int | None,
    body: str,
    redactor: Redactor,
    scopes: Sequence[str] = (),
) -> IdentityError:
    """Return the error of a response without a token, as the sign-in service reports it.

    `status` is None where no response came; `scopes` are those that were tried.
    """
    authority = redactor.sanitize(request.authority, 200)
    tried = tuple(redactor.sanitize(scope, 200) for scope in scopes)
    try:
        answer = parse_json(body.encode()) if status is not None else {}
    except JsonError as broken:
        kind = SignInProblem.SERVER_ERROR if (status or 0) >= 500 else SignInProblem.NOT_JSON
        page = body.encode()
        title = page_title(page, redactor) if looks_like_html(page) else None
        fault = SignInFault(
            kind,
            authority,
            status,
            description=str(broken),
            scopes=tried,
            page_title=title or "",
        )
        return IdentityError(fault)
    error, description = text(answer, "error"), text(answer, "error_description")
    if (status or 0) >= 500 and not error:
        problem = SignInProblem.SERVER_ERROR
    fault = SignInFault(
        problem,
        authority,
        status,
        error=redactor.sanitize_untrusted(error, 80),
        code=redactor.sanitize_untrusted(_code(answer, description), 40),
        description=redactor.sanitize_untrusted(description.split("Trace ID")[0].strip()),
        scopes=tried,
        correlation_id=redactor.sanitize_untrusted(text(answer, "correlation_id"), 80),
        secret_looks_like_id=_looks_like_id(request.credential),
        thumbprint=request.thumbprint,
    )
    return IdentityError(fault)


def _looks_like_id(credential: object) -> bool:
    return isinstance(credential, str) and _GUID.fullmatch(credential.strip()) is not None


def _code(answer: object, description: str) -> str:
    """Return `AADSTSn` or `MSISn`: of Entra's `error_codes`, else the start of the description."""
    first = next(iter(items(answer, "error_codes")), None)
    if type(first) is int and 0 < first < 10**9:
        return f"AADSTS{first}"
    found = _CODE.match(description)
    return found[1] if found else ""
