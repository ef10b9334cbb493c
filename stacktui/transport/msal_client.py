"""MSAL without I/O of its own: it is run again and again over the answers that we fetched.

MSAL is synchronous and would block a thread for every request. Instead, `run_msal` calls a
function that uses MSAL with a `Replay` as its `http_client`. When MSAL asks for what is not
recorded yet, the replay stops it, the session fetches it (same proxy, trust, limits, timings and
connections as everything else), and the function runs anew with one answer more. A run costs
well under a millisecond, and a cancelled check leaves no thread behind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode

from stacktui.transport.json_body import parse_object
from stacktui.transport.session import Session

T = TypeVar("T")
# A token answer with many group claims stays far below this.
MAX_ANSWER = 1024 * 1024
# Discovery, realm, token, a second scope: more means that MSAL goes round in circles.
MAX_REQUESTS = 8
# What an answer calls the credentials in it (RFC 6749 section 5.1, OpenID Connect Core 3.1.3.3,
# RFC 8628 section 3.2).
_SECRETS = ("access_token", "refresh_token", "id_token", "device_code")


@dataclass(frozen=True, slots=True)
class MsalResponse:
    """What MSAL reads of an answer (msal.oauth2cli.http.Response)."""

    status_code: int
    text: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)

    def raise_for_status(self) -> None:
        """MSAL calls this where it can make nothing of an answer; the status is the message."""
        if self.status_code >= 400:
            raise RuntimeError(f"HTTP {self.status_code}")


@dataclass(frozen=True, slots=True)
class _Wanted(BaseException):
    """The request at which a replay ran out of answers. No `except Exception` may swallow it."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)


class NoHttpCache(dict[str, Any]):
    """MSAL's `http_cache`, which keeps errors for a minute, with nothing kept: each run must ask
    for every answer that is recorded."""

    def __setitem__(self, key: str, value: Any) -> None:
        """Keep nothing."""


class Replay:
    """An MSAL `http_client` (PROTOCOL.md section 2) that answers from a record, in order.

    `said` is status and text of the latest answer (None and nothing before the first), for whoever
    must explain what MSAL could not make sense of.
    """

    def __init__(self) -> None:
        self._recorded: list[MsalResponse] = []
        self._next = 0
        self._kept: tuple[Any, int] | None = None

    def once(self, make: Callable[[], T]) -> T:
        """What `make` makes of the first answers, kept for later runs, which go on after them.

        Making an MSAL application costs more than the rest of a run.
        """
        if self._kept is None:
            self._kept = make(), self._next
        made: T
        made, self._next = self._kept
        return made

    def restart(self) -> None:
        """Answer from the first one on again."""
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
        """Nothing is open here; the session outlives MSAL's use of it."""

    def _answer(
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None,
        data: Mapping[str, str] | str | None,
        headers: Mapping[str, str] | None,
    ) -> MsalResponse:
        if self._next < len(self._recorded):
            self._next += 1
            return self._recorded[self._next - 1]
        if params:
            url = f"{url}{'&' if '?' in url else '?'}{urlencode(params)}"
        sent = dict(headers or {})
        body: bytes | None = None
        if data is not None:
            body = (data if isinstance(data, str) else urlencode(data)).encode()
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        raise _Wanted(method, url, sent, body)


async def run_msal(
    session: Session, work: Callable[[Replay], T], permit: Callable[[str], None]
) -> T:
    """What `work` returns or raises once it has all the answers it asks its Replay for.

    `work` must start from nothing each time, but for what `Replay.once` keeps: no shared caches
    (an MSAL application takes `NoHttpCache`). `permit` is told each URL before anything is sent to
    it, and raises where nothing may be. Tokens are hidden by the session's cleaner before their
    answer is recorded. Raises what `permit` and `Session.fetch` raise, and RuntimeError when MSAL
    asks without end.
    """
    replay = Replay()
    while True:
        replay.restart()
        try:
            return work(replay)
        except _Wanted as wanted:
            request = wanted
        permit(request.url)
        if replay.recorded >= MAX_REQUESTS:
            raise RuntimeError(f"MSAL made more than {MAX_REQUESTS} requests for one token")
        answer = await session.fetch(
            request.method,
            request.url,
            headers=request.headers,
            body=request.body,
            limit=MAX_ANSWER,
            confidential=True,
            secrets_in=secrets_in,
        )
        text = answer.body.decode("utf-8-sig", "replace")
        replay.record(MsalResponse(answer.status, text, answer.headers))


def secrets_in(body: bytes) -> list[str]:
    """The credentials in an answer of a sign-in service."""
    answer = parse_object(body)
    values = (answer.get(name) for name in _SECRETS)
    return [value for value in values if isinstance(value, str)]
