"""A TLS handshake that never came to a certificate."""

from __future__ import annotations

from collections.abc import Callable

from stacktui.diagnosis.context import Explained, FailureContext, rule
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.rules.proxy import around_proxy, mend_proxy
from stacktui.diagnosis.shell import bash, powershell
from stacktui.diagnosis.words import route_lines
from stacktui.transport.facts import TransportFault, TransportFaultKind

_AZ = (
    "Unable to get endpoints from the cloud. Please ensure you have network connection. "
    "Error detail: "
)
# How protocols begin that servers speak first, or answer to what they do not understand.
_SPOKEN = (
    ("HTTP/", "plain HTTP"),
    ("<", "plain HTTP"),
    ("SSH-", "SSH"),
    ("220", "SMTP or FTP"),
    ("* OK", "IMAP"),
    ("+OK", "POP3"),
    ("RFB ", "VNC"),
)


def _at_origin(case: FailureContext, fault: TransportFault) -> bool:
    """Whether the handshake was with the host itself, and not with an `https` proxy before it."""
    if not _goes_by_proxy(case):
        return True  # under a pin, it is another address of the host that fails
    return (fault.host, fault.port) == (case.host, case.port)


def _peer(case: FailureContext, fault: TransportFault) -> str:
    before = "" if _at_origin(case, fault) else "the proxy "
    return f"{before}{fault.host} port {fault.port}"


def _goes_by_proxy(case: FailureContext) -> bool:
    return bool(case.connection and case.connection.proxy.url)


@rule(
    "tcp-reset",
    Side.NETWORK,
    _AZ + "('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer')) / "
    "[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol",
)
def tcp_reset(case: FailureContext) -> Explained | None:
    kinds = (TransportFaultKind.TCP_RESET, TransportFaultKind.TLS_RESET)
    fault = next((found for kind in kinds if (found := case.transport(kind))), None)
    if fault is None:
        return None
    code = f" ({fault.errno})" if fault.errno else ""
    evidence = (
        f"{fault.host}:{fault.port}: {fault.detail}{code}",
        f"the name sent in the handshake (SNI): {case.host}",
        *route_lines(case),
    )
    remedies = [*around_proxy(case)]
    if not _goes_by_proxy(case):
        remedies.append(
            Remedy(
                f"See whether it is the name: if only the second one, which does not send "
                f"{case.host}, is answered, then a filter on the way knows the name",
                _s_client(case, bash, f"-servername {bash(case.host)}")
                + "; "
                + _s_client(case, bash, "-noservername"),
                _s_client(case, powershell, f"-servername {powershell(case.host)}")
                + "; "
                + _s_client(case, powershell, "-noservername"),
            )
        )
    remedies += [
        Remedy(f"If a filter does it, ask whoever runs it to let {case.host} pass"),
        Remedy(
            "If every name is closed alike, a load balancer has no service behind it: tell the "
            "stamp's operator"
        ),
    ]
    title = f"{_peer(case, fault)} closes the connection before TLS is up"
    return title, evidence, tuple(remedies)


def _s_client(case: FailureContext, quote: Callable[[str], str], options: str) -> str:
    connection = case.connection
    target = (connection.pinned if connection else None) or f"{case.host}:{case.port}"
    command = f"openssl s_client -brief -connect {quote(target)} {options}"
    return f"timeout 5 {command} < /dev/null" if quote is bash else f"'' | {command}"


@rule(
    "tls-not-tls",
    Side.BOX,
    _AZ + "… (Caused by SSLError(SSLError(1, '[SSL: WRONG_VERSION_NUMBER] wrong version number …",
)
def tls_not_tls(case: FailureContext) -> Explained | None:
    fault = case.transport(TransportFaultKind.TLS_NOT_TLS)
    if fault is None:
        return None
    spoken = next((name for start, name in _SPOKEN if fault.answer.startswith(start)), "")
    evidence = (f"it answered: {fault.answer or fault.detail}", *route_lines(case))
    title = f"{_peer(case, fault)} speaks {spoken or 'something else'}, not TLS"
    if not _at_origin(case, fault):
        mend = mend_proxy(case, f"http://{fault.host}:{fault.port}")
        return title, evidence, (mend, *around_proxy(case))
    remedies = []
    if case.connection and case.connection.pinned:
        remedies.append(
            Remedy(f"Check the pin {case.connection.pinned}: resolve under {case.section}")
        )
    if case.at_arm and case.port != 443:
        remedies.append(
            Remedy(f"Stamps speak TLS on 443: check the port of arm under {case.section}")
        )
    remedies += around_proxy(case)
    remedies.append(
        Remedy(
            f"If {case.host} port {case.port} is right, its service has lost its certificate, or "
            "something on the way answers for it: tell the stamp's operator what it answered"
        )
    )
    return title, evidence, tuple(remedies)


@rule("tls-timeout", Side.NETWORK, "nothing: az has no time-out there, and waits for ever")
def tls_timeout(case: FailureContext) -> Explained | None:
    fault = case.transport(TransportFaultKind.TLS_TIMEOUT)
    if fault is None:
        return None
    evidence = (f"{fault.host}:{fault.port}: {fault.detail}", *route_lines(case))
    remedies = [*around_proxy(case)]
    if not _goes_by_proxy(case):
        attempts = case.connection.attempts if case.connection else ()
        up = (each.address for each in reversed(attempts) if each.error is None)
        address = next(up, fault.host)
        remedies.append(
            Remedy(
                "See whether large packets get through: if the first is not answered and the "
                "second is, lower the MTU of this box's interface (a VPN often needs 1400 or less)",
                f"ping -c 3 -W 2 -M do -s 1472 {bash(address)}; "
                f"ping -c 3 -W 2 -M do -s 1200 {bash(address)}",
                f"ping -n 3 -f -l 1472 {powershell(address)}; "
                f"ping -n 3 -f -l 1200 {powershell(address)}",
            )
        )
    remedies.append(
        Remedy(
            f"Else ask for the filter between this box and {case.host}, or the stamp's operator "
            "for the load balancer: it accepts connections and answers none"
        )
    )
    title = f"{_peer(case, fault)} accepts the connection, but the TLS handshake never ends"
    return title, evidence, tuple(remedies)


RULES = (tcp_reset, tls_not_tls, tls_timeout)
