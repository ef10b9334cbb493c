"""The record of one request over the network, as values.

Everything here is frozen, holds sanitised text (`text.sanitize`), and is safe to print. Durations
are seconds, sizes are bytes, times are UTC.
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
    """One finished phase; `ok` is false for the phase that failed."""

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

    `chain` holds the certificates as presented, leaf first, in DER. `verified_chain` is the path
    that OpenSSL verified, from the leaf to a trusted root; empty where verification failed or was
    not tried. `verify_code` is OpenSSL's X509_V_ERR number where verification failed.
    `unverified_probe` says that the chain comes from a second handshake without verification, made
    only to see it. Where the host name did not match, `verify_code_ignoring_name` is the verify
    code of `chain` without that check: 0 if the chain is trusted, None if that is unknown. OpenSSL
    checks names before signatures, so a mismatch alone does not say who issued the certificate.
    """

    server_name: str
    protocol: str | None = None
    cipher: str | None = None
    chain: tuple[bytes, ...] = ()
    verify_code: int | None = None
    verify_message: str | None = None
    unverified_probe: bool = False
    verify_code_ignoring_name: int | None = None
    verified_chain: tuple[bytes, ...] = ()

    @property
    def effective_verify_code(self) -> int | None:
        """What is wrong with the chain, before what is wrong with its name; None if it verified."""
        return self.verify_code_ignoring_name or self.verify_code


@dataclass(frozen=True, slots=True)
class ConnectionFacts:
    """How the connection that carried a request was opened.

    `pinned` is the address that the environment's `resolve` gives for the name. A `reused`
    connection repeats the facts of its opening.
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
    """The parts of an HTTP response that a diagnosis or a support case needs.

    `headers` holds those of `session.KEPT_HEADERS`, with lower-case names. `excerpt` is the
    sanitised beginning of the body, empty where the response is confidential and no error.
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
class SentRequest:
    """What repeats a request, without its secrets.

    `url` is whole; only what follows `operationresults/` is cut. `ca` are the files by which curl
    trusts the host as we did: of several, it needs one that holds them all.
    `bearer` says that a token was sent, `audience` whose; `local` that the metadata service was
    asked. `form` has the fields of the body, None for a secret one; `document` is its JSON with
    secret values redacted. Of any other body only the length and `content_type` are known.
    """

    started: datetime
    url: str
    ca: tuple[str, ...] = ()
    bearer: bool = False
    audience: str = ""
    local: bool = False
    form: tuple[tuple[str, str | None], ...] = ()
    document: str = ""
    withheld: int = 0
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its outcome; `connection` and `response` are None where it got no further.

    `sent` is there only while the process logs requests (`request_log`).
    """

    method: str
    url: str
    connection: ConnectionFacts | None
    response: ResponseFacts | None
    phases: tuple[Phase, ...]
    fault: TransportFault | None = None
    sent: SentRequest | None = None

    @property
    def seconds(self) -> float:
        """The time that its phases took."""
        return sum(phase.seconds for phase in self.phases)

    @property
    def outcome(self) -> str:
        """The status, the kind of fault, or both."""
        status = str(self.response.status) if self.response else ""
        kind = self.fault.kind.value if self.fault else ""
        return " ".join(filter(None, (status, kind))) or "cancelled"


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
    """Why a request got no whole response.

    `host` and `port` are those that failed (the proxy's, for a proxy that cannot be reached).
    `detail` is one sanitised line. `errno` is a symbol. `limit` is the limit that was hit, in
    seconds or bytes, and `setting` its name, if a user can set it. `answer` is the sanitised
    beginning of what a server sent in place of TLS. `resolvers` are the configured name servers,
    for a DNS fault.
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
