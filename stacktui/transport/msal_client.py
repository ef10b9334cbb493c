"""Running MSAL over our transport, by replaying the responses that we fetched.

MSAL is synchronous and would block a thread for every request. Instead, `run_msal` calls a
function that uses MSAL with a `ReplayHttpClient` as its `http_client`. Where MSAL makes a request
that has no recorded response yet, the function is aborted, the session makes the request (same
proxy, trust, limits, timings and connections as all others), and the function runs again with one
more response. A run takes well under a millisecond, and a cancelled check leaves no thread behind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlencode

from stacktui.text.json_fields import text
from stacktui.transport.json_body import parse_object
from stacktui.transport.session import HttpSession

T = TypeVar("T")
# A token response with many group claims stays far below this.
MAX_ANSWER = 1024 * 1024
# Discovery, realm, token, a second scope: more means that MSAL loops.
MAX_REQUESTS = 8
# The keys of credentials in a response (RFC 6749 section 5.1, OpenID Connect Core 3.1.3.3,
# RFC 8628 section 3.2).
_SECRETS = ("access_token", "refresh_token", "id_token", "device_code")
# What MSAL signs in the place of a secret (RFC 7521 section 4.2): good for minutes.
_ASSERTION = "client_assertion"


@dataclass(frozen=True, slots=True)
class MsalResponse:
    """A response with what MSAL reads of it (msal.oauth2cli.http.Response)."""

    status_code: int
    text: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)

    def raise_for_status(self) -> None:
        """Called by MSAL for a response that it cannot use; the status is the message."""
        if self.status_code >= 400:
            raise RuntimeError(f"HTTP {self.status_code}")


@dataclass(frozen=True, slots=True)
class _NeedResponse(BaseException):
    """The request that has no recorded response yet. No `except Exception` may swallow it."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)


class NoHttpCache(dict[str, Any]):
    """An MSAL `http_cache` that stores nothing: each run must request every recorded response.

    MSAL's default stores errors for a minute.
    """

    def __setitem__(self, key: str, value: Any) -> None:
        """Store nothing."""


class ReplayHttpClient:
    """An MSAL `http_client` (PROTOCOL.md section 2) that returns recorded responses, in order.

    `said` is status and text of the latest response (None and empty before the first), to report
    what MSAL could not use.
    """

    def __init__(self) -> None:
        self._recorded: list[MsalResponse] = []
        self._next = 0
        self._kept: tuple[Any, int] | None = None

    def once(self, make: Callable[[], T]) -> T:
        """Return what `make` returned in the first run; later runs skip the responses that it used.

        Making an MSAL application takes longer than the rest of a run.
        """
        if self._kept is None:
            self._kept = make(), self._next
        made: T
        made, self._next = self._kept
        return made

    def restart(self) -> None:
        """Start from the first response again."""
        self._next = 0

    def record(self, response: MsalResponse) -> None:
        self._recorded.append(response)

    @property
    def recorded(self) -> int:
        return len(self._recorded)

    @property
    def said(self) -> tuple[int | None, str]:
        last = self._recorded[-1] if self._recorded else None
        return (last.status_code, last.text) if last else (None, "")

    def get(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **_ignored: Any,
    ) -> MsalResponse:
        return self._answer("GET", url, params, None, headers)

    def post(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | str | None = None,
        headers: Mapping[str, str] | None = None,
        **_ignored: Any,
    ) -> MsalResponse:
        return self._answer("POST", url, params, data, headers)

    def close(self) -> None:
        """Do nothing: the session stays open."""

    def _answer(
        self,
        method: str,
        url: object,
        params: Mapping[str, str] | None,
        data: Mapping[str, str] | str | None,
        headers: Mapping[str, str] | None,
    ) -> MsalResponse:
        if self._next < len(self._recorded):
            self._next += 1
            return self._recorded[self._next - 1]
        address = text(url)  # from the authority's own document, whatever is in there
        if params:
            address += f"{'&' if '?' in address else '?'}{urlencode(params)}"
        sent = dict(headers or {})
        body: bytes | None = None
        if data is not None:
            body = (data if isinstance(data, str) else urlencode(data)).encode()
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        raise _NeedResponse(method, address, sent, body)


async def run_msal(
    session: HttpSession, work: Callable[[ReplayHttpClient], T], check_url: Callable[[str], None]
) -> T:
    """Run `work` until it has all the responses it needs; return or raise what it does.

    `work` must keep no state between runs, except by `ReplayHttpClient.once`: no shared caches (an
    MSAL application takes `NoHttpCache`). `check_url` is called with each URL before anything is
    sent to it, and raises where nothing may be. Tokens and assertions are hidden before the
    response is recorded. Raises what `check_url` and `HttpSession.fetch` raise, and RuntimeError
    where MSAL loops.
    """
    replay = ReplayHttpClient()
    while True:
        replay.restart()
        try:
            return work(replay)
        except _NeedResponse as wanted:
            request = wanted
        check_url(request.url)
        if replay.recorded >= MAX_REQUESTS:
            raise RuntimeError(f"MSAL made more than {MAX_REQUESTS} requests for one token")
        for assertion in parse_qs((request.body or b"").decode()).get(_ASSERTION, ()):
            session.redactor.add_secret(assertion)
        answer = await session.fetch(
            request.method,
            request.url,
            headers=request.headers,
            body=request.body,
            limit=MAX_ANSWER,
            confidential=True,
            secrets_in=secrets_in,
        )
        body = answer.body.decode("utf-8-sig", "replace")
        replay.record(MsalResponse(answer.status, body, answer.headers))


def secrets_in(body: bytes) -> list[str]:
    """Return the credentials in a response of a sign-in service."""
    answer = parse_object(body)
    return [value for name in _SECRETS if (value := text(answer, name))]
