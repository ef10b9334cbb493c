"""The one way to make a request: `HttpSession.fetch`.

A session belongs to one check, or to one ARM client. It reuses connections, follows no redirect,
keeps no cookie, limits every body after decompression, and records every exchange.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from stacktui import __version__
from stacktui.text.sanitize import Redactor
from stacktui.transport.challenges import without_blobs
from stacktui.transport.connections import (
    LOCAL,
    PUBLIC,
    TRACE,
    Connections,
    PhaseObserver,
    RequestTrace,
    port_of,
)
from stacktui.transport.connector import Trust
from stacktui.transport.limits import Limits
from stacktui.transport.records import (
    Exchange,
    PhaseName,
    ResponseFacts,
    TransportError,
    TransportFault,
    TransportFaultKind,
)
from stacktui.transport.request_log import is_logging, log
from stacktui.transport.sent_request import sent_request

# The headers that a diagnosis or a support case needs; no others are recorded.
KEPT_HEADERS = (
    "content-type",
    "date",
    "location",
    "retry-after",
    "server",
    "via",
    "www-authenticate",
    "x-ms-client-request-id",
    "x-ms-correlation-request-id",
    "x-ms-request-id",
)
_HEADERS = {
    # Operators search a stamp's logs for this name.
    "user-agent": f"stacktui/{__version__}",
    "accept": "application/json",
    "accept-encoding": "gzip",
}


# Returns the files that another program needs to trust a chain, from that and the verified path.
CaFiles = Callable[[tuple[bytes, ...], tuple[bytes, ...]], tuple[str, ...]]


def _none(_presented: tuple[bytes, ...], _verified: tuple[bytes, ...]) -> tuple[str, ...]:
    return ()


class _NoCookies(httpx.Cookies):
    """Stays empty. httpx parses the cookies of a response even for a jar that keeps none."""

    def extract_cookies(self, response: httpx.Response) -> None:
        """Keep nothing."""


class _Client(httpx.AsyncClient):
    """A client without cookies: it would copy what it is given as `cookies`."""

    _none = _NoCookies()

    @property  # type: ignore[misc]
    def cookies(self) -> httpx.Cookies:
        return self._none


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response. `body` is raw bytes and may hold a token: never show or log it."""

    exchange: Exchange
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class HttpSession:
    """Requests over connections that it keeps until `aclose`.

    Each is recorded until `take_exchanges`; with `on_exchange`, that is called instead. Those who
    log the requests of the process see each (`request_log`); `ca_files` is for them.
    """

    def __init__(
        self,
        trust: Trust,
        observer: PhaseObserver,
        redactor: Redactor,
        *,
        proxy: str | None = None,
        resolve: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        ca_files: CaFiles = _none,
        on_exchange: Callable[[Exchange], None] | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.redactor = redactor
        self._observer = observer
        self._ca_files = ca_files
        self._exchanges: list[Exchange] = []
        self._record = on_exchange or self._exchanges.append
        self._client = _Client(
            transport=Connections(trust, proxy, resolve or {}, self.limits, redactor),
            # Else httpx sends the user name and password of a URL in place of our token.
            auth=httpx.Auth(),
            follow_redirects=False,
            trust_env=False,
        )

    async def fetch(
        self,
        method: str,
        url: str,
        *,
        limit: int,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        confidential: bool = False,
        secrets_in: Callable[[bytes], Iterable[str]] | None = None,
        local: bool = False,
        public: bool = False,
        audience: str = "",
    ) -> Answer:
        """Make one request and return the response, whatever its status; at most `limit` bytes.

        The record holds an excerpt of the body; of a `confidential` one (a token, or a user's
        data) only where the status is an error. `secrets_in` returns the secrets in the body,
        which are hidden before anything of the response is recorded. `local` is for the metadata
        service of this machine: no proxy, and `http:`, which is refused for all others but a
        `public` document, which anybody may read. `audience` is that of the bearer token, for the
        request log.

        Raises TransportError where no whole response came, and whatever the session's `trust`
        raises. Either way the exchange is recorded (`take_exchanges`).
        """
        trace = RequestTrace(self._observer)
        started = datetime.now(UTC) if is_logging() else None
        request: httpx.Request | None = None
        response: httpx.Response | None = None
        content = b""
        fault: TransportFault | None = None
        try:
            request = self._request(method, url, headers, body, trace, local, public)
            response = await self._client.send(request, stream=True)
            try:
                with trace.timed(PhaseName.BODY, request.url.raw_host.decode("ascii")):
                    content = await _read_body(request, response, limit, self.redactor)
            finally:
                await response.aclose()
            for secret in secrets_in(content) if secrets_in else ():
                self.redactor.add_secret(secret)
        except TransportError as error:
            fault = error.fault
            if fault.kind is TransportFaultKind.INSECURE_URL:
                request = None  # refused here: it was never sent
            raise
        finally:
            sent = None
            if started is not None and request is not None:
                tls = trace.connection.tls if trace.connection else None
                seen = (tls.chain, tls.verified_chain) if tls else ((), ())
                sent = sent_request(
                    started, str(request.url), request.headers, body, self.redactor,
                    ca=self._ca_files(*seen), audience=audience, local=local,
                )  # fmt: skip
            exchange = Exchange(
                method,
                self.redactor.sanitize_untrusted(url),
                trace.connection,
                self._facts(response, content, confidential),
                tuple(trace.phases),
                fault,
                sent,
            )
            self._record(exchange)
            log(exchange)
        return Answer(exchange, response.status_code, response.headers, content)

    def forget(self, exchange: Exchange) -> None:
        """Drop an exchange from the record: a poll that brought nothing new."""
        self._exchanges[:] = [each for each in self._exchanges if each is not exchange]

    def take_exchanges(self) -> tuple[Exchange, ...]:
        """Return the exchanges since the last call, in order."""
        taken = tuple(self._exchanges)
        self._exchanges.clear()
        return taken

    async def aclose(self) -> None:
        await self._client.aclose()

    def _request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        body: bytes | None,
        trace: RequestTrace,
        local: bool,
        public: bool,
    ) -> httpx.Request:
        try:
            request = httpx.Request(
                method,
                url,
                headers={
                    **_HEADERS,
                    **{name.lower(): each for name, each in (headers or {}).items()},
                },
                content=body,
                extensions={TRACE: trace, LOCAL: local, PUBLIC: public},
            )
            port = request.url.port
            if port is not None and not 0 < port < 65536:  # httpx takes any number
                raise ValueError(f"Invalid port: {port}")
            return request
        except (httpx.InvalidURL, ValueError) as error:
            detail = self.redactor.sanitize(f"not a usable URL: {url} ({error})")
            fault = TransportFault(TransportFaultKind.INSECURE_URL, "", 0, detail)
            raise TransportError(fault) from None

    def _facts(
        self, response: httpx.Response | None, content: bytes, confidential: bool
    ) -> ResponseFacts | None:
        if response is None:
            return None
        received = datetime.now(UTC)
        kept = tuple(
            (name, self.redactor.sanitize_untrusted(value))
            for name in KEPT_HEADERS
            if (value := _kept_of(name, response.headers.get(name)))
        )
        quoted = response.is_error or not confidential
        excerpt = self.redactor.snippet(content, self.limits.excerpt) if quoted else ""
        skew = _clock_skew(response.headers.get("date"), received)
        return ResponseFacts(response.status_code, kept, len(content), excerpt, received, skew)


def _kept_of(name: str, value: str | None) -> str | None:
    """Return what may be recorded of a header's value; nothing where there is nothing."""
    return without_blobs(value) if value and name == "www-authenticate" else value


def _clock_skew(date: str | None, received: datetime) -> float | None:
    """Return the server's `Date` (RFC 9110 section 6.6.1) minus our clock, in whole seconds."""
    if not date:
        return None
    try:
        theirs = parsedate_to_datetime(date)
        if theirs.tzinfo is None:
            theirs = theirs.replace(tzinfo=UTC)
        return round((theirs - received).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return None


async def _read_body(
    request: httpx.Request, response: httpx.Response, limit: int, redactor: Redactor
) -> bytes:
    """Return the decompressed body; stop unpacking a gzip bomb after `limit` bytes."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", ""):
        detail = f"encoded as '{redactor.sanitize_untrusted(encoding, 40)}'"
        raise _body_error(request, TransportFaultKind.BODY_ENCODING, detail)
    gunzip = _Gunzip() if encoding == "gzip" else None
    parts = bytearray()
    async for raw in response.aiter_raw():
        try:
            parts += gunzip.feed(raw, limit + 1 - len(parts)) if gunzip else raw
        except zlib.error as error:
            detail = f"broken gzip: {error}"
            raise _body_error(request, TransportFaultKind.BODY_ENCODING, detail) from None
        if len(parts) > limit:
            detail = f"larger than {limit} bytes"
            raise _body_error(request, TransportFaultKind.TOO_LARGE, detail, limit)
    if gunzip is not None and not gunzip.whole:
        raise _body_error(request, TransportFaultKind.BODY_TRUNCATED, "gzip ends too early")
    return bytes(parts)


class _Gunzip:
    """Incremental gunzip (RFC 1952) of one member or several, with their checksums verified."""

    def __init__(self) -> None:
        self._member: Any = None

    @property
    def whole(self) -> bool:
        """Whether the data so far ends with a member, or is empty."""
        return self._member is None

    def feed(self, raw: bytes, limit: int) -> bytes:
        """Return what `raw` unpacks to, at most `limit` bytes of it. Raises zlib.error."""
        parts = bytearray()
        while raw and len(parts) < limit:
            self._member = self._member or zlib.decompressobj(16 + zlib.MAX_WBITS)
            parts += self._member.decompress(raw, limit - len(parts))
            if not self._member.eof:
                break  # all of `raw` is consumed, or the limit is reached
            raw, self._member = self._member.unused_data, None
        return bytes(parts)


def _body_error(
    request: httpx.Request, kind: TransportFaultKind, detail: str, limit: float | None = None
) -> TransportError:
    url = request.url
    host = url.raw_host.decode("ascii")
    return TransportError(TransportFault(kind, host, port_of(url), detail, limit=limit))
