"""Signing in by device code (RFC 8628): the user types a code elsewhere while we poll."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from stacktui.errors import is_exhaustion
from stacktui.identities.faults import IdentityError, SignInFault, SignInProblem
from stacktui.identities.refusal import (
    TokenRequest,
    parse_token,
    restrict_to_authority,
    sign_in_error,
)
from stacktui.identities.token import Token
from stacktui.text.json_fields import number, text
from stacktui.text.sanitize import Redactor
from stacktui.transport.json_body import is_valid_utf8, parse_object
from stacktui.transport.msal_client import MAX_ANSWER, ReplayHttpClient, run_msal, secrets_in
from stacktui.transport.records import TransportError
from stacktui.transport.session import Answer, HttpSession

# Called with the page to open, the code to type there, and its lifetime in seconds.
Prompt = Callable[[str, str, float], None]
_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
# RFC 8628 section 3.5: the errors that mean "poll again", and what slow_down adds to the interval.
_PENDING, _SLOW_DOWN, _SLOWER = "authorization_pending", "slow_down", 5.0
# The error where nobody is there to ask, as OpenID Connect Core section 3.1.2.6 names it.
_NEEDS_PERSON = "interaction_required"
# Characters of a page that are kept: a longer address is none that a person can use.
_LONGEST_PAGE = 2000
# Seconds between two polls: the default (RFC 8628 section 3.2), the least and the most.
_INTERVAL, _SHORTEST_INTERVAL, _LONGEST_INTERVAL = 5.0, 1.0, 60.0


@dataclass(frozen=True, slots=True)
class _Code:
    """A device code that waits for the user. Times are in seconds."""

    device_code: str = field(repr=False)
    user_code: str
    page: str
    lifetime: float
    interval: float
    token_endpoint: str


async def acquire_by_device_code(
    session: HttpSession, request: TokenRequest, prompt: Prompt | None
) -> Token:
    """Return a token, once the user has signed in with the code that `prompt` is called with.

    Waits for the lifetime of the code, at most `Limits.device_code` seconds. Raises IdentityError,
    without a `prompt` at once, and what `HttpSession.fetch` raises.
    """
    redactor, longest = session.redactor, session.limits.device_code
    if prompt is None:
        raise _no_sign_in(
            request, redactor, _NEEDS_PERSON, "a device code needs a person to sign in"
        )
    check_url = restrict_to_authority(request.authority, redactor)
    code = await run_msal(
        session, lambda replay: _begin(request, replay, longest, redactor), check_url
    )
    check_url(code.token_endpoint)
    prompt(code.page, code.user_code, code.lifetime)
    return await _wait(session, request, code)


def needs_person(error: IdentityError) -> bool:
    """Return whether no more was tried, as nobody is there to ask."""
    fault = error.fault
    return isinstance(fault, SignInFault) and (fault.status, fault.error) == (None, _NEEDS_PERSON)


def _begin(
    request: TokenRequest, client: ReplayHttpClient, longest: float, redactor: Redactor
) -> _Code:
    import msal

    scope = request.scopes[0]
    try:
        application = msal.PublicClientApplication(
            request.client_id,
            authority=request.authority,
            instance_discovery=False,
            http_client=client,
        )
    except Exception as error:  # MSAL raises many kinds; none can be a network fault here
        if is_exhaustion(error):
            raise
        raise sign_in_error(SignInProblem.DISCOVERY, request, *client.said, redactor) from None
    try:
        application.initiate_device_flow([scope])
    except Exception as error:  # likewise; a good response is parsed below, not by MSAL
        if is_exhaustion(error):
            raise
        raise sign_in_error(
            SignInProblem.REFUSED, request, *client.said, redactor, [scope]
        ) from None
    endpoint = text(application.authority.token_endpoint)
    code = _read(client.said[1], endpoint, longest, redactor)
    if code is None:
        raise sign_in_error(SignInProblem.REFUSED, request, *client.said, redactor, [scope])
    return code


def _read(body: str, endpoint: str, longest: float, redactor: Redactor) -> _Code | None:
    """Return the code in a response (RFC 8628 section 3.2), None where there is none."""
    answer = parse_object(body.encode())
    device_code, user_code = text(answer, "device_code"), text(answer, "user_code")
    page = text(answer, "verification_uri") or text(answer, "verification_url")
    if not (device_code and user_code and page and endpoint):
        return None
    if not is_valid_utf8(device_code):  # it cannot be sent back
        return None
    interval = _seconds(answer, "interval", _INTERVAL)
    return _Code(
        device_code,
        redactor.sanitize(user_code, 40),
        redactor.sanitize(page, _LONGEST_PAGE),
        min(_seconds(answer, "expires_in", longest), longest),
        min(max(interval, _SHORTEST_INTERVAL), _LONGEST_INTERVAL),
        endpoint,
    )


async def _wait(session: HttpSession, request: TokenRequest, code: _Code) -> Token:
    loop, interval, failed = asyncio.get_running_loop(), code.interval, False
    ends = loop.time() + code.lifetime
    while (left := ends - loop.time()) > 0:
        await asyncio.sleep(min(interval, left))
        try:
            answer = await _ask(session, request, code)
        except TransportError:
            if failed:
                raise
            # One network error does not end the sign-in (RFC 8628 section 3.5): the server may
            # just have closed an idle connection.
            failed = True
            continue
        failed = False
        said = parse_object(answer.body)
        error = text(said, "error")
        if error in (_PENDING, _SLOW_DOWN):
            interval += _SLOWER if error == _SLOW_DOWN else 0.0
            # Minutes of the same response are no evidence.
            session.forget(answer.exchange)
            continue
        scope, redactor = request.scopes[0], session.redactor
        token = parse_token(said, request, scope, answer.status, redactor)
        if token is not None:
            return token
        body = answer.body.decode("utf-8-sig", "replace")
        raise sign_in_error(
            SignInProblem.REFUSED, request, answer.status, body, redactor, request.scopes[:1]
        )
    why = f"nobody signed in with the code in {code.lifetime:g} s"
    raise _no_sign_in(request, session.redactor, "expired_token", why)


def _no_sign_in(request: TokenRequest, redactor: Redactor, error: str, why: str) -> IdentityError:
    host = redactor.sanitize(request.authority, 200)
    return IdentityError(
        SignInFault(SignInProblem.REFUSED, host, None, error=error, description=why)
    )


async def _ask(session: HttpSession, request: TokenRequest, code: _Code) -> Answer:
    form = {
        "grant_type": _GRANT,
        "client_id": request.client_id,
        "device_code": code.device_code,
        # Some services read it under this name; az sends both.
        "code": code.device_code,
    }
    return await session.fetch(
        "POST",
        code.token_endpoint,
        headers=_FORM,
        body=urlencode(form).encode(),
        limit=MAX_ANSWER,
        confidential=True,
        secrets_in=secrets_in,
    )


def _seconds(answer: Mapping[str, Any], key: str, otherwise: float) -> float:
    seconds = number(answer, key, quoted=True)
    return otherwise if seconds is None or seconds < 0 else seconds
