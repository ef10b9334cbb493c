"""Faults before TLS: names, ports, routes."""

from __future__ import annotations

from stacktui.diagnosis.context import Explained, FailureContext, rule
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.mends import set_value
from stacktui.diagnosis.shell import bash, powershell
from stacktui.diagnosis.words import route_lines
from stacktui.environments.naming import OPERATOR_ENDPOINT, USER_ENDPOINT, domain_of
from stacktui.transport.facts import TransportFaultKind

_AZ = (
    "Unable to get endpoints from the cloud. Please ensure you have network connection. "
    "Error detail: HTTPSConnectionPool(…): Max retries exceeded with url: … (Caused by "
)

# A name may have any number of addresses.
_ADDRESSES = 8


@rule("dns-not-found", Side.BOX, _AZ + "NameResolutionError(… Failed to resolve …))")
def dns_not_found(case: FailureContext) -> Explained | None:
    fault = case.transport(TransportFaultKind.DNS_NOT_FOUND)
    if fault is None:
        return None
    host = fault.host
    evidence = [f"looking up {host} said: {fault.detail} ({fault.errno or 'no code'})"]
    if fault.resolvers:
        evidence.append(f"resolvers asked: {', '.join(fault.resolvers)}")
    if domain := domain_of(host):
        evidence.append(f"by the naming rule the stamp's domain is {domain}")
    there = case.report.siblings if case.at_arm and host == case.host else ()
    evidence += [f"{name} does exist: only the first label is wrong" for name in there]
    remedies = [
        *_siblings(case, there),
        Remedy(
            f"Ask this box's resolver for {host}; if it should know it, mend the resolver",
            f"getent ahosts {bash(host)}; grep -v '^#' /etc/resolv.conf",
            f"Resolve-DnsName {powershell(host)}; Get-DnsClientServerAddress",
        ),
    ]
    if host != case.host:
        remedies.append(Remedy(f"If the name is mistyped, mend resolve under {case.section}"))
    elif case.at_arm:
        remedies.append(
            Remedy(f"If the name is mistyped, set the right one: arm under {case.section}")
        )
    remedies.append(
        Remedy(
            f"Without DNS, pin the address under {case.section}: "
            f'resolve = {{ "{case.host}:{case.port}" = "<address>:{fault.port}" }}'
        )
    )
    # A name that exists may have records of other kinds alone.
    what = "has no address" if fault.errno == "EAI_NODATA" else "does not exist"
    return f"The name {host} {what} for this box", tuple(evidence), tuple(remedies)


def _siblings(case: FailureContext, there: tuple[str, ...]) -> list[Remedy]:
    """ARM's own names among those of the stamp that exist."""
    port = "" if case.port == 443 else f":{case.port}"
    whose = {USER_ENDPOINT: "for users", OPERATOR_ENDPOINT: "for operators"}
    return [
        set_value(case, f"Check {name} instead ({whose[label]})", "arm", f"https://{name}{port}")
        for name in there
        if (label := name.partition(".")[0]) in whose
    ]


@rule("tcp-refused", Side.STAMP, _AZ + "NewConnectionError(… [Errno 111] Connection refused))")
def tcp_refused(case: FailureContext) -> Explained | None:
    fault = case.transport(TransportFaultKind.TCP_REFUSED)
    if fault is None:
        return None
    host, port = fault.host, fault.port
    evidence = route_lines(case) or [f"{host}:{port} {fault.errno}"]
    remedies = [
        Remedy(
            f"See whether anything listens on {host} port {port}",
            f"""timeout 5 bash -c '</dev/tcp/"$0"/"$1"' {bash(host)} {port} && echo open""",
            f"Test-NetConnection {powershell(host)} -Port {port}",
        ),
        Remedy(
            f"If it stays closed, the service behind {case.host} is down: tell the stamp's operator"
        ),
    ]
    if case.at_arm and (host, port) == (case.host, case.port) and port != 443:
        remedies.insert(
            0, Remedy(f"Stamps listen on 443: check the port of arm under {case.section}")
        )
    return f"Nothing listens on {host} port {port}", tuple(evidence), tuple(remedies)


@rule("dns-timeout", Side.NETWORK, _AZ + "NameResolutionError(… Temporary failure in name …))")
def dns_timeout(case: FailureContext) -> Explained | None:
    fault = case.transport(TransportFaultKind.DNS_TIMEOUT)
    if fault is None:
        return None
    host = fault.host
    evidence = [f"looking up {host} said: {fault.detail} ({fault.errno or 'no code'})"]
    if fault.resolvers:
        evidence.append(f"resolvers configured: {', '.join(fault.resolvers)}")
    remedies = (
        Remedy(
            "See which resolvers this box asks, and whether one answers; ask the network for "
            "port 53 to them, or connect the VPN that leads there",
            f"grep -v '^#' /etc/resolv.conf; getent ahosts {bash(host)}",
            f"Get-DnsClientServerAddress; Resolve-DnsName {powershell(host)}",
        ),
        Remedy(
            f"Without DNS, pin the address under {case.section}: "
            f'resolve = {{ "{case.host}:{case.port}" = "<address>:{fault.port}" }}'
        ),
    )
    return f"No resolver of this box gives an answer for {host}", tuple(evidence), remedies


@rule("tcp-timeout", Side.NETWORK, _AZ + "… [Errno 110] Connection timed out)), after minutes")
def tcp_timeout(case: FailureContext) -> Explained | None:
    fault = case.transport(TransportFaultKind.TCP_TIMEOUT)
    if fault is None:
        return None
    host, port = fault.host, fault.port
    attempts = case.connection.attempts if case.connection else ()
    evidence = (f"{host}:{port}: {fault.detail}", *route_lines(case))
    tried = list(dict.fromkeys(each.address for each in attempts)) or [host]
    remedies = [
        Remedy(
            f"See by which route this box sends to {tried[0]}, and whether a VPN must be up",
            f"ip route get {bash(tried[0])}",
            f"Test-NetConnection {powershell(tried[0])} -Port {port} -InformationLevel Detailed",
        ),
        Remedy(
            "Ask for a firewall rule from this box to "
            + ", ".join(f"{address} port {port}" for address in tried[:_ADDRESSES])
        ),
    ]
    if case.connection and case.connection.pinned:
        remedies.append(Remedy(f"If the address is wrong, mend resolve under {case.section}"))
    title = f"Nothing comes back from {host} port {port}: packets are lost on the way"
    return title, evidence, tuple(remedies)


# What the system says in place of sending a packet, or once it was told that none can arrive.
_NO_WAY = {
    "ENETUNREACH": "no route leads there, from here or from a router on the way",
    "EHOSTUNREACH": "a router or a firewall says so, or the last hop that finds no such host",
    "EADDRNOTAVAIL": "this box has no address from which it could send there",
    "EACCES": "a route of this box forbids it",
    "EPERM": "this box's own firewall forbids it",
}


@rule("tcp-unreachable", Side.NETWORK, _AZ + "NewConnectionError(… [Errno 113] No route to host))")
def tcp_unreachable(case: FailureContext) -> Explained | None:
    fault = case.transport(TransportFaultKind.TCP_UNREACHABLE)
    why = _NO_WAY.get(fault.errno or "") if fault else None
    if fault is None or why is None:
        return None
    host, port = fault.host, fault.port
    evidence = (f"{host}:{port}: {fault.detail} ({fault.errno}): {why}", *route_lines(case))
    attempts = case.connection.attempts if case.connection else ()
    address = next((each.address for each in attempts if each.error == fault.errno), host)
    remedies = [
        Remedy(
            f"See whether this box has a route to {address}: if it has none, connect the VPN or "
            "mend the route here",
            f"ip route get {bash(address)}",
            f"Find-NetRoute -RemoteIPAddress {powershell(address)}",
        ),
        Remedy(
            "If it has one, somebody on the way refuses: ask for a route and a firewall rule from "
            f"this box to {address} port {port}"
        ),
    ]
    if case.connection and case.connection.pinned:
        remedies.append(Remedy(f"If the address is wrong, mend resolve under {case.section}"))
    title = f"There is no way from this box to {host} port {port}"
    return title, evidence, tuple(remedies)


RULES = (dns_not_found, dns_timeout, tcp_refused, tcp_timeout, tcp_unreachable)
