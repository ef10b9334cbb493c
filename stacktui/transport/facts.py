"""What one request over the network was seen to do, as values.

Everything here is frozen, holds text that has been cleaned (see `text`), and is safe to print.
Durations are seconds, sizes are bytes, times are UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from stacktui.errors import FaultError
from stacktui.transport.limits import LimitName
from stacktui.transport.proxy import ProxyUsed


class PhaseName(StrEnum):
    """The phases of a request, in the order in which they happen."""

    DNS = "dns"
    TCP = "tcp"
    PROXY = "proxy"
    TLS = "tls"
    REQUEST = "request"
    FIRST_BYTE = "first-byte"
    BODY = "body"


@dataclass(frozen=True, slots=True)
class Phase:
    """One finished phase and how long it took; `ok` is false for the phase that failed."""

    name: PhaseName
    host: str
    seconds: float
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Attempt:
    """One TCP connection attempt. `error` is the errno's symbol, None on success."""

    address: str
    port: int
    seconds: float
    error: str | None = None


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """The outcome of a TLS handshake.

    `chain` holds the certificates as presented, leaf first, in DER. `verify_code` is OpenSSL's
    X509_V_ERR number when verification failed. `looked` says that the chain comes from a second
    handshake without verification, made only to look at it. Where the name is what was refused,
    `code_but_name` is what OpenSSL says of `chain` apart from it, 0 if it is trusted, None if
    that could not be seen: OpenSSL looks at names before signatures, so anybody's certificate
    may have a wrong one.
    """

    server_name: str
    protocol: str | None = None
    cipher: str | None = None
    chain: tuple[bytes, ...] = ()
    verify_code: int | None = None
    verify_message: str | None = None
    looked: bool = False
    code_but_name: int | None = None

    @property
    def trouble(self) -> int | None:
        """What is wrong with the chain, its name counting last; None if it verified."""
        return self.code_but_name or self.verify_code


@dataclass(frozen=True, slots=True)
class ConnectionFacts:
    """How the connection that carried a request came about.

    `pinned` is the address that the environment's `resolve` put in place of the name.
    `reused` connections repeat the facts of when they were opened.
    """

    host: str
    port: int
    proxy: ProxyUsed
    addresses: tuple[str, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    pinned: str | None = None
    tls: TlsFacts | None = None
    reused: bool = False


@dataclass(frozen=True, slots=True)
class ResponseFacts:
    """The parts of an HTTP answer that a diagnosis or a support case needs.

    `headers` holds only the ones that matter (see `session.KEPT_HEADERS`), lower-case names.
    `excerpt` is the cleaned beginning of the body, empty for a successful answer.
    `clock_skew` is the server's `Date` minus our clock, in seconds; whole seconds at best.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    size: int
    excerpt: str
    received: datetime
    clock_skew: float | None = None

    def header(self, name: str) -> str | None:
        """The first value of a kept header, by lower-case name."""
        return next((value for key, value in self.headers if key == name), None)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what became of it; `connection` and `response` are None if never reached."""

    method: str
    url: str
    connection: ConnectionFacts | None
    response: ResponseFacts | None
    phases: tuple[Phase, ...]
    fault: TransportFault | None = None


class TransportFaultKind(StrEnum):
    """Every way in which the transport itself can fail. Values are stable names."""

    DNS_NOT_FOUND = "dns-not-found"
    DNS_TIMEOUT = "dns-timeout"
    TCP_REFUSED = "tcp-refused"
    TCP_TIMEOUT = "tcp-timeout"
    TCP_UNREACHABLE = "tcp-unreachable"
    TCP_RESET = "tcp-reset"
    PROXY_UNREACHABLE = "proxy-unreachable"
    PROXY_AUTH_REQUIRED = "proxy-auth-required"
    PROXY_REFUSED = "proxy-refused"
    PROXY_PROTOCOL = "proxy-protocol"
    TLS_NOT_TLS = "tls-not-tls"
    TLS_VERIFY = "tls-verify"
    TLS_REFUSED = "tls-refused"
    TLS_RESET = "tls-reset"
    TLS_TIMEOUT = "tls-timeout"
    HTTP_PROTOCOL = "http-protocol"
    HTTP_RESET = "http-reset"
    FIRST_BYTE_TIMEOUT = "first-byte-timeout"
    BODY_TRUNCATED = "body-truncated"
    BODY_ENCODING = "body-encoding"
    TOO_LARGE = "too-large"
    INSECURE_URL = "insecure-url"
    STEP_TIMEOUT = "step-timeout"


@dataclass(frozen=True, slots=True)
class TransportFault:
    """Why a request never got a whole answer.

    `host` and `port` are those that failed (the proxy's, for a proxy that cannot be reached).
    `detail` is one cleaned line. `errno` is its symbol. `limit` is the limit that was hit, in
    seconds or bytes, and `setting` its name, if a user can set it.
    `answer` is the cleaned beginning of what a server that does not speak TLS said instead.
    `resolvers` are the name servers that were configured, for a DNS fault.
    """

    kind: TransportFaultKind
    host: str
    port: int
    detail: str
    errno: str | None = None
    verify_code: int | None = None
    limit: float | None = None
    setting: LimitName | None = None
    answer: str = ""
    resolvers: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.host}: {self.detail}"


class TransportError(FaultError[TransportFault]):
    """A request got no whole answer; its `Exchange` in the session's record has the fault too."""
