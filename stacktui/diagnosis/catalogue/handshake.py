"""TLS handshakes that end before a certificate is presented."""

from __future__ import annotations

from stacktui.diagnosis.az_messages import AZ_NETWORK
from stacktui.diagnosis.catalogue.proxy import (
    NAME_PROXY_IN_SETTING,
    NAME_PROXY_IN_VARIABLE,
    name_proxy,
)
from stacktui.diagnosis.catalogue.reach import CHECK_PORT
from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.formatting import route_lines
from stacktui.diagnosis.message_pattern import MessagePattern
from stacktui.diagnosis.messages.metadata import METADATA_CONNECTION_RESET
from stacktui.diagnosis.messages.network import CONNECTION_CLOSED, CONNECTION_RESET
from stacktui.diagnosis.messages.tls import (
    HANDSHAKE_REFUSED,
    TLS_FAILED,
    UNNAMED_TLS_FAILURE,
)
from stacktui.diagnosis.remedies import (
    CONNECT_DIRECTLY,
    GO_AROUND_PROXY,
    around_proxy,
    fetching,
    fill_fetching,
)
from stacktui.diagnosis.remedy_template import RemedyTemplate
from stacktui.transport.port_answer import Protocol, protocol_of
from stacktui.transport.records import TransportFault, TransportFaultKind

_ENDED = (TransportFaultKind.TCP_RESET, TransportFaultKind.TLS_RESET)


def _at_origin(failure: FailureContext, fault: TransportFault) -> bool:
    """Return whether the handshake was with the host itself, not with an `https` proxy."""
    if not _goes_by_proxy(failure):
        return True  # with a pin, the fault has the pinned address
    return (fault.host, fault.port) == (failure.host, failure.port)


def _goes_by_proxy(failure: FailureContext) -> bool:
    return bool(failure.connection and failure.connection.proxy.url)


def _peer(failure: FailureContext, fault: TransportFault) -> str:
    before = "" if _at_origin(failure, fault) else "the proxy "
    return f"{before}{fault.host} port {fault.port}"


# tcp-reset

_TRY_WITHOUT_NAME = RemedyTemplate(
    "See whether it is the name: if only the second one, which does not send {host}, is answered, "
    "then a filter on the way knows the name",
    "timeout 5 openssl s_client -brief -connect {address} -servername {host} < /dev/null; "
    "timeout 5 openssl s_client -brief -connect {address} -noservername < /dev/null",
    "'' | openssl s_client -brief -connect {address} -servername {host}; "
    "'' | openssl s_client -brief -connect {address} -noservername",
    {"address": "HOST:443"},
)
_ASK_FILTER = RemedyTemplate("If a filter does it, ask whoever runs it to let {host} pass")
_NO_SERVICE = RemedyTemplate(
    "If every name is closed alike, a load balancer has no service behind it: tell the stamp's "
    "operator"
)


def _plain_request_lines(failure: FailureContext) -> tuple[str, ...]:
    """Return what a plain request to the port brought, if it was sent."""
    found = failure.port_answer
    if found is None:
        return ()
    match found.speaks:
        case Protocol.SILENCE:
            return ("a plain request to the same port was not answered either: silence",)
        case Protocol.CLOSED:
            return ("a plain request to the same port was closed too, without an answer",)
        case Protocol.TLS:
            return (f"a plain request was told that the port wants TLS: {found.answer}",)
    return (f"a plain request to the same port was answered: {found.answer}",)


def _tcp_reset(failure: FailureContext) -> Explanation | None:
    fault = next((found for kind in _ENDED if (found := failure.transport(kind))), None)
    if fault is None or (failure.port_answer and failure.port_answer.is_other):
        return None
    host, code = failure.host, f" ({fault.errno})" if fault.errno else ""
    evidence = (
        f"{fault.host}:{fault.port}: {fault.detail}{code}",
        *_plain_request_lines(failure),
        f"the name sent in the handshake (SNI): {host}",
        *route_lines(failure),
    )
    remedies = [*around_proxy(failure)]
    if not _goes_by_proxy(failure):
        pinned = failure.connection.pinned if failure.connection else None
        address = pinned or f"{host}:{failure.port}"
        remedies.append(_TRY_WITHOUT_NAME.fill(address=address, host=host))
    remedies += [_ASK_FILTER.fill(host=host), _NO_SERVICE.fill()]
    title = f"{_peer(failure, fault)} closes the connection before TLS is up"
    return Explanation(title, evidence, tuple(remedies))


TCP_RESET = FaultInfo(
    id="tcp-reset",
    group=Group.REACH,
    sides=(Side.NETWORK,),
    meaning="The connection is made, and closed before TLS is up.",
    distinguishing_evidence=(
        "ECONNRESET or an end of file within the handshake. If only the handshake that sends the "
        "stamp's name (SNI) is closed, a filter knows the name; if every one is, a load balancer "
        "has no service behind it. An answer in another protocol, to the handshake or to one plain "
        "request after it, is `tls-not-tls`, silence "
        "`tls-timeout`, and a break after the request was sent `arm-reset`."
    ),
    az_says=(
        AZ_NETWORK + "('Connection aborted.', ConnectionResetError(104, 'Connection reset by "
        "peer')) / [SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol"
    ),
    patterns={
        CONNECTION_RESET: 75,
        METADATA_CONNECTION_RESET: 90,
        MessagePattern(
            "the handshake ended without a word",
            r"unexpected_eof_while_reading|eof occurred in violation|ssl_error_syscall"
            r"|unexpected eof|0 bytes from the transport stream"
            r"|unexpected error occurred on a (?:send|receive)|pr_end_of_file_error"
            r"|closed connection during handshake|terminated the handshake"
            r"|before secure tls connection was established|non-properly terminated"
            r"|has closed the transport stream|connection has been closed \(eof\)"
            r"|sslzeroreturnerror",
        ): 80,
        CONNECTION_CLOSED: 58,
        HANDSHAKE_REFUSED: 40,
        UNNAMED_TLS_FAILURE: 50,
        TLS_FAILED: 20,
    },
    remedies=(_TRY_WITHOUT_NAME, GO_AROUND_PROXY, CONNECT_DIRECTLY, _ASK_FILTER, _NO_SERVICE),
    rules=(_tcp_reset,),
)


# tls-not-tls

_CHECK_PIN = RemedyTemplate(
    "Check the pin {pin}: resolve under {section}", shown={"pin": "ADDRESS:PORT"}
)
_TELL_ANSWER = fetching(
    "If {host} port {port} is right, its service has lost its certificate, or something on the "
    "way answers for it: tell the stamp's operator what it answers to plain HTTP",
    "http://HOST:PORT/",
)


def _tell_answer(failure: FailureContext) -> Remedy:
    url = failure.last.url.replace("https:", "http:", 1) if failure.last else None
    return fill_fetching(_TELL_ANSWER, failure, url, host=failure.host, port=str(failure.port))


def _tls_not_tls(failure: FailureContext) -> Explanation | None:
    fault, found = failure.fault, failure.port_answer
    if not isinstance(fault, TransportFault):
        return None
    if fault.kind in _ENDED and found and found.is_other:
        speaks = found.speaks
        answered = f"it closed the handshake, and answered a plain request: {found.answer}"
    elif fault.kind is TransportFaultKind.TLS_NOT_TLS:
        speaks = protocol_of(fault.answer)
        answered = f"it answered: {fault.answer or fault.detail}"
    else:
        return None
    evidence = (answered, *route_lines(failure))
    title = f"{_peer(failure, fault)} speaks {speaks}, not TLS"
    if not _at_origin(failure, fault):
        plain = name_proxy(failure, f"http://{fault.host}:{fault.port}")
        return Explanation(title, evidence, (plain, *around_proxy(failure)))
    remedies: list[Remedy] = []
    if failure.connection and failure.connection.pinned:
        pin = failure.connection.pinned
        remedies.append(_CHECK_PIN.fill(pin=pin, section=failure.section))
    if failure.at_arm and failure.port != 443:
        remedies.append(CHECK_PORT.fill(**failure.placeholders))
    remedies += around_proxy(failure)
    remedies.append(_tell_answer(failure))
    return Explanation(title, evidence, tuple(remedies))


TLS_NOT_TLS = FaultInfo(
    id="tls-not-tls",
    group=Group.TLS,
    sides=(Side.BOX,),
    meaning="The port speaks something else than TLS.",
    distinguishing_evidence=(
        "What it answered is not TLS, and the report quotes it: HTTP, SSH, SOCKS, mail. Where a "
        "proxy that is named with https:// answers so, name it with http://. An end without an "
        "answer is `tcp-reset`; an alert of TLS itself `tls-weak`."
    ),
    az_says=(
        AZ_NETWORK + "… (Caused by SSLError(SSLError(1, '[SSL: WRONG_VERSION_NUMBER] wrong "
        "version number …"
    ),
    patterns={
        MessagePattern(
            "the proxy speaks plain HTTP, and is named with https://",
            r"your proxy appears to only use http",
        ): 190,
        MessagePattern(
            "the proxy does not speak TLS, and is named with https://",
            r"tunneling socket could not be established|proxyconnect tcp",
            also=r"unknown protocol|wrong version number|does not look like a tls handshake",
        ): 195,
        UNNAMED_TLS_FAILURE: 52,
        HANDSHAKE_REFUSED: 36,
        MessagePattern(
            "the port does not speak TLS",
            r"wrong_version_number|wrong version number|unknown_protocol|http_request\]"
            r"|corrupted frame was received|cannot determine the frame size"
            r"|packet[_ ]length[_ ]too[_ ]long|record_layer_failure"
            r"|http request to an https|first record does not look like a tls handshake"
            r"|sec_e_invalid_token|0x80090308|record too long"
            r"|ssl_error_rx_record_too_long|server_hello:unknown protocol|unexpected packet format"
            r"|server gave http response to https|plain http request was sent"
            r"|plaintext connection|unrecognized ssl message|not an ssl/tls record|notsslrecord"
            r"|unexpected (?:length|tls packet)|oversized record|record overflow"
            r"|invalidcontenttype|invalid content type",
        ): 90,
        TLS_FAILED: 20,
    },
    remedies=(
        CHECK_PORT,
        _CHECK_PIN,
        NAME_PROXY_IN_VARIABLE,
        NAME_PROXY_IN_SETTING,
        GO_AROUND_PROXY,
        CONNECT_DIRECTLY,
        _TELL_ANSWER,
    ),
    rules=(_tls_not_tls,),
)


# tls-timeout

_TRY_LARGE_PACKETS = RemedyTemplate(
    "See whether large packets get through: if the first is not answered and the second is, lower "
    "the MTU of this machine's interface (a VPN often needs 1400 or less)",
    "ping -c 3 -W 2 -M do -s 1472 {address}; ping -c 3 -W 2 -M do -s 1200 {address}",
    "ping -n 3 -f -l 1472 {address}; ping -n 3 -f -l 1200 {address}",
    {"address": "HOST"},
)
_ASK_FOR_FILTER = RemedyTemplate(
    "Else ask for the filter between this machine and {host}, or the stamp's operator for the load "
    "balancer: it accepts connections and answers none"
)


def _tls_timeout(failure: FailureContext) -> Explanation | None:
    fault = failure.transport(TransportFaultKind.TLS_TIMEOUT)
    if fault is None:
        return None
    evidence = (f"{fault.host}:{fault.port}: {fault.detail}", *route_lines(failure))
    remedies = [*around_proxy(failure)]
    if not _goes_by_proxy(failure):
        attempts = failure.connection.attempts if failure.connection else ()
        connected = (each.address for each in reversed(attempts) if each.error is None)
        remedies.append(_TRY_LARGE_PACKETS.fill(address=next(connected, fault.host)))
    remedies.append(_ASK_FOR_FILTER.fill(host=failure.host))
    title = f"{_peer(failure, fault)} accepts the connection, but the TLS handshake never ends"
    return Explanation(title, evidence, tuple(remedies))


TLS_TIMEOUT = FaultInfo(
    id="tls-timeout",
    group=Group.TLS,
    sides=(Side.NETWORK,),
    meaning="TCP works, and the TLS handshake never ends.",
    distinguishing_evidence=(
        "The connection was made, so it is no `tcp-timeout`, and nothing closes it, as in "
        "`tcp-reset`: large packets are lost (MTU), or a filter swallows the handshake."
    ),
    az_says="nothing: az has no time-out there, and waits for ever",
    patterns={
        MessagePattern(
            "the handshake never ended",
            r"handshake operation timed out|handshake timed? ?out|ssl connection timeout"
            r"|ssl_handshake_timeout|handshaketimeout",
        ): 92,
    },
    remedies=(_TRY_LARGE_PACKETS, GO_AROUND_PROXY, CONNECT_DIRECTLY, _ASK_FOR_FILTER),
    rules=(_tls_timeout,),
)

FAULTS = (TCP_RESET, TLS_NOT_TLS, TLS_TIMEOUT)
