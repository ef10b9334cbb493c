"""A managed identity's token, from the instance metadata service (PROTOCOL.md section 5).

MSAL is not used: it would also probe for App Service, Arc and others, and sleep in a thread between
its tries.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping
from time import perf_counter
from typing import Any
from urllib.parse import urlencode, urlsplit

from stacktui.identities.faults import IdentityError, ImdsFault, ImdsProblem, SignInProblem
from stacktui.identities.model import Identity
from stacktui.identities.refusal import TokenRequest, parse_token, sign_in_error
from stacktui.identities.token import Token
from stacktui.text.html_page import looks_like_html, page_title
from stacktui.text.json_fields import items, text
from stacktui.transport.json_body import parse_object
from stacktui.transport.limits import LimitName
from stacktui.transport.msal_client import MAX_ANSWER, secrets_in
from stacktui.transport.records import TransportError, TransportFault, TransportFaultKind
from stacktui.transport.session import Answer, HttpSession

ENDPOINT = "http://169.254.169.254"
# Overrides the endpoint, as in MSAL.
VARIABLE = "AZURE_POD_IDENTITY_AUTHORITY_HOST"
_PATH = "/metadata/identity/oauth2/token"
_VERSION = "2018-02-01"
# Seconds before each further try, while the service is unavailable.
_DELAYS = (0.8, 1.6, 3.2, 6.4)
_LATER = frozenset({404, 410, 429})
# Fractions of the step's limit: for all tries, and after which no further one begins.
_WHOLE, _LAST_TRY = 0.95, 0.7
_PROXY_HEADER_REFUSED = "request was forwarded"
# What it says of an identity that is not there, or not on this machine, and of several.
_NO_IDENTITY = re.compile(r"identity not found|identity has(?:n.t| not) been assigned")
_SEVERAL = re.compile(r"multiple (?:user.assigned )?(?:managed )?identities")
# The key in which an older service lists its api-versions, and what it may say without.
_VERSIONS, _OLD_VERSION = (
    "newest-versions",
    re.compile(r"newest.versions|api.version is (?:not|inv)"),
)
_VERSION_FORM = re.compile(r"20\d\d-\d\d-\d\d")
_MAX_VERSIONS = 8


async def acquire_from_imds(session: HttpSession, audience: str, identity: Identity) -> Token:
    """Return a token for `audience`, which is sent byte for byte. Raises IdentityError."""
    named = os.environ.get(VARIABLE, "").strip()
    imds = _Imds(session, named.strip("/") if named else ENDPOINT, bool(named))
    try:
        async with asyncio.timeout(session.limits.step * _WHOLE):
            return await imds.token(audience, identity)
    except TimeoutError:
        raise imds.unreachable(_out_of_time(imds.endpoint, session.limits.step)) from None


def token_url(endpoint: str, audience: str, identity: Identity) -> str:
    """Return the URL that gives a token for `audience`, byte for byte, at an endpoint."""
    named = (
        ("client_id", identity.client_id),
        ("object_id", identity.object_id),
        ("mi_res_id", identity.resource_id),
    )  # none for the machine's own
    which = {key: value for key, value in named if value}
    query = {"api-version": _VERSION, "resource": audience, **which}
    return f"{endpoint}{_PATH}?{urlencode(query)}"


class _Imds:
    """The requests for one token; counts them, and their time."""

    def __init__(self, session: HttpSession, endpoint: str, by_variable: bool) -> None:
        self.endpoint = endpoint
        self._session = session
        self._by_variable = by_variable
        self._started = perf_counter()
        self._tries = 0

    async def token(self, audience: str, identity: Identity) -> Token:
        answer = await self._answer(token_url(self.endpoint, audience, identity))
        redactor, status = self._session.redactor, answer.status
        said = parse_object(answer.body)
        request = TokenRequest(self.endpoint, identity.client_id, (audience,))
        token = parse_token(said, request, audience, status, redactor) if status == 200 else None
        if token is not None:
            return token
        if (problem := _problem(answer)) is not None:
            raise self._fault(problem, answer)
        body = answer.body.decode("utf-8-sig", "replace")
        raise sign_in_error(SignInProblem.REFUSED, request, status, body, redactor, (audience,))

    async def _answer(self, url: str) -> Answer:
        """Return the first response that is not "try later", or the last one."""
        for delay in (*_DELAYS, None):
            self._tries += 1
            try:
                answer = await self._session.fetch(
                    "GET",
                    url,
                    headers={"Metadata": "true"},
                    limit=MAX_ANSWER,
                    confidential=True,
                    secrets_in=secrets_in,
                    local=True,
                )
            except TransportError as error:
                raise self.unreachable(error.fault) from None
            ends = self._session.limits.step * _LAST_TRY
            if not _may_pass(answer) or delay is None or self._spent + delay > ends:
                break
            await asyncio.sleep(delay)
        return answer

    @property
    def _spent(self) -> float:
        return perf_counter() - self._started

    def unreachable(self, cause: TransportFault) -> IdentityError:
        return IdentityError(
            ImdsFault(
                ImdsProblem.UNREACHABLE,
                self._session.redactor.sanitize(self.endpoint, 200),
                self._by_variable,
                tries=self._tries,
                seconds=self._spent,
                cause=cause,
            )
        )

    def _fault(self, problem: ImdsProblem, answer: Answer) -> IdentityError:
        redactor, said = self._session.redactor, parse_object(answer.body)
        title = page_title(answer.body, redactor) if looks_like_html(answer.body) else None
        return IdentityError(
            ImdsFault(
                problem,
                redactor.sanitize(self.endpoint, 200),
                self._by_variable,
                answer.status,
                redactor.sanitize_untrusted(text(said, "error"), 80),
                redactor.sanitize_untrusted(text(said, "error_description")),
                title or "",
                self._tries,
                self._spent,
                versions=_versions(answer),
            )
        )


def _problem(answer: Answer) -> ImdsProblem | None:
    """Return what a response without a token means; None for a refusal by the directory."""
    said = parse_object(answer.body)
    description = text(said, "error_description").lower()
    if _may_pass(answer):
        return ImdsProblem.UNAVAILABLE
    if answer.status == 400 and _is_older(said, description):
        return ImdsProblem.OLD_VERSION
    if not text(said, "error"):
        return ImdsProblem.SOMETHING_ELSE
    if _SEVERAL.search(description):
        return ImdsProblem.SEVERAL_IDENTITIES
    if _NO_IDENTITY.search(description):
        return ImdsProblem.NO_IDENTITY
    return ImdsProblem.FORWARDED if _PROXY_HEADER_REFUSED in description else None


def _is_older(said: Mapping[str, Any], description: str) -> bool:
    """Return whether the service does not know the api-version, and names those that it knows."""
    words = f"{text(said, 'error')} {description}".lower()
    return bool(items(said, _VERSIONS)) or bool(_OLD_VERSION.search(words))


def _versions(answer: Answer) -> tuple[str, ...]:
    """Return the api-versions that an older service names."""
    said = parse_object(answer.body)
    named = [*items(said, _VERSIONS), text(said, "error_description")]
    found = (each for name in named for each in _VERSION_FORM.findall(str(name)))
    return tuple(dict.fromkeys(found))[:_MAX_VERSIONS]


def _may_pass(answer: Answer) -> bool:
    """Return whether the service is unavailable; an HTML page is not the service's."""
    later = answer.status in _LATER or answer.status >= 500
    return later and not looks_like_html(answer.body)


def _out_of_time(endpoint: str, limit: float) -> TransportFault:
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname or "", parts.port or 80
    except ValueError:
        host, port = "", 80
    detail = f"no whole answer within {limit:g} s"
    return TransportFault(
        TransportFaultKind.STEP_TIMEOUT, host, port, detail, limit=limit, setting=LimitName.STEP
    )
