"""Network faults before TLS: DNS, ports, routes."""

from __future__ import annotations

from stacktui.diagnosis.az_messages import AZ_CONNECTION
from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.formatting import route_lines
from stacktui.diagnosis.message_pattern import MessagePattern
from stacktui.diagnosis.messages.arm import NO_ANSWER_IN_TIME
from stacktui.diagnosis.messages.metadata import METADATA_UNREAD
from stacktui.diagnosis.messages.network import CURL_COULD_NOT_CONNECT, LOOKUP_FAILED, NO_CONNECTION
from stacktui.diagnosis.remedies import CHECK_OTHER_ENDPOINT, editing, fill_setting
from stacktui.diagnosis.remedy_template import RemedyTemplate
from stacktui.environments.naming import OPERATOR_ENDPOINT, USER_ENDPOINT, domain_of
from stacktui.transport.records import TransportFaultKind

# A name may have any number of addresses.
_ADDRESSES = 8

PIN_ADDRESS = RemedyTemplate(
    'Without DNS, pin the address under {section}: resolve = { "{host}:{port}" = '
    '"<address>:{port_there}" }',
    shown={"port": "443", "port_there": "443"},
)
FIX_PIN = RemedyTemplate("If the address is wrong, fix resolve under {section}")


# dns-not-found

_ASK_RESOLVER = RemedyTemplate(
    "Ask this machine's resolver for {host}; if it should know it, fix the resolver",
    "getent ahosts {host}; grep -v '^#' /etc/resolv.conf",
    "Resolve-DnsName {host}; Get-DnsClientServerAddress",
)
_FIX_RESOLVE = RemedyTemplate("If the name is mistyped, fix resolve under {section}")
_FIX_ARM = RemedyTemplate("If the name is mistyped, set the right one: arm under {section}")


def _dns_not_found(failure: FailureContext) -> Explanation | None:
    fault = failure.transport(TransportFaultKind.DNS_NOT_FOUND)
    if fault is None:
        return None
    host = fault.host
    evidence = [f"looking up {host} said: {fault.detail} ({fault.errno or 'no code'})"]
    if fault.resolvers:
        evidence.append(f"resolvers asked: {', '.join(fault.resolvers)}")
    if domain := domain_of(host):
        evidence.append(f"by the naming rule the stamp's domain is {domain}")
    there = failure.report.siblings if failure.at_arm and host == failure.host else ()
    evidence += [f"{name} does exist: {_difference(name, host)}" for name in there]
    remedies = [*_siblings(failure, there), _ASK_RESOLVER.fill(host=host)]
    if host != failure.host:
        remedies.append(_FIX_RESOLVE.fill(section=failure.section))
    elif failure.at_arm:
        remedies.append(_FIX_ARM.fill(section=failure.section))
    remedies.append(_pin(failure, fault.port))
    # An existing name may have only records of other types.
    what = "has no address" if fault.errno == "EAI_NODATA" else "does not exist"
    title = f"The name {host} {what} for this machine"
    return Explanation(title, tuple(evidence), tuple(remedies))


def _difference(name: str, host: str) -> str:
    """Return how a name of the stamp differs from the host that was asked for."""
    label, _, rest = name.partition(".")
    return f"{label}. is missing" if rest == host else "only the first label is wrong"


def _siblings(failure: FailureContext, there: tuple[str, ...]) -> list[Remedy]:
    """Return remedies that name ARM's own hosts, as far as they exist."""
    port = "" if failure.port == 443 else f":{failure.port}"
    whose = {USER_ENDPOINT: "for users", OPERATOR_ENDPOINT: "for operators"}
    return [
        fill_setting(
            CHECK_OTHER_ENDPOINT,
            failure,
            "arm",
            f"https://{name}{port}",
            endpoint=name,
            whose=whose[label],
        )
        for name in there
        if (label := name.partition(".")[0]) in whose
    ]


def _pin(failure: FailureContext, port: int) -> Remedy:
    return PIN_ADDRESS.fill(
        section=failure.section, host=failure.host, port=failure.port, port_there=port
    )


DNS_NOT_FOUND = FaultInfo(
    id="dns-not-found",
    group=Group.REACH,
    sides=(Side.BOX,),
    meaning="The name does not exist for the resolver that this machine asks.",
    distinguishing_evidence=(
        "A resolver answered, and said no (EAI_NONAME, NXDOMAIN, WinError 11001). Where none "
        "answers at all, it is `dns-timeout`. If other names of the same stamp resolve, the name "
        "is mistyped; if none does, this machine asks the wrong resolver. The proxy's own name: "
        "`proxy-unreachable`."
    ),
    az_says=AZ_CONNECTION + "NameResolutionError(… Failed to resolve …))",
    patterns={
        MessagePattern(
            "the name does not resolve",
            r"name or service not known|nodename nor servname|getaddrinfo failed"
            r"|\benotfound|no such host|remote name could not be resolved|nxdomain"
            r"|non-existent domain|no address associated with hostname"
            r"|could not resolve host|\b11001\b|errno -2\]|name does not (?:resolve|exist)"
            # .NET Framework in German, French, Spanish and Japanese
            r"|remotename konnte nicht|nom distant n'a pas"
            r"|resolver el nombre remoto|リモート名を解決"
            r"|unknownhostexception|unresolvedaddress|unable to resolve host"
            r"|(?:host|name|address) could not be (?:resolved|found)|err_name_not_resolved"
            r"|invalid hostname for this server"
            r"|0x80072ee7|name not known",
        ): 85,
        LOOKUP_FAILED: 42,
        NO_CONNECTION: 25,
        METADATA_UNREAD: 17,
    },
    remedies=(CHECK_OTHER_ENDPOINT, _ASK_RESOLVER, _FIX_ARM, _FIX_RESOLVE, PIN_ADDRESS),
    rules=(_dns_not_found,),
)


# dns-timeout

_SEE_RESOLVERS = RemedyTemplate(
    "See which resolvers this machine asks, and whether one answers; ask the network for port 53 "
    "to them, or connect the VPN that leads there",
    "grep -v '^#' /etc/resolv.conf; getent ahosts {host}",
    "Get-DnsClientServerAddress; Resolve-DnsName {host}",
)


def _dns_timeout(failure: FailureContext) -> Explanation | None:
    fault = failure.transport(TransportFaultKind.DNS_TIMEOUT)
    if fault is None:
        return None
    host = fault.host
    evidence = [f"looking up {host} said: {fault.detail} ({fault.errno or 'no code'})"]
    if fault.resolvers:
        evidence.append(f"resolvers configured: {', '.join(fault.resolvers)}")
    remedies = (_SEE_RESOLVERS.fill(host=host), _pin(failure, fault.port))
    title = f"No resolver of this machine gives an answer for {host}"
    return Explanation(title, tuple(evidence), remedies)


DNS_TIMEOUT = FaultInfo(
    id="dns-timeout",
    group=Group.REACH,
    sides=(Side.NETWORK,),
    meaning="No resolver answers.",
    distinguishing_evidence=(
        "Nobody said no, as in `dns-not-found`: the resolvers of this machine are silent, or not "
        "to be reached (EAI_AGAIN). Every other name fails in the same way."
    ),
    az_says=AZ_CONNECTION + "NameResolutionError(… Temporary failure in name …))",
    patterns={
        LOOKUP_FAILED: 41,
        MessagePattern(
            "no resolver answers",
            r"temporary failure in name resolution|eai_again|errno -3\]|\b11002\b"
            r"|no servers could be reached|resolving timed out"
            r"|is usually a temporary error|server misbehaving|servfail|dns server failure"
            r"|query[a-z]{1,5} etimeout",
        ): 90,
        MessagePattern(
            "the resolver does not answer",
            r"lookup .{1,90} on .{1,60}:53|resolve-dnsname",
            also=r"i/o timeout|timeout period expired",
        ): 175,
    },
    remedies=(_SEE_RESOLVERS, PIN_ADDRESS),
    rules=(_dns_timeout,),
)


# tcp-refused

CHECK_PORT = editing("Stamps listen on 443: check the port of arm under {section}")
SEE_LISTENER = RemedyTemplate(
    "See whether anything listens on {host} port {port}",
    """timeout 5 bash -c '</dev/tcp/"$0"/"$1"' {host} {port} && echo open""",
    "Test-NetConnection {host} -Port {port}",
    shown={"port": "443"},
)
_SERVICE_DOWN = RemedyTemplate(
    "If it stays closed, the service behind {asked} is down: tell the stamp's operator",
    shown={"asked": "HOST"},
)


def _tcp_refused(failure: FailureContext) -> Explanation | None:
    fault = failure.transport(TransportFaultKind.TCP_REFUSED)
    if fault is None:
        return None
    host, port = fault.host, fault.port
    evidence = route_lines(failure) or [f"{host}:{port} {fault.errno}"]
    remedies = [SEE_LISTENER.fill(host=host, port=port), _SERVICE_DOWN.fill(asked=failure.host)]
    if failure.at_arm and (host, port) == (failure.host, failure.port) and port != 443:
        remedies.insert(0, CHECK_PORT.fill(**failure.placeholders))
    title = f"Nothing listens on {host} port {port}"
    return Explanation(title, tuple(evidence), tuple(remedies))


TCP_REFUSED = FaultInfo(
    id="tcp-refused",
    group=Group.REACH,
    sides=(Side.STAMP,),
    meaning="The host is there, and nothing listens on that port.",
    distinguishing_evidence=(
        "A refusal comes back at once (ECONNREFUSED, errno 111, WinError 10061). Silence instead "
        "is `tcp-timeout`, an open port that is closed again `tcp-reset`. A refusal by the "
        "proxy's address is `proxy-unreachable`."
    ),
    az_says=AZ_CONNECTION + "NewConnectionError(… [Errno 111] Connection refused))",
    patterns={
        MessagePattern(
            "the connection was refused",
            r"connection refused|econnrefused|errno 111\]|errno 61\]|\b10061\b|actively refused"
            r"|os error 111\b|err_connection_refused|connection_refused|refused to connect"
            r"|errno=111\b"
            # Windows in German, French, Spanish and Japanese
            r"|zielcomputer die verbindung verweigert|ordinateur cible l'a express"
            r"|equipo de destino deneg|対象のコンピューターによって拒否",
        ): 85,
        CURL_COULD_NOT_CONNECT: 60,
        NO_CONNECTION: 26,
        METADATA_UNREAD: 16,
    },
    remedies=(CHECK_PORT, SEE_LISTENER, _SERVICE_DOWN),
    rules=(_tcp_refused,),
)


# tcp-timeout

_SEE_ROUTE = RemedyTemplate(
    "See by which route this machine sends to {address}, and whether a VPN must be up",
    "ip route get {address}",
    "Test-NetConnection {address} -Port {port} -InformationLevel Detailed",
    shown={"port": "443"},
)
_ASK_FIREWALL = RemedyTemplate(
    "Ask for a firewall rule from this machine to {addresses}",
    shown={"addresses": "each address, port 443"},
)


def _tcp_timeout(failure: FailureContext) -> Explanation | None:
    fault = failure.transport(TransportFaultKind.TCP_TIMEOUT)
    if fault is None:
        return None
    host, port = fault.host, fault.port
    attempts = failure.connection.attempts if failure.connection else ()
    tried = list(dict.fromkeys(each.address for each in attempts)) or [host]
    addresses = ", ".join(f"{address} port {port}" for address in tried[:_ADDRESSES])
    remedies = [
        _SEE_ROUTE.fill(address=tried[0], port=port),
        _ASK_FIREWALL.fill(addresses=addresses),
        *_fix_pin(failure),
    ]
    evidence = (f"{host}:{port}: {fault.detail}", *route_lines(failure))
    title = f"Nothing comes back from {host} port {port}: packets are lost on the way"
    return Explanation(title, evidence, tuple(remedies))


def _fix_pin(failure: FailureContext) -> tuple[Remedy, ...]:
    pinned = failure.connection and failure.connection.pinned
    return (FIX_PIN.fill(section=failure.section),) if pinned else ()


TCP_TIMEOUT = FaultInfo(
    id="tcp-timeout",
    group=Group.REACH,
    sides=(Side.NETWORK,),
    meaning="Packets vanish: no address of the host answers.",
    distinguishing_evidence=(
        "Neither a connection nor a refusal comes back (ETIMEDOUT, WinError 10060). A refusal is "
        "`tcp-refused`, an answer that there is no way `tcp-unreachable`; where the connection is "
        "made and TLS never ends, it is `tls-timeout`."
    ),
    az_says=AZ_CONNECTION + "… [Errno 110] Connection timed out)), after minutes",
    patterns={
        MessagePattern(
            "no answer to a connection",
            r"errno 110\]|errno 60\]|\b10060\b|etimedout|connecttimeout"
            r"|connection timed out|did not properly respond|operation timed out after"
            r"|i/o timeout"
            r"|failed to connect to .{1,40} port \d{1,5} after \d{1,9} ms: timeout"
            r"|connection attempt failed because|connect(?:ion attempt)? timed out|connect timeout"
            r"|err_(?:connection_)?timed_out|connection_timed_out|os error 110\b"
            r"|0x80072ee2|took too long to respond|errno=110\b",
        ): 85,
        CURL_COULD_NOT_CONNECT: 58,
        MessagePattern(
            "this machine's own firewall forbids the connection",
            r"\b10013\b|access permissions",
            note="WinError 10013 is a firewall or another program on this machine itself.",
        ): 55,
        NO_CONNECTION: 26,
        METADATA_UNREAD: 16,
        NO_ANSWER_IN_TIME: 40,
    },
    remedies=(_SEE_ROUTE, _ASK_FIREWALL, FIX_PIN),
    rules=(_tcp_timeout,),
)


# tcp-unreachable

# Errors of the system if it cannot send, or learns from ICMP that nothing arrives.
_WHY_UNREACHABLE = {
    "ENETUNREACH": "no route leads there, from here or from a router on the way",
    "EHOSTUNREACH": "a router or a firewall says so, or the last hop that finds no such host",
    "EADDRNOTAVAIL": "this machine has no address from which it could send there",
    "EACCES": "a route of this machine forbids it",
    "EPERM": "this machine's own firewall forbids it",
}
_HAVE_ROUTE = RemedyTemplate(
    "See whether this machine has a route to {address}: if it has none, connect the VPN or fix "
    "the route here",
    "ip route get {address}",
    "Find-NetRoute -RemoteIPAddress {address}",
)
_ASK_ROUTE = RemedyTemplate(
    "If it has one, somebody on the way refuses: ask for a route and a firewall rule from this "
    "machine to {address} port {port}",
    shown={"port": "443"},
)


def _tcp_unreachable(failure: FailureContext) -> Explanation | None:
    fault = failure.transport(TransportFaultKind.TCP_UNREACHABLE)
    why = _WHY_UNREACHABLE.get(fault.errno or "") if fault else None
    if fault is None or why is None:
        return None
    host, port = fault.host, fault.port
    evidence = (f"{host}:{port}: {fault.detail} ({fault.errno}): {why}", *route_lines(failure))
    attempts = failure.connection.attempts if failure.connection else ()
    address = next((each.address for each in attempts if each.error == fault.errno), host)
    remedies = (
        _HAVE_ROUTE.fill(address=address),
        _ASK_ROUTE.fill(address=address, port=port),
        *_fix_pin(failure),
    )
    return Explanation(
        f"There is no way from this machine to {host} port {port}", evidence, remedies
    )


TCP_UNREACHABLE = FaultInfo(
    id="tcp-unreachable",
    group=Group.REACH,
    sides=(Side.NETWORK,),
    meaning="There is no way there: this machine, or somebody on the way, says so.",
    distinguishing_evidence=(
        "An error comes at once: ENETUNREACH (errno 101, WinError 10051) or EHOSTUNREACH (errno "
        "113, WinError 10065), by this machine's own routes or by ICMP of a router or firewall. "
        "`ip route get` tells which. Silence is `tcp-timeout`, a refused port `tcp-refused`."
    ),
    az_says=AZ_CONNECTION + "NewConnectionError(… [Errno 113] No route to host))",
    patterns={
        CURL_COULD_NOT_CONNECT: 56,
        MessagePattern(
            "there is no way to the address",
            r"errno 113\]|errno 101\]|errno 65\]|errno 51\]|no route to host"
            r"|network is unreachable|ehostunreach|enetunreach|\b10065\b|\b10051\b"
            r"|unreachable network|unreachable host|host is unreachable|noroutetohost"
            r"|err_(?:address|network)_unreachable|err_internet_disconnected"
            r"|os error (?:101|113)\b|cannot assign requested address|errno=(?:101|113)\b",
        ): 86,
    },
    remedies=(_HAVE_ROUTE, _ASK_ROUTE, FIX_PIN),
    rules=(_tcp_unreachable,),
)

FAULTS = (DNS_NOT_FOUND, DNS_TIMEOUT, TCP_REFUSED, TCP_TIMEOUT, TCP_UNREACHABLE)
