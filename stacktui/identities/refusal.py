"""What a sign-in service's answer to a token request holds: a token, or a refusal in its words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stacktui.identities.authority import host_of, may_ask
from stacktui.identities.faults import IdentityError, SignInFault, SignInProblem
from stacktui.identities.token import Token, read_token
from stacktui.text.html_page import looks_like_html, page_title
from stacktui.text.sanitize import Cleaner
from stacktui.transport.json_body import JsonError, parse_json

# Only what starts a description is the service's: further on, it may quote what we sent.
_CODE = re.compile(r"\s*((?:AADSTS|MSIS)\d{3,9})\b")
# RFC 6750 section 2.1: anything else could not be sent in a header.
_BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")
# A token with the claims of 200 groups has about 8 KiB; common servers refuse such a header whole.
MAX_TOKEN = 16 * 1024
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """One token request: whom to ask, as whom, with what, for what (scopes in turn).

    `credential` is a user's password where `username` is set, else a service principal's secret
    or certificate as MSAL takes it; a device code is asked for without any.
    """

    authority: str
    client_id: str
    scopes: tuple[str, ...]
    credential: str | Mapping[str, str] | None = field(default=None, repr=False)
    thumbprint: str = ""
    username: str = ""


def only_to(authority: str, cleaner: Cleaner) -> Callable[[str], None]:
    """A check of each URL before it is asked: raises IdentityError for another authority's."""

    def permit(url: str) -> None:
        if may_ask(authority, url):
            return
        there, here = cleaner.quote(host_of(url), 120), cleaner.line(host_of(authority), 120)
        raise IdentityError(
            SignInFault(
                SignInProblem.FOREIGN_TOKEN_ENDPOINT,
                cleaner.line(authority, 200),
                None,
                description=f"the token endpoint it names is on {there}, not on {here}",
            )
        )

    return permit


def usable_token(
    value: object, request: TokenRequest, scope: str, status: int | None, cleaner: Cleaner
) -> Token | None:
    """The token that an answer holds as `value`, if it is one.

    Raises IdentityError (UNUSABLE_TOKEN) for one that no request could carry.
    """
    if not isinstance(value, str) or not _BEARER.fullmatch(value):
        return None
    if len(value) > MAX_TOKEN:
        fault = SignInFault(
            SignInProblem.UNUSABLE_TOKEN,
            cleaner.line(request.authority, 200),
            status,
            description=f"the token has {len(value)} characters, more than a request can carry",
        )
        raise IdentityError(fault)
    return read_token(value, request.authority, scope, cleaner)


def refused(
    problem: SignInProblem,
    request: TokenRequest,
    status: int | None,
    text: str,
    cleaner: Cleaner,
    scopes: Sequence[str] = (),
) -> IdentityError:
    """What the sign-in service's answer says, whatever a client made of it.

    `status` is None where none came; `scopes` are those that were tried.
    """
    authority = cleaner.line(request.authority, 200)
    tried = tuple(cleaner.line(scope, 200) for scope in scopes)
    try:
        answer = parse_json(text.encode()) if status is not None else {}
    except JsonError as broken:
        kind = SignInProblem.SERVER_ERROR if (status or 0) >= 500 else SignInProblem.NOT_JSON
        page = text.encode()
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
    error, description = text_in(answer, "error"), text_in(answer, "error_description")
    if (status or 0) >= 500 and not error:
        problem = SignInProblem.SERVER_ERROR
    fault = SignInFault(
        problem,
        authority,
        status,
        error=cleaner.quote(error, 80),
        code=cleaner.quote(_code(answer, description), 40),
        description=cleaner.quote(description.split("Trace ID")[0].strip()),
        scopes=tried,
        correlation_id=cleaner.quote(text_in(answer, "correlation_id"), 80),
        secret_looks_like_id=_looks_like_id(request.credential),
        thumbprint=request.thumbprint,
    )
    return IdentityError(fault)


def text_in(answer: Mapping[str, Any], key: str) -> str:
    """A text of an answer, empty where there is none."""
    value = answer.get(key)
    return value if isinstance(value, str) else ""


def _looks_like_id(credential: object) -> bool:
    return isinstance(credential, str) and _GUID.fullmatch(credential.strip()) is not None


def _code(answer: Mapping[str, Any], description: str) -> str:
    """`AADSTS7000215` or `MSIS9612`: Entra's `error_codes`, else what starts the description."""
    codes = answer.get("error_codes")
    first = codes[0] if isinstance(codes, list) and codes else None
    if type(first) is int and 0 < first < 10**9:
        return f"AADSTS{first}"
    found = _CODE.match(description)
    return found[1] if found else ""
